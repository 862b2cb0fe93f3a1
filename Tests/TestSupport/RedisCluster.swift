import Foundation
import Redis

/// A Redis Cluster of masters on 127.0.0.1, each with an equal part of the slots; gone when the test process is.
public final class RedisCluster: Sendable {
    public static let slotCount = 16_384

    public let nodes: [RedisServer]

    /// `redis-cluster://…`, for `RedisConfiguration(url:)`; it names the first node only.
    public var url: String { "redis-cluster://127.0.0.1:\(nodes[0].port ?? 0)" }

    private init(nodes: [RedisServer]) { self.nodes = nodes }

    deinit { stop() }

    /// Starts them, has them meet and share the slots, and waits until all of them call the cluster whole.
    public static func start(masters: Int = 3, arguments: [String] = []) async throws -> RedisCluster {
        var nodes: [RedisServer] = []
        for _ in 0..<masters {
            nodes.append(
                try await RedisServer.start(
                    arguments: [
                        "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port",
                        String(try RedisServer.freePort()),
                    ] + arguments, tcp: true))
        }
        let cluster = RedisCluster(nodes: nodes)
        for index in nodes.indices {
            let range = cluster.slots(of: index)
            try await nodes[index].command("CLUSTER SET-CONFIG-EPOCH \(index + 1)")
            try await nodes[index].command("CLUSTER ADDSLOTSRANGE \(range.lowerBound) \(range.upperBound - 1)")
        }
        for node in nodes.dropFirst() {
            let bus = try await cluster.busPort(of: node)
            try await nodes[0].command("CLUSTER MEET 127.0.0.1 \(node.port ?? 0) \(bus)")
        }
        try await eventually(within: .seconds(30), "the cluster is whole") { try await cluster.isWhole() }
        return cluster
    }

    public func stop() {
        for node in nodes { node.stop() }
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
            ["MIGRATE", "127.0.0.1", RedisArgument(port), RedisArgument(key), 0, 5_000], to: source)
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
                        ["MIGRATE", "127.0.0.1", RedisArgument(port), "", 0, 5_000, "KEYS"]
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

    private func isWhole() async throws -> Bool {
        for node in nodes {
            let (state, entries) = try await withClient(try node.configuration()) { client in
                let state = try await client.send(["CLUSTER", "INFO"]).expectString()
                return (state, try await client.send(["CLUSTER", "SLOTS"]).expectArray())
            }
            guard state.contains("cluster_state:ok"), entries.count == nodes.count else { return false }
        }
        return true
    }
}
