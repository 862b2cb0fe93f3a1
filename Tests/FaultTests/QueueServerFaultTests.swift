import Bench
import Foundation
import GameModel
import Jobs
import Redis
import TestSupport
import Testing

@Suite("Queue: servers that die, move or are full") struct QueueServerFaultTests {
    // MARK: One server with an append-only file

    private func appending(_ fsync: String) -> [String] {
        ["--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0"]
    }

    @Test("kill -9 of Redis, AOF always: nothing that was acknowledged is lost")
    func killedAlways() async throws {
        try await crash("kill -9 of Redis, AOF always", appending("always"), mayLoseWithin: .zero)
    }

    @Test("kill -9 of Redis, AOF everysec: at most its last writes are lost, and nothing that an outbox row stands for")
    func killedEverySecond() async throws {
        // Redis puts a write off for up to two seconds while the disk is busy with the one before.
        try await crash("kill -9 of Redis, AOF everysec", appending("everysec"), mayLoseWithin: .seconds(3))
    }

    @Test("a power cut, AOF everysec: what was not on the disk yet is lost, and nothing that an outbox row stands for")
    func powerCut() async throws {
        try await crash("power cut, AOF everysec", appending("everysec"), mayLoseWithin: nil)
    }

    /// Kills the server under load and starts it again.
    /// - Parameter mayLoseWithin: how long before the kill a job that is lost was acknowledged at most. `nil`: a power
    ///   cut, which takes from the file whatever was written after a moment some hundred jobs ago.
    private func crash(_ fault: String, _ arguments: [String], mayLoseWithin: Duration?) async throws {
        let server = try await RedisServer.start(arguments: arguments)
        defer { server.stop() }
        try await withTrial(server.url) { trial in
            try await trial.withRelay { relay in
                for _ in 0..<2 { try await trial.startWorker() }
                async let filling: Void = trial.fill(0..<2_400, owedBy: relay)
                try await trial.effects(reach: 600)
                let moment = ContinuousClock.now
                let kept = mayLoseWithin == nil ? try await writtenLength(trial, server) : nil
                try await trial.effects(reach: 800)
                let before = ContinuousClock.now
                server.kill()
                let end = ContinuousClock.now
                if let kept { try FileHandle(forWritingTo: file(of: server)).truncate(atOffset: kept) }
                try await server.restart()
                try await filling
                try await trial.settle()
                let since = mayLoseWithin.map { before - $0 } ?? moment
                let books = try await trial.close { id in
                    guard let promised = trial.promised(id), !QueueTrial.isOwed(id) else { return false }
                    // By when it was asked for: that it was acknowledged may have been noted after the kill.
                    return promised >= since && trial.begun(id).map { $0 <= end } == true
                }
                trial.report(fault, books, kept.map { _ in "the file's last \(Self.text(end - moment)) gone" })
            }
        }
    }

    private static func text(_ duration: Duration) -> String {
        duration.inSeconds.formatted(.number.precision(.fractionLength(1))) + " s"
    }

