import Bench
import Foundation
import GameModel
import Jobs
import Redis
import TestSupport
import Testing

@Suite("Queue: workers that die, freeze or have a wrong clock") struct QueueWorkerFaultTests {
    @Test("kill -9 of workers under load: every job runs, none twice, those under way begin again with another worker")
    func killed() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        try await withTrial(server.url) { trial in
            // The lease that workers have by default, and jobs that take so long that no worker is ever idle.
            func start() async throws -> GuardedProcess { try await trial.startWorker(jobMs: 60, leaseMs: 5_000) }
            var workers = [try await start(), try await start(), try await start()]
            var kills: [Int32: Instant] = [:]
            async let filling: Void = trial.fill(0..<4_000)
            for (round, effects) in [400, 900, 1_400, 1_900, 2_400].enumerated() {
                try await trial.effects(reach: effects)
                kills[workers[round % 3].pid] = .now
                workers[round % 3].end()
                workers[round % 3] = try await start()
            }
            try await filling
            try await trial.settle()
            let books = try await trial.close()
            let reruns = try await trial.reruns(after: kills)
            #expect(!reruns.isEmpty, "a kill under load meets jobs that are under way")
            trial.report("kill -9 of workers", books, reruns.rerunWords)
        }
    }

    @Test("a worker that was stopped beyond its lease and goes on: its writes and its ends of attempts are refused")
    func stopped() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        try await withTrial(server.url) { trial in
            // So long that only the loss of its lease ends a job of the first worker, and that is not lost before.
            let first = try await trial.startWorker(concurrency: 8, jobMs: 600_000, leaseMs: 5_000)
            try await trial.enqueue(0..<8)
            try await eventually("the first worker has begun") { try await trial.ledger.attempts().count == 8 }
            first.signal(SIGSTOP)
            let second = try await trial.startWorker(concurrency: 8, jobMs: 2_000, leaseMs: 30_000)
            try await eventually("the second has begun too") { try await trial.ledger.attempts().count == 16 }
            // The second may have ended some by now.
            #expect(try await trial.ledger.effectsByWorker()[first.pid] == nil)
            first.signal(SIGCONT)
            try await eventually("each write of the first is refused") {
                try await trial.ledger.refusalsByWorker() == [first.pid: 8]
            }
            try await trial.settle()
            #expect(try await trial.ledger.effectsByWorker() == [second.pid: 8])
            #expect(try await trial.queue.counts().completed == 8, "the ends of the first are not counted")

            second.end()
            try await trial.enqueue(8..<16, ms: 1)
            try await trial.settle()
            #expect(try await trial.ledger.effectsByWorker() == [second.pid: 8, first.pid: 8], "it works on")
            let books = try await trial.close()
            trial.report("SIGSTOP of a worker beyond its lease, then SIGCONT", books, "8 of 8 late writes refused")
        }
    }

    @Test("workers whose clocks are hours ahead or behind: no lease breaks, and no job runs before it is due")
    func wrongClock() async throws {
        let clock = try WrongClock()
        defer { clock.remove() }
        let server = try await RedisServer.start()
        defer { server.stop() }
        try await withTrial(server.url) { trial in
            var offsets: [Int32: Double] = [:]
            for hours in [5, -5, 0] {
                let worker = try await trial.startWorker(
                    concurrency: 4, leaseMs: 30_000, environment: clock.environment(hours: hours))
                offsets[worker.pid] = Double(hours)
            }
            try await eventually("all three wait for work") {
                try await trial.redis.send(["INFO", "clients"]).expectString().contains("blocked_clients:3\r\n")
            }
            let later = (0..<50).map { (id: JobID("later-\($0)") as JobID?, job: LedgerJob(n: $0)) }
            try await trial.queue.enqueue(later, delay: .seconds(3_600))
            try await trial.fill(0..<1_500)
            try await trial.settle(later: 50)
            for attempt in try await trial.ledger.attempts() {
                let offset = try #require(offsets[attempt.worker])
                let measured = (attempt.beganAt - .now).inSeconds / 3_600
                try #require(abs(measured - offset) < 1, "the clock is wrong by \(offset) h, and not by \(measured) h")
            }
            #expect(try await trial.ledger.effectsByWorker().keys.sorted() == offsets.keys.sorted())
            #expect(try await trial.queue.counts().recovered == 0)
            let books = try await trial.close()
            trial.report("worker clocks 5 hours ahead and behind", books, "0 leases broken, 0 of 50 run early")
        }
    }
}
