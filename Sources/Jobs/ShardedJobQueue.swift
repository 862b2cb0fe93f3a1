import GameModel
import Redis

/// One logical queue over several queues, its shards, each in a slot of its own: so that more than one master of a
/// Redis Cluster carries it. `ShardedJobWorker` runs its jobs.
///
/// A job goes to the shard of its route: its unique key, else its limit key (`JobOptions.key`), else its id; by FNV-1a
/// of the route's bytes, modulo the number of shards, the same in every process and version. So over the whole queue
/// - a unique key has one live job, and an id one job of its route (the same id under another key is another job);
/// - the jobs of a limit key run in order and within its limits, where they have no unique key besides.
///
/// Order, priorities and turns hold per shard, and what a call does in several shards is not done at one moment. Jobs
/// with a callback (`enqueueBatch`) must share a queue: give them to one shard.
///
/// The number of shards is for good: with another one, keys lead elsewhere. To change it, drain the queue first, or
/// begin one of another name. Some times as many shards as masters spread the load evenly.
public struct ShardedJobQueue: JobEnqueuing {
    public static let shardCounts = 2...64

    public let name: QueueName
    /// `<name>.0`, `<name>.1` …
    public let shards: [JobQueue]

    /// - Parameter shards: 2 to 64.
    /// - Throws: `invalid` for another number, or a name that leaves no room for the shards' numbers.
    public init(name: QueueName, shards count: Int, redis: RedisClient) throws(JobError) {
        guard Self.shardCounts.contains(count) else { throw .invalid("a queue has 2 to 64 shards, not \(count)") }
        self.name = name
        var shards: [JobQueue] = []
        for index in 0..<count {
            guard let own = QueueName(rawValue: "\(name.rawValue).\(index)") else {
                throw .invalid("\(name).\(index) can't name a queue: at most 64 of a-z, 0-9, and : - . _")
            }
            shards.append(JobQueue(name: own, redis: redis))
        }
        self.shards = shards
    }

    /// The shard that a unique key, a limit key or an id leads to.
    public func shard(for route: String) -> JobQueue { shards[index(of: route)] }

    private func index(of route: String) -> Int { Int(SplitMix64.seed(of: route) % UInt64(shards.count)) }

    private func index(of job: EncodedJob) -> Int {
        index(of: job.options.unique?.key ?? job.options.key ?? job.id.rawValue)
    }

    // MARK: Putting in

    /// Enqueues jobs: those of one shard in the order given, the shards at the same time.
    /// - Returns: the replies in the order of the jobs.
    /// - Throws: what one of the shards failed with; the others may have their jobs. Repeat all.
    @discardableResult
    public func enqueue(
        encoded jobs: [EncodedJob], durability: Durability
    ) async throws(JobError) -> [EnqueueReply] {
        // One bad job is refused before any shard has any.
        for job in jobs { try job.validate() }
        var places = [[Int]](repeating: [], count: shards.count)
        for (place, job) in jobs.enumerated() { places[index(of: job)].append(place) }
        let answers = try await atShards(places.indices.filter { !places[$0].isEmpty }) {
            [places] (index, shard) async throws(JobError) in
            let replies = try await shard.enqueue(encoded: places[index].map { jobs[$0] }, durability: durability)
            return zip(places[index], replies).map { ($0, $1) }
        }
        return answers.joined().sorted { $0.0 < $1.0 }.map(\.1)
    }

    // MARK: Single jobs

    /// As `JobQueue.cancel`.
    public func cancel(_ ids: [JobID]) async throws(JobError) -> [CancelReply] {
        try await find(ids, unknown: .unknown) { shard, ids async throws(JobError) in try await shard.cancel(ids) }
    }

    /// As `JobQueue.redrive`.
    public func redrive(_ ids: [JobID]) async throws(JobError) -> [RedriveReply] {
        try await find(ids, unknown: .unknown) { shard, ids async throws(JobError) in try await shard.redrive(ids) }
    }

    /// As `JobQueue.purge`.
    public func purge(_ ids: [JobID]) async throws(JobError) -> [Bool] {
        try await find(ids, unknown: false) { shard, ids async throws(JobError) in try await shard.purge(ids) }
    }

    /// As `JobQueue.bury`.
    public func bury(_ id: JobID, as bury: Bury) async throws(JobError) -> BuryReply {
        try await find(id, unknown: .unknown) { shard async throws(JobError) in try await shard.bury(id, as: bury) }
    }

    /// As `JobQueue.result`.
    public func result(of id: JobID) async throws(JobError) -> JobResult? {
        try await find(id, unknown: nil) { shard async throws(JobError) in try await shard.result(of: id) }
    }

    /// As `JobQueue.progress`.
    public func progress(of id: JobID) async throws(JobError) -> JobProgress? {
        try await find(id, unknown: nil) { shard async throws(JobError) in try await shard.progress(of: id) }
    }

    private func find<Reply: Hashable & Sendable>(
        _ id: JobID, unknown: Reply, _ call: @escaping @Sendable (JobQueue) async throws(JobError) -> Reply
    ) async throws(JobError) -> Reply {
        let replies = try await find([id], unknown: unknown) { shard, _ async throws(JobError) in
            [try await call(shard)]
        }
        return replies.first ?? unknown
    }

    /// Asks the shards of the ids themselves first, as most jobs have no key, and of those that are unknown there all
    /// other shards.
    private func find<Reply: Hashable & Sendable>(
        _ ids: [JobID], unknown: Reply,
        _ call: @escaping @Sendable (JobQueue, [JobID]) async throws(JobError) -> [Reply]
    ) async throws(JobError) -> [Reply] {
        var replies = [Reply](repeating: unknown, count: ids.count)
        let homes = ids.map { index(of: $0.rawValue) }
        for isAtHome in [true, false] {
            let open = ids.indices.filter { replies[$0] == unknown }
            let places = shards.indices.map { shard in open.filter { (homes[$0] == shard) == isAtHome } }
            let answers = try await atShards(places.indices.filter { !places[$0].isEmpty }) {
                (index, shard) async throws(JobError) in
                zip(places[index], try await call(shard, places[index].map { ids[$0] })).map { ($0, $1) }
            }
            for (place, reply) in answers.joined() where reply != unknown { replies[place] = reply }
        }
        return replies
    }

    // MARK: Several shards

    /// Runs the body for some shards at the same time; what it answers comes in the order of the shards.
    /// - Throws: what it threw for the first of those for which it did; it ran for the others all the same.
    func atShards<T: Sendable>(
        _ indices: [Int], _ body: @escaping @Sendable (Int, JobQueue) async throws(JobError) -> T
    ) async throws(JobError) -> [T] {
        let outcomes = await withTaskGroup(of: (Int, Result<T, JobError>).self) { group in
            for index in indices {
                let shard = shards[index]
                group.addTask {
                    do throws(JobError) {
                        return (index, .success(try await body(index, shard)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var outcomes: [(index: Int, result: Result<T, JobError>)] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes.sorted { $0.index < $1.index }
        }
        var answers: [T] = []
        for outcome in outcomes { answers.append(try outcome.result.get()) }
        return answers
    }
}
