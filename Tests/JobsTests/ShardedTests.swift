import Foundation
import GameModel
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import Jobs

@Suite struct ShardedTests {
    private func withShards(
        _ count: Int = 4, _ body: (ShardedJobQueue, RedisServer) async throws -> Void
    ) async throws {
        try await withRedis { redis, server in
            try await body(try ShardedJobQueue(name: QueueName("s"), shards: count, redis: redis), server)
        }
    }

    private func add(_ number: Int) -> (id: JobID?, job: Add) { (JobID("j\(number)"), Add(n: number)) }

    @Test("a job's shard is that of its unique key, else of its limit key, else of its id, the same for ever")
    func routes() async throws {
        try await withShards { queue, _ in
            // FNV-1a's published test vectors: "" cbf29ce484222325, "a" af63dc4c8601ec8c, "foobar" 85944171f73967e8.
            #expect(queue.shard(for: "").name.rawValue == "s.\(0xcbf2_9ce4_8422_2325 % 4 as UInt64)")
            #expect(queue.shard(for: "a").name.rawValue == "s.\(0xaf63_dc4c_8601_ec8c % 4 as UInt64)")
            #expect(queue.shard(for: "foobar").name.rawValue == "s.\(0x8594_4171_f739_67e8 % 4 as UInt64)")
            for number in 0..<40 {
                let (id, key, unique) = ("i\(number)", "k\(number)", "u\(number)")
                try await queue.enqueue(Add(), id: JobID(id))
                try await queue.enqueue(Add(), id: JobID(id + "k"), options: JobOptions(key: key))
                try await queue.enqueue(
                    Add(), id: JobID(id + "u"), options: JobOptions(unique: Uniqueness(unique), key: key))
                for (id, route) in [(id, id), (id + "k", key), (id + "u", unique)] {
                    // A second one of the id is refused where the first one is.
                    let there = try await queue.shard(for: route).enqueue(Add(), id: JobID(id))
                    #expect(there == .duplicate(JobID(id)))
                }
            }
            var used = 0
            for shard in queue.shards { used += try await shard.counts().enqueued > 15 ? 1 : 0 }
            #expect(used == 4, "the load is spread")
        }
    }

