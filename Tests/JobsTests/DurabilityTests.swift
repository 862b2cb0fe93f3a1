import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct DurabilityTests {
    private func enqueue(
        _ ids: [String], on queue: JobQueue, _ replicas: Int = 1, within: Duration = .seconds(30)
    ) async throws {
        let jobs = try ids.map { try EncodedJob(Add(), id: JobID($0)) }
        _ = try await queue.enqueue(encoded: jobs, durability: .replicated(replicas, within: within))
    }

    /// A master, its replica, and a queue on the master.
    private func withReplica(
        configure: (inout RedisConfiguration) -> Void = { _ in },
        _ body: (JobQueue, _ master: RedisServer, _ replica: RedisServer) async throws -> Void
    ) async throws {
        let master = try await RedisServer.start(arguments: ["--repl-diskless-sync-delay", "0"], tcp: true)
        defer { master.stop() }
        let replica = try await RedisServer.start(
            arguments: ["--replicaof", "127.0.0.1", String(master.port ?? 0)], tcp: true)
        defer { replica.stop() }
        var configuration = try master.configuration()
        configure(&configuration)
        try await withClient(configuration) { redis in
            try await eventually("the replica follows") {
                try await redis.info("replication")["slave0"]?.contains("state=online") == true
            }
            try await body(JobQueue(name: QueueName("test"), redis: redis), master, replica)
        }
    }

    private func isNotReplicated(_ error: JobError?, _ acknowledged: Int, of wanted: Int) -> Bool {
        if case .notReplicated(acknowledged, wanted) = error { true } else { false }
    }

    @Test("when a replicated enqueue returns, the replica has the job")
    func met() async throws {
        try await withReplica { queue, _, replica in
            for round in 0..<20 {
                try await enqueue(["j\(round)"], on: queue)
                #expect(try await replica.command("HEXISTS \(queue.keys.jobs) j\(round)") == ":1")
            }
            #expect(try await queue.counts().waiting == 20)
        }
    }

    @Test(
        "while the replica hangs a replicated enqueue fails loudly, also when repeated, and once more when it is back")
    func paused() async throws {
        try await withReplica { queue, _, replica in
            try await enqueue(["warm"], on: queue)
            replica.pause()
            defer { replica.resume() }
            for _ in 0..<3 {
                let error = await #expect(throws: JobError.self) {
                    try await enqueue(["a"], on: queue, within: .milliseconds(150))
                }
                #expect(isNotReplicated(error, 0, of: 1))
                #expect(error?.isOutage == false)
                let text = "\(try #require(error))"
                #expect(
                    text.hasPrefix("enqueued on the master, but acknowledged in time by 0 of the 1 replicas wanted"))
            }
            #expect(try await queue.counts().waiting == 2, "it is enqueued all the same, and once")
            replica.resume()
            try await enqueue(["a"], on: queue)
            #expect(try await replica.command("HEXISTS \(queue.keys.jobs) a") == ":1")
            #expect(try await queue.counts().waiting == 2)
        }
    }

    @Test("where there are fewer replicas than wanted the error says how many there were")
    func tooFew() async throws {
        try await withReplica { queue, _, replica in
            try await enqueue(["warm"], on: queue)
            let error = await #expect(throws: JobError.self) {
                try await enqueue(["a"], on: queue, 2, within: .seconds(5))
            }
            #expect(isNotReplicated(error, 1, of: 2))
            replica.kill()
            try await eventually("the master knows") {
                try await queue.redis.info("replication")["connected_slaves"] == "0"
            }
            let none = await #expect(throws: JobError.self) {
                try await enqueue(["b"], on: queue, within: .milliseconds(150))
            }
            #expect(isNotReplicated(none, 0, of: 1))
            #expect(try await queue.counts().waiting == 3)
        }
    }

    @Test("durability that can't be is refused before anything is enqueued")
    func invalid() async throws {
        try await withQueue { queue, _ in
            for (replicas, within): (Int, Duration) in [(0, .seconds(1)), (1, .zero), (1, .microseconds(10))] {
                let error = await #expect(throws: JobError.self) {
                    try await enqueue(["a"], on: queue, replicas, within: within)
                }
                #expect(error?.description.contains("1 replica or more within 1 ms or more") == true)
            }
            let counts = try await queue.counts()
            #expect(counts.enqueued == 0)
        }
    }

    @Test("a server that forgot the script is told it again")
    func forgotten() async throws {
        try await withReplica { queue, master, _ in
            try await enqueue(["a"], on: queue)
            try await master.command("SCRIPT FLUSH")
            try await enqueue(["b"], on: queue)
            #expect(try await queue.counts().waiting == 2)
        }
    }

    @Test("more replicated enqueues than there are connections take turns, beside workers that block")
    func many() async throws {
        let two = { (configuration: inout RedisConfiguration) in
            configuration.blockingConnectionsMax = 2
            // For so long the last in line waits.
            configuration.commandTimeout = .seconds(60)
        }
        try await withReplica(configure: two) { queue, _, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        await #expect(throws: RedisError.cancelled) {
                            try await queue.redis.sendBlocking(["BLPOP", "nothing", 0], timeout: .seconds(300))
                        }
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { callers in
                    for number in 0..<100 { callers.addTask { try await enqueue(["j\(number)"], on: queue) } }
                    try await callers.waitForAll()
                }
                group.cancelAll()
            }
            #expect(try await queue.counts().waiting == 100)
        }
    }

    @Test("in a cluster the replicas of the queue's own master are waited for")
    func cluster() async throws {
        // A master that is only starved for a moment must not be replaced.
        let cluster = try await RedisCluster.start(replicas: 1, arguments: ["--cluster-node-timeout", "15000"])
        defer { cluster.stop() }
        try await withClient(try RedisConfiguration(url: cluster.url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            for name in ["a", "b", "c", "d"] {
                let queue = JobQueue(name: QueueName(name), redis: redis)
                try await enqueue(["met"], on: queue)
                let slot = try await redis.send(["CLUSTER", "KEYSLOT", RedisArgument(queue.keys.jobs)]).expectInt()
                let replica = cluster.replicas[cluster.owner(of: slot)]
                try await withClient(try replica.configuration()) { direct in
                    _ = try await direct.send(["READONLY"])
                    #expect(try await direct.send(["HEXISTS", RedisArgument(queue.keys.jobs), "met"]).int == 1)
                }
            }
            let queue = JobQueue(name: QueueName("a"), redis: redis)
            let slot = try await redis.send(["CLUSTER", "KEYSLOT", RedisArgument(queue.keys.jobs)]).expectInt()
            let replica = cluster.replicas[cluster.owner(of: slot)]
            replica.pause()
            defer { replica.resume() }
            let error = await #expect(throws: JobError.self) {
                try await enqueue(["not"], on: queue, within: .milliseconds(150))
            }
            #expect(isNotReplicated(error, 0, of: 1))
        }
    }

    @Test("through sentinels the master's replica is waited for")
    func sentinel() async throws {
        let servers = try await RedisSentinels.start()
        defer { servers.stop() }
        try await servers.setDownAfter(milliseconds: 60_000)
        try await withClient(try RedisConfiguration(url: servers.url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            let queue = JobQueue(name: QueueName("test"), redis: redis)
            try await enqueue(["a"], on: queue)
            #expect(try await servers.replica.command("HEXISTS \(queue.keys.jobs) a") == ":1")
        }
    }
}
