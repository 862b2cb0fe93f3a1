import Redis
import TestSupport

@testable import Jobs

/// How Redis is run.
enum Topology: String, CaseIterable, Sendable {
    /// One server that keeps what it knows over a restart.
    case single
    /// A master, a replica and three sentinels.
    case sentinel
    /// Three masters with a replica each.
    case cluster
}

/// The servers of one topology, and what befalls them.
final class TopologyServers: Sendable {
    private enum Servers: Sendable {
        case single(RedisServer)
        case sentinel(RedisSentinels)
        case cluster(RedisCluster)
    }

    private let servers: Servers

    private init(_ servers: Servers) { self.servers = servers }

    /// - Parameter nodeTimeout: after how many ms without an answer a cluster's master is replaced: long where none is
    ///   to be, however starved it is.
    static func start(_ topology: Topology, nodeTimeout: Int = 15_000) async throws -> TopologyServers {
        switch topology {
        case .single:
            let arguments = ["--appendonly", "yes", "--appendfsync", "always"]
            return TopologyServers(.single(try await RedisServer.start(arguments: arguments)))
        case .sentinel:
            let sentinels = try await RedisSentinels.start()
            try await sentinels.setDownAfter(milliseconds: 60_000)
            return TopologyServers(.sentinel(sentinels))
        case .cluster:
            let arguments = ["--cluster-node-timeout", String(nodeTimeout)]
            return TopologyServers(.cluster(try await RedisCluster.start(replicas: 1, arguments: arguments)))
        }
    }

    func stop() {
        switch servers {
        case .single(let server): server.stop()
        case .sentinel(let servers): servers.stop()
        case .cluster(let cluster): cluster.stop()
        }
    }

    /// From now on the sentinels replace a master that does not answer.
    func expectLoss() async throws {
        if case .sentinel(let sentinels) = servers { try await sentinels.setDownAfter(milliseconds: 3_000) }
    }

    /// - Parameter name: by which `isBlocked` knows the client.
    func configuration(name: String) throws -> RedisConfiguration {
        let url =
            switch servers {
            case .single(let server): server.url
            case .sentinel(let servers): servers.url
            case .cluster(let cluster): cluster.url
            }
        var configuration = try RedisConfiguration(url: url)
        configuration.clientName = name
        return configuration
    }

    /// The server that had the queue at the start, and the one that has it when that one is gone for a while.
    func places(of queue: JobQueue) async throws -> (first: RedisServer, second: RedisServer) {
        switch servers {
        case .single(let server): return (server, server)
        case .sentinel(let servers): return (servers.master, servers.replica)
        case .cluster(let cluster):
            let slot = try await cluster.send(["CLUSTER", "KEYSLOT", RedisArgument(queue.keys.jobs)], to: 0).expectInt()
            let index = cluster.owner(of: slot)
            return (cluster.nodes[index], cluster.replicas[index])
        }
    }

    /// Whether a client of that name blocks at that server.
    static func isBlocked(_ name: String, at server: RedisServer) async throws -> Bool {
        try await withClient(try server.configuration()) { direct in
            let list = try await direct.send(["CLIENT", "LIST"]).expectString()
            return list.split(separator: "\n").contains { line in
                let flags = line.split(separator: " ").first { $0.hasPrefix("flags=") }
                return line.contains(" name=\(name) ") && flags?.dropFirst(6).contains("b") == true
            }
        }
    }
}

/// Servers that tests which break nothing share, as starting them takes seconds; they end with the test process.
actor SharedServers {
    static let shared = SharedServers()

    private var started: [Topology: Task<TopologyServers, any Error>] = [:]

    func servers(_ topology: Topology) async throws -> TopologyServers {
        if let task = started[topology] { return try await task.value }
        // Unstructured, as it is of no single test; each test that needs it waits for it.
        let task = Task { try await TopologyServers.start(topology) }
        started[topology] = task
        return try await task.value
    }
}