    /// The file that the server appends to.
    private func file(of server: RedisServer) throws -> URL {
        let folder = URL(filePath: server.folder).appending(path: "appendonlydir")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return folder.appending(path: try #require(names.first { $0.hasSuffix(".incr.aof") }))
    }

    /// A length of the file that holds all that was acknowledged before this call.
    private func writtenLength(_ trial: QueueTrial, _ server: RedisServer) async throws -> UInt64 {
        try await eventually("the server holds no write back") {
            let info = try await trial.redis.send(["INFO", "persistence"]).expectString()
            return info.contains("aof_buffer_length:0\r\n")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: file(of: server).path)
        return try #require(attributes[.size] as? UInt64)
    }

    // MARK: Several servers

    @Test("a Sentinel failover under load: at most what was not replicated is lost, and nothing with an outbox row")
    func failover() async throws {
        let servers = try await RedisSentinels.start()
        defer { servers.stop() }
        try await withTrial(servers.url) { trial in
            try await trial.withRelay { relay in
                for _ in 0..<2 { try await trial.startWorker() }
                async let filling: Void = trial.fill(0..<2_400, owedBy: relay)
                try await trial.effects(reach: 800)
                let before = ContinuousClock.now
                servers.master.kill()
                try await filling
                try await trial.settle()
                let port = try await trial.redis.send(["CONFIG", "GET", "port"]).array?.last?.int
                #expect(port == servers.replica.port)
                let books = try await trial.close { id in
                    guard let promised = trial.promised(id), !QueueTrial.isOwed(id) else { return false }
                    return promised >= before - .seconds(1)
                }
                trial.report("Sentinel failover", books)
            }
        }
    }

    @Test("a cluster whose slot moves from master to master under load loses and doubles nothing")
    func movingSlot() async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        try await withTrial(cluster.url) { trial in
            let tag = RedisArgument("{\(QueueTrial.queueName)}")
            let slot = try await trial.redis.send(["CLUSTER", "KEYSLOT", tag]).expectInt()
            let first = cluster.owner(of: slot)
            for _ in 0..<2 { try await trial.startWorker() }
            async let filling: Void = trial.fill(0..<2_400)
            for step in 0..<4 {
                try await trial.effects(reach: 400 + 400 * step)
                let (source, target) = ((first + step) % 3, (first + step + 1) % 3)
                try await cluster.beginMove(slot: slot, from: source, to: target)
                let keys = try await cluster.send(
                    ["CLUSTER", "GETKEYSINSLOT", RedisArgument(slot), 100], to: source)
                // One by one, so that there is a time in which the queue is on both.
                for key in try keys.expectArray().compactMap(\.string) {
                    try await cluster.moveKey(RedisKey(key), from: source, to: target)
                }
                try await cluster.endMove(slot: slot, from: source, to: target)
            }
            try await filling
            try await trial.settle()
            let books = try await trial.close()
            trial.report("a slot that moves 4 times in a cluster of 3", books)
        }
    }

    // MARK: A full server

    @Test("a full Redis refuses new jobs in clear words, has the old ones run, and takes new ones once it may grow")
    func outOfMemory() async throws {
        let server = try await RedisServer.start(arguments: ["--maxmemory", "6mb", "--maxmemory-policy", "noeviction"])
        defer { server.stop() }
        try await withTrial(server.url) { trial in
            let padding = String(repeating: "x", count: 2_000)
            var refusal: JobError?
            var count = 0
            while refusal == nil, count < 10_000 {
                let jobs = (count..<count + 50).map {
                    (id: JobID("big-\($0)"), job: LedgerJob(n: $0, padding: padding))
                }
                do throws(JobError) {
                    try await trial.queue.enqueue(jobs.map { (id: $0.id as JobID?, job: $0.job) })
                    trial.promise(jobs.map(\.id))
                    count += 50
                } catch {
                    refusal = error
                }
            }
            let error = try #require(refusal)
            #expect(error.isOutage)
            #expect("\(error)".contains("out of memory") && "\(error)".contains("raise its maxmemory"), "\(error)")
            #expect(count > 500)
            #expect(try await trial.queue.counts().waiting == count, "a refused batch is refused as a whole")

            // Less than an empty server takes, so that it stays full while the jobs run.
            try await server.command("CONFIG SET maxmemory 100kb")
            try await trial.startWorker(jobMs: 1)
            try await trial.settle()
            await #expect(throws: JobError.self) { try await trial.queue.enqueue(LedgerJob(n: count)) }

            try await server.command("CONFIG SET maxmemory 0")
            try await trial.enqueue(0..<500)
            try await trial.settle()
            let books = try await trial.close()
            #expect(books.promised == count + 500)
            trial.report("Redis out of memory", books, "enqueue refused, \(count) jobs run while full")
        }
    }
}