    @Test("a queue has 2 to 64 shards and a name that leaves room for their numbers")
    func invalid() async throws {
        try await withRedis { redis, _ in
            for count in [-1, 0, 1, 65] {
                #expect(throws: JobError.self) {
                    try ShardedJobQueue(name: QueueName("s"), shards: count, redis: redis)
                }
            }
            let long = QueueName(String(repeating: "q", count: 62))
            let ten = try ShardedJobQueue(name: long, shards: 10, redis: redis)
            #expect(ten.shards.count == 10)
            #expect(throws: JobError.self) { try ShardedJobQueue(name: long, shards: 11, redis: redis) }
        }
    }

    @Test("many jobs are enqueued over all shards, answered in their order, and counted as one queue")
    func enqueue() async throws {
        try await withShards { queue, _ in
            let jobs = (0..<1_000).map(add)
            #expect(try await queue.enqueue(jobs) == jobs.map { .added($0.id ?? JobID("")) })
            let again = try await queue.enqueue([add(3), add(2_000), add(4)])
            #expect(again == [.duplicate(JobID("j3")), .added(JobID("j2000")), .duplicate(JobID("j4"))])
            try await queue.enqueue(Add(), id: JobID("late"), delay: .seconds(600))
            let counts = try await queue.counts()
            #expect(counts.waiting == 1_001 && counts.later == 1 && counts.enqueued == 1_002 && counts.isBalanced)
            #expect(counts.oldestWaitingMs != nil)
            let bad = EncodedJob(id: JobID("bad"), kind: "has space", payload: [])
            let good = try EncodedJob(Add(), id: JobID("good"))
            await #expect(throws: JobError.self) { try await queue.enqueue(encoded: [good, bad]) }
            #expect(try await queue.counts().enqueued == 1_002, "one bad job is refused before any shard has any")
        }
    }

    @Test("every count of the shards is in the sum")
    func sum() throws {
        let empty = try JSONEncoder().encode(QueueCounts())
        let names = try #require(try JSONSerialization.jsonObject(with: empty) as? [String: Int]).keys
        func counts(_ number: Int, oldest: Int?) throws -> QueueCounts {
            var fields = Dictionary(uniqueKeysWithValues: names.map { ($0, number) })
            fields["oldestWaitingMs"] = oldest
            return try JSONDecoder().decode(QueueCounts.self, from: JSONSerialization.data(withJSONObject: fields))
        }
        var total = try counts(3, oldest: 20)
        total.add(try counts(4, oldest: 10))
        total.add(try counts(5, oldest: nil))
        #expect(names.count > 15)
        #expect(total == (try counts(12, oldest: 20)))
    }

    @Test("over the whole queue a unique key has one live job")
    func unique() async throws {
        try await withShards { queue, _ in
            for number in 0..<50 {
                let options = JobOptions(unique: Uniqueness("order-\(number)"))
                let first = try await queue.enqueue(Add(), id: JobID("a\(number)"), options: options)
                let second = try await queue.enqueue(Add(), id: JobID("b\(number)"), options: options)
                #expect(first.isAdded)
                #expect(second == .notUnique(JobID("b\(number)"), holder: JobID("a\(number)")))
            }
            #expect(try await queue.counts().enqueued == 50)
        }
    }

    @Test("jobs are found by their ids wherever their keys led them: cancelled, buried, redriven, purged")
    func byID() async throws {
        try await withShards { queue, _ in
            let ids = (0..<60).map { JobID("j\($0)") }
            for (number, id) in ids.enumerated() {
                let options = JobOptions(
                    unique: number % 3 == 0 ? Uniqueness("u\(number)") : nil, key: number % 3 == 1 ? "k\(number)" : nil)
                try await queue.enqueue(Add(), id: id, options: options)
            }
            for id in ids[..<30] { #expect(try await queue.bury(id, as: Bury("by hand")) == .buried) }
            #expect(try await queue.bury(JobID("nobody"), as: Bury("x")) == .unknown)
            #expect(
                try await queue.cancel(ids + [JobID("nobody")])
                    == Array(repeating: .dead, count: 30) + Array(repeating: .cancelled, count: 30) + [.unknown])
            #expect(
                try await queue.redrive(Array(ids[..<10]) + [ids[40], ids[0]])
                    == Array(repeating: .available, count: 10) + [.unknown, .notDead])
            #expect(
                try await queue.purge(Array(ids[..<30]))
                    == Array(repeating: false, count: 10) + Array(repeating: true, count: 20))
            let counts = try await queue.counts()
            #expect(counts.waiting == 10 && counts.dead == 0 && counts.cancelled == 30 && counts.purged == 20)
            #expect(counts.isBalanced)
        }
    }

    @Test("limits are shared out over the shards and read as they were set; what can't be shared out is refused")
    func limits() async throws {
        try await withShards { queue, _ in
            var limits = QueueLimits()
            limits.concurrency = 10
            limits.rate = RateLimit(100, per: .seconds(1), burst: 6)
            limits.ofEachKey = KeyLimit(concurrency: 1)
            limits.jobsMax = 1_003
            limits.deadAge = .seconds(60)
            try await queue.setLimits(limits)
            #expect(try await queue.limits() == limits)
            var shares: [QueueLimits] = []
            for shard in queue.shards { shares.append(try await shard.limits()) }
            #expect(shares.map(\.concurrency) == [3, 3, 2, 2])
            #expect(shares.map(\.jobsMax) == [251, 251, 251, 250])
            #expect(shares.allSatisfy { $0.rate?.count == 100 && $0.rate?.period == .seconds(4) })
            #expect(shares.map(\.rate?.burst) == [2, 2, 1, 1])
            #expect(shares.allSatisfy { $0.ofEachKey.concurrency == 1 && $0.deadAge == .seconds(60) })

            limits.concurrency = 3
            let error = await #expect(throws: JobError.self) { try await queue.setLimits(limits) }
            #expect(error?.description == "concurrency is at least 1 for each of the 4 shards, not 3 in all")
            let changed = try await queue.changeLimits { $0.concurrency = nil }
            #expect(changed.concurrency == nil && changed.jobsMax == 1_003)
            #expect(try await queue.limits() == changed)
        }
    }

    @Test("a pause and a drain hold in every shard until they are ended")
    func control() async throws {
        try await withShards { queue, _ in
            try await queue.pause()
            #expect(try await queue.limits().isPaused)
            try await queue.drain()
            let replies = try await queue.enqueue((0..<40).map(add))
            #expect(replies == (0..<40).map { .draining(JobID("j\($0)")) })
            try await queue.resume()
            #expect(try await queue.enqueue((0..<40).map(add)).allSatisfy { $0.isAdded })
            let limits = try await queue.limits()
            #expect(!limits.isPaused && !limits.isDraining)
        }
    }

    @Test("one worker serves all shards, its concurrency shared out, each shard at least one")
    func worker() async throws {
        try await withShards { queue, _ in
            let ledger = Ledger()
            let worker = worker(of: queue, concurrency: 6, ledger)
            try await run(worker) {
                try await queue.enqueue((0..<400).map(add))
                try await eventually("all ran") { ledger.total == 400 }
                try await eventually("all are completed") { try await queue.counts().completed == 400 }
                for (shard, concurrency) in zip(queue.shards, [2, 2, 1, 1]) {
                    try await eventually("it is listed") {
                        let listed = try await JobWorkers(queue: shard).list()
                        return listed.map(\.id) == [worker.workerID] && listed[0].worker.concurrency == concurrency
                    }
                }
            }
            #expect(ledger.counts.count == 400)
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a worker that is told to stop in one shard stops in all")
    func stop() async throws {
        try await withShards { queue, _ in
            let worker = worker(of: queue, concurrency: 1, Ledger())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                try await eventually("it is listed in all shards") {
                    for shard in queue.shards {
                        if try await JobWorkers(queue: shard).list().isEmpty { return false }
                    }
                    return true
                }
                #expect(try await JobWorkers(queue: queue.shards[2]).order(id: worker.workerID, .stop) == .told)
                try await group.waitForAll()
            }
            for shard in queue.shards {
                try await eventually("it has signed off") { try await JobWorkers(queue: shard).list().isEmpty }
            }
        }
    }

    @Test("a configuration that can't work ends the worker with its reason")
    func configuration() async throws {
        try await withShards { queue, _ in
            let worker = ShardedJobWorker(
                queue: queue, configuration: quickWorker { $0.batch = 0 }, handlers: [], logger: quiet)
            let error = await #expect(throws: JobError.self) { try await worker.run() }
            #expect(error?.description.contains("batch is 1 to 500") == true)
        }
    }

    @Test("in a cluster the shards are on several masters, and a worker serves them all")
    func cluster() async throws {
        // A master that is only starved for a moment must not be replaced.
        let cluster = try await RedisCluster.start(replicas: 1, arguments: ["--cluster-node-timeout", "15000"])
        defer { cluster.stop() }
        try await withClient(try RedisConfiguration(url: cluster.url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            let queue = try ShardedJobQueue(name: QueueName("s"), shards: 8, redis: redis)
            var masters: Set<Int> = []
            for shard in queue.shards {
                let slot = try await redis.send(["CLUSTER", "KEYSLOT", RedisArgument(shard.keys.jobs)]).expectInt()
                masters.insert(cluster.owner(of: slot))
            }
            #expect(masters.count > 1)
            let ledger = Ledger()
            try await run(worker(of: queue, concurrency: 16, ledger)) {
                try await queue.enqueue((0..<500).map(add), durability: .replicated(1, within: .seconds(30)))
                try await eventually("all ran") { ledger.total == 500 }
                try await queue.enqueue(Add(), id: JobID("one"))
                try await eventually("an idle shard is woken") { ledger.total == 501 }
                try await eventually("all are completed") { try await queue.counts().completed == 501 }
            }
            let counts = try await queue.counts()
            #expect(counts.isBalanced && counts.enqueued == 501)
            #expect(try await queue.cancel([JobID("one")]) == [.unknown])
        }
    }

    private func worker(of queue: ShardedJobQueue, concurrency: Int, _ ledger: Ledger) -> ShardedJobWorker {
        ShardedJobWorker(
            queue: queue,
            configuration: quickWorker {
                $0.concurrency = concurrency
                $0.presenceInterval = .milliseconds(50)
            }, handlers: [.each(Add.self) { _, context in ledger.ran(context.id) }], logger: quiet)
    }

    private func run(_ worker: ShardedJobWorker, _ body: () async throws -> Void) async throws {
        try await withServices([worker], body)
    }
}
