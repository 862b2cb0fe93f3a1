import Foundation
import Redis

/// A master, a replica of it and three sentinels that watch them and need two votes; all on 127.0.0.1, gone when the
/// test process is.
public final class RedisSentinels: Sendable {
    public static let masterName = "game"

    /// `redis-sentinel://…`, for `RedisConfiguration(url:)`.
    public let url: String
    /// The server that was the master at the start.
    public let master: RedisServer
    /// The one that was its replica.
    public let replica: RedisServer
    public let sentinelPorts: [Int]

    private let folder: TemporaryFolder
    private let sentinels: [GuardedProcess]

    private init(
        master: RedisServer, replica: RedisServer, ports: [Int], folder: TemporaryFolder, sentinels: [GuardedProcess]
    ) {
        self.master = master
        self.replica = replica
        sentinelPorts = ports
        self.folder = folder
        self.sentinels = sentinels
        url = "redis-sentinel://\(ports.map { "127.0.0.1:\($0)" }.joined(separator: ","))/\(Self.masterName)"
    }

    deinit { stop() }

    /// Starts all five and waits until the sentinels know the replica and each other.
    public static func start() async throws -> RedisSentinels {
        let folder = try TemporaryFolder()
        let master = try await RedisServer.start(arguments: ["--repl-diskless-sync-delay", "0"], tcp: true)
        let port = master.port ?? 0
        let replica = try await RedisServer.start(
            arguments: ["--replicaof", "127.0.0.1", String(port), "--repl-diskless-sync-delay", "0"], tcp: true)
        var ports: [Int] = []
        var sentinels: [GuardedProcess] = []
        for number in 1...3 {
            let own = try RedisServer.freePort()
            let file = folder.file("sentinel-\(number).conf")
            let settings = """
                port \(own)
                bind 127.0.0.1
                dir \(folder.path)
                sentinel monitor \(masterName) 127.0.0.1 \(port) 2
                sentinel down-after-milliseconds \(masterName) 2000
                sentinel failover-timeout \(masterName) 5000

                """
            try Data(settings.utf8).write(to: URL(filePath: file))
            sentinels.append(
                try await GuardedProcess.start(
                    ["/usr/bin/redis-server", file, "--sentinel"], log: folder.file("sentinel-\(number).log")))
            ports.append(own)
        }
        let all = RedisSentinels(
            master: master, replica: replica, ports: ports, folder: folder, sentinels: sentinels)
        for own in ports { try await waitUntilReady(own) }
        return all
    }

    public func stop() {
        for sentinel in sentinels { sentinel.end() }
        master.stop()
        replica.stop()
        folder.remove()
    }

    /// Stops one sentinel for good, as a crash would.
    public func killSentinel(_ index: Int) { sentinels[index].end() }

    /// After how long without an answer a server is down for the sentinels: long where none is to be replaced, however
    /// starved it is.
    public func setDownAfter(milliseconds: Int) async throws {
        for port in sentinelPorts {
            try await withClient(try RedisConfiguration(url: "redis://127.0.0.1:\(port)")) { sentinel in
                try await sentinel.waitUntilConnected(timeout: .seconds(60))
                _ = try await sentinel.send([
                    "SENTINEL", "SET", RedisArgument(Self.masterName), "down-after-milliseconds",
                    RedisArgument(milliseconds),
                ])
            }
        }
    }

    private static func waitUntilReady(_ port: Int) async throws {
        try await withClient(try RedisConfiguration(url: "redis://127.0.0.1:\(port)")) { sentinel in
            try await sentinel.waitUntilConnected(timeout: .seconds(60))
            // Else it looks at the servers every ten seconds only.
            _ = try await sentinel.send(["SENTINEL", "DEBUG", "INFO-PERIOD", 1_000])
            try await eventually("the sentinel at \(port) knows the others") {
                let state = try await sentinel.send(["SENTINEL", "MASTER", RedisArgument(masterName)]).expectFields()
                let replicas = try await sentinel.send(["SENTINEL", "REPLICAS", RedisArgument(masterName)])
                let link = try replicas.array?.first?.expectFields()["master-link-status"]?.string
                return state["num-other-sentinels"]?.int == 2 && state["num-slaves"]?.int == 1 && link == "ok"
            }
        }
    }
}
