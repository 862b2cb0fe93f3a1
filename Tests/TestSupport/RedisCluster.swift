import Foundation
import Redis

/// A Redis Cluster on 127.0.0.1: masters, each with an equal part of the slots, and replicas where asked for; gone when
/// the test process is.
public final class RedisCluster: Sendable {
    public static let slotCount = 16_384

    /// The masters at the start.
    public let nodes: [RedisServer]
    /// The replicas at the start: as many for each master, those of the first one first.
    public let replicas: [RedisServer]

    /// `redis-cluster://…`, for `RedisConfiguration(url:)`; it names the first node only.
    public var url: String { "redis-cluster://127.0.0.1:\(nodes[0].port ?? 0)" }

    private init(nodes: [RedisServer], replicas: [RedisServer]) {
        self.nodes = nodes
        self.replicas = replicas
    }

    deinit { stop() }

    /// Starts them, has them meet and share the slots, and waits until all of them call the cluster whole and the
    /// replicas have what their masters have.
    ///
    /// - Parameters:
    ///   - replicas: how many each master has. One takes over about three seconds after its master is gone.
    ///   - arguments: further arguments of each redis-server.
    public static func start(
        masters: Int = 3, replicas: Int = 0, arguments: [String] = []
    ) async throws -> RedisCluster {
        var all: [RedisServer] = []
        for _ in 0..<masters * (1 + replicas) {
            let own = [
                "--cluster-enabled", "yes", "--cluster-port", String(try RedisServer.freePort()),
                "--cluster-node-timeout", "2000", "--cluster-replica-validity-factor", "0",
                // A replica that was never written to is no choice; the ping of its master is a write.
                "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1",
            ]
            all.append(try await RedisServer.start(arguments: own + arguments, tcp: true))
        }
        let cluster = RedisCluster(nodes: Array(all[..<masters]), replicas: Array(all[masters...]))
        let nodes = cluster.nodes
        for index in nodes.indices {
            let range = cluster.slots(of: index)
            try await nodes[index].command("CLUSTER SET-CONFIG-EPOCH \(index + 1)")
            try await nodes[index].command("CLUSTER ADDSLOTSRANGE \(range.lowerBound) \(range.upperBound - 1)")
        }
        for node in all.dropFirst() {
            let bus = try await cluster.busPort(of: node)
            try await nodes[0].command("CLUSTER MEET 127.0.0.1 \(node.port ?? 0) \(bus)")
        }
        for (index, replica) in cluster.replicas.enumerated() {
            let master = try await cluster.id(index / replicas)
            try await eventually("the replica knows its master") {
                try await replica.command("CLUSTER REPLICATE \(master)") == "+OK"
            }
        }
        try await eventually("the cluster is whole") { try await cluster.isWhole(nodesPerSlot: 1 + replicas) }
        // Nobody could take over: so none is to count as gone that a busy machine only gave no time.
        if replicas == 0 {
            for node in nodes { try await node.command("CONFIG SET cluster-node-timeout 30000") }
        }
        return cluster
    }

    public func stop() {
        for node in nodes + replicas { node.stop() }
    }

    /// The slots that a master has at the start.
    public func slots(of index: Int) -> Range<Int> {
        Self.slotCount * index / nodes.count..<Self.slotCount * (index + 1) / nodes.count
    }

    /// The master that has the slot at the start.
    public func owner(of slot: Int) -> Int { nodes.indices.first { slots(of: $0).contains(slot) } ?? 0 }

    /// Runs a command on one node, apart from any client.
    public func send(_ command: RedisCommand, to index: Int) async throws -> RESPValue {
        try await withClient(try nodes[index].configuration()) { try await $0.send(command) }
    }

    /// Says on both nodes that a slot is on its way; its keys stay where they are.
    public func beginMove(slot: Int, from source: Int, to target: Int) async throws {
        let (from, to) = (try await id(source), try await id(target))
        _ = try await send(["CLUSTER", "SETSLOT", RedisArgument(slot), "IMPORTING", RedisArgument(from)], to: target)
        _ = try await send(["CLUSTER", "SETSLOT", RedisArgument(slot), "MIGRATING", RedisArgument(to)], to: source)
    }

    /// Moves a key to where its slot is on its way to.
    public func moveKey(_ key: RedisKey, from source: Int, to target: Int) async throws {
        let port = nodes[target].port ?? 0
        _ = try await send(
            ["MIGRATE", "127.0.0.1", RedisArgument(port), RedisArgument(key), 0, 30_000], to: source)
    }

    /// Moves the keys that are left, and gives the slot away.
    public func endMove(slot: Int, from source: Int, to target: Int) async throws {
        let to = try await id(target)
        let port = nodes[target].port ?? 0
        try await withClient(try nodes[source].configuration()) { client in
            while true {
                let keys = try await client.send(["CLUSTER", "GETKEYSINSLOT", RedisArgument(slot), 100]).expectArray()
                if keys.isEmpty { break }
                _ = try await client.send(
                    RedisCommand(
                        ["MIGRATE", "127.0.0.1", RedisArgument(port), "", 0, 30_000, "KEYS"]
                            + keys.compactMap { $0.bytes.map { RedisArgument($0) } }))
            }
        }
        // The target first, so that there is no moment at which nobody has it.
        for index in [target, source] + nodes.indices.filter({ $0 != target && $0 != source }) {
            _ = try await send(["CLUSTER", "SETSLOT", RedisArgument(slot), "NODE", RedisArgument(to)], to: index)
        }
    }

    private func id(_ index: Int) async throws -> String {
        try await send(["CLUSTER", "MYID"], to: index).expectString()
    }

    private func busPort(of node: RedisServer) async throws -> Int {
        try await withClient(try node.configuration()) { client in
            try await client.send(["CONFIG", "GET", "cluster-port"]).expectArray().last?.int ?? 0
        }
    }

    private func isWhole(nodesPerSlot: Int) async throws -> Bool {
        for node in nodes + replicas {
            let (state, entries, role) = try await withClient(try node.configuration()) { client in
                let state = try await client.send(["CLUSTER", "INFO"]).expectString()
                let entries = try await client.send(["CLUSTER", "SLOTS"]).expectArray()
                return (state, entries, try await client.send(["ROLE"]).expectArray())
            }
            guard state.contains("cluster_state:ok"), entries.count == nodes.count,
                entries.allSatisfy({ $0.array?.count == 2 + nodesPerSlot })
            else { return false }
            if role.first?.string == "slave", role[3].string != "connected" { return false }
        }
        return true
    }
}
