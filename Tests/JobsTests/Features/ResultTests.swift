import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

private struct Score: Codable, Sendable, Equatable {
    var points: Int
}

@Suite struct ResultTests {
    private let keeping = JobOptions(backoff: .fixed(.milliseconds(1)), keepResult: .seconds(3600))

    @Test("a result is kept with the record of its job, and can be waited for")
    func kept() async throws {
        try await withQueue { queue, _ in
            let handler = JobHandler.each(Errand.self) { job, context in
                if context.attempt == 1 { throw JobError.invalid("once") }
                try context.setResult(Score(points: 1))
                try context.setResult(Score(points: job.n))
            }
            try await queue.enqueue(Errand(n: 7), id: JobID("a"), options: keeping)
            let worker = JobWorker(
                queue: queue, configuration: patient(), handlers: [handler], logger: quiet, workerID: "w1")
            try await withWorkers([worker]) {
                let result = try #require(try await queue.waitForResult(of: JobID("a"), timeout: .seconds(60)))
                #expect(try result.decode() == Score(points: 7))
                #expect(result.kind == Errand.kind && result.attempt == 2 && result.worker == "w1")
                #expect(result.enqueuedAt <= result.leasedAt && result.leasedAt <= result.completedAt)
            }
            #expect(try await queue.waitForResult(of: JobID("nobody"), timeout: .milliseconds(10)) == nil)
        }
    }

    @Test("a job that keeps a result without giving one leaves its record; one that keeps none can't set one")
    func withoutResult() async throws {
        try await withQueue { queue, _ in
            let handler = JobHandler.each(Errand.self) { job, context in
                if job.n == 1 { try context.setResult(job.n) }
            }
            try await queue.enqueue(Errand(n: 0), id: JobID("record"), options: keeping)
            try await queue.enqueue(Errand(n: 1), id: JobID("nowhere"), options: JobOptions(maxAttempts: 1))
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.settled() }
            #expect(try await queue.result(of: JobID("record"))?.value == [])
            #expect(try #require(try await queue.record("nowhere")?.error).contains("keepResult"))
        }
    }

    @Test("what a worker says after it lost its lease changes no result")
    func fenced() async throws {
        try await withQueue { queue, _ in
            func end(_ lease: Lease, _ result: String) async throws -> SettleReply? {
                try await queue.settle([
                    Settlement(
                        id: lease.id, token: lease.token, verb: .complete, hasExtras: true, result: Array(result.utf8))
                ]).first
            }
            try await queue.put("a", options: keeping)
            let lost = try #require(try await queue.reserve(limit: 1, lease: .zero).leases.first)
            let again = try #require(try await queue.take(1).first)
            #expect(try await end(lost, "early") == .refused)
            #expect(try await queue.result(of: JobID("a")) == nil)
            #expect(try await end(again, "good") == .done)
            #expect(try await end(lost, "late") == .unknown)
            #expect(try await queue.result(of: JobID("a"))?.value == Array("good".utf8))
        }
    }

    @Test("results are forgotten when their time is over")
    func age() async throws {
        try await withQueue { queue, _ in
            for (id, kept) in [("brief", Duration.milliseconds(1)), ("long", .seconds(3600))] {
                try await queue.put(id, options: JobOptions(keepResult: kept))
                try await queue.settle(try #require(try await queue.take(1).first))
            }
            try await queue.nextMoment()
            #expect(try await queue.retained() == [0, 1])
            #expect(try await queue.result(of: JobID("brief")) == nil)
            #expect(try await queue.result(of: JobID("long")) != nil)
        }
    }

    @Test("over their limit of bytes, those results go first that would go soonest")
    func bytes() async throws {
        try await withQueue { queue, _ in
            for (id, hours) in [("second", 2), ("third", 3), ("first", 1)] {
                try await queue.put(id, options: JobOptions(keepResult: .seconds(hours * 3600)))
                try await queue.settle(try #require(try await queue.take(1).first))
            }
            let bytes = try await queue.counts().resultBytes
            #expect(bytes > 0)
            try await queue.changeLimits { $0.resultBytes = bytes - 1 }
            #expect(try await queue.retained() == [0, 1])
            #expect(try await queue.result(of: JobID("first")) == nil)
            try await queue.changeLimits { $0.resultBytes = 1 }
            #expect(try await queue.retained() == [0, 2])
            #expect(try await queue.counts().resultBytes == 0)
        }
    }

    @Test("a running job's progress can be read from elsewhere, and is gone with its end")
    func progress() async throws {
        try await withQueue { queue, _ in
            let latch = Latch()
            let handler = JobHandler.each(Errand.self) { _, context in
                try await context.progress(0.25, "a quarter\nof it")
                await latch.wait()
            }
            try await queue.put("a")
            try await withWorkers([queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("it says so") { try await queue.progress(of: JobID("a")) != nil }
                let progress = try #require(try await queue.progress(of: JobID("a")))
                #expect(progress.fraction == 0.25 && progress.text == "a quarter of it")
                latch.open()
                try await queue.completed(1)
            }
            #expect(try await queue.progress(of: JobID("a")) == nil)
        }
    }

    @Test("progress of an attempt that lost its lease is refused, and tells its handler so")
    func progressFenced() async throws {
        try await withQueue { queue, _ in
            let (ledger, latch) = (Ledger(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                ledger.note("begun")
                await latch.wait()
                do {
                    try await context.progress(1, "in vain")
                } catch is CancellationError {
                    ledger.note("told")
                }
            }
            try await queue.put("a")
            try await withWorkers([queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("it runs") { ledger.noted == ["begun"] }
                _ = try await queue.cancel([JobID("a")])
                latch.open()
                try await eventually("it is told") { ledger.noted == ["begun", "told"] }
            }
            #expect(try await queue.progress(of: JobID("a")) == nil)
        }
    }
}
