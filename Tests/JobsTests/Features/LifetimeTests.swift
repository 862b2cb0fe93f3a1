import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

private struct Flaky: Error, CustomStringConvertible {
    var description: String { "flaky" }
}
private struct Hopeless: Error, CustomStringConvertible {
    var description: String { "hopeless" }
}

@Suite struct LifetimeTests {
    @Test("a job that was not started in time is buried as expired and its hook told; one in time runs")
    func startWithin() async throws {
        try await withQueue { queue, _ in
            try await queue.put("late", options: JobOptions(startWithin: .milliseconds(1)))
            try await queue.put("early", options: JobOptions(startWithin: .seconds(3600)))
            try await queue.nextMoment()
            let ledger = Ledger()
            let handler = JobHandler.each(
                Errand.self,
                onBury: { _, context, bury in ledger.note("\(context.id) \(bury.reason) \(context.attempt)") },
                { _, context in ledger.ran(context.id) })
            try await withWorkers([queue.worker(patient(), handler)]) {
                try await queue.completed(1)
                try await eventually("the hook is told") { ledger.noted == ["late expired 0"] }
            }
            #expect(ledger.counts == [JobID("early"): 1])
            #expect(try await queue.record("late")?.reason == "expired")
            // Put back by hand, it runs however late.
            #expect(try await queue.redrive([JobID("late")]) == [.available])
            #expect(try await queue.takeIDs(1) == ["late"])
        }
    }

    @Test("a handler that takes too long is cancelled and its attempt failed; the last one buries as timeout")
    func timeoutHeeded() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(
                Errand.self,
                onBury: { _, context, bury in
                    // A hook can still work, though the handler before it was cancelled.
                    let counts = try await queue.counts()
                    ledger.note("\(bury.reason) at attempt \(context.attempt), \(counts.retried) retried")
                },
                { _, context in
                    ledger.ran(context.id)
                    try await hangUntilCancelled()
                })
            let options = JobOptions(maxAttempts: 2, backoff: .fixed(.milliseconds(1)), timeout: .milliseconds(30))
            try await queue.put("slow", options: options)
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.settled() }
            #expect(ledger.counts == [JobID("slow"): 2])
            #expect(ledger.noted == ["timeout at attempt 2, 1 retried"])
            let record = try #require(try await queue.record("slow"))
            #expect(record.reason == "timeout" && record.error == "timed out after 0.03 s")
        }
    }

    @Test(
        "the attempt of a handler that does not heed its time-out is ended all the same; what it then says is refused"
    )
    func timeoutUnheeded() async throws {
        try await withQueue { queue, _ in
            let (ledger, latch) = (Ledger(), Latch())
            let handler = JobHandler.each(
                Errand.self, onBury: { _, context, bury in ledger.note("\(context.id) \(bury.reason)") },
                { _, context in
                    await latch.wait()
                    ledger.ran(context.id)
                })
            try await queue.put("deaf", options: JobOptions(maxAttempts: 1, timeout: .milliseconds(10)))
            try await withWorkers([queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("it is buried") { try await queue.counts().dead == 1 }
                #expect(ledger.noted == ["deaf timeout"] && ledger.total == 0)
                latch.open()
                try await eventually("the handler ends") { ledger.total == 1 }
            }
            let counts = try await queue.counts()
            #expect(counts.dead == 1 && counts.completed == 0 && counts.isBalanced)
        }
    }

    @Test("a handler that is done in time is not disturbed by its time-out")
    func inTime() async throws {
        try await withQueue { queue, _ in
            try await queue.put("quick", options: JobOptions(timeout: .seconds(3600)))
            try await withWorkers([queue.worker(patient(), .each(Errand.self) { _, _ in })]) {
                try await queue.completed(1)
            }
        }
    }

    @Test("a failed job that would be over its give-up age at its next attempt is buried, whatever attempts are left")
    func giveUpAfter() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { _, context in
                ledger.ran(context.id)
                throw Flaky()
            }
            let options = JobOptions(maxAttempts: 9, backoff: .fixed(.seconds(60)), giveUpAfter: .seconds(30))
            try await queue.put("old", options: options)
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.settled() }
            let record = try #require(try await queue.record("old"))
            #expect(ledger.total == 1 && record.reason == "handlerError" && record.attempt == 1)
            #expect(try #require(record.error).hasPrefix("given up") && record.error?.hasSuffix("flaky") == true)
        }
    }

    @Test(
        "a retry policy of one's own decides by the error: again after a time, at once to the dead letters, or as usual"
    )
    func policy() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { job, context in
                ledger.ran(context.id)
                if job.n == 1 { throw Hopeless() }
                if context.attempt < 3 { throw Flaky() }
            }
            .retrying { error, context in
                ledger.note("\(context.id) \(context.attempt)")
                switch error {
                case is Flaky where context.attempt == 1: return .after(.milliseconds(1))
                case is Hopeless: return .bury(.undecodable)
                default: return .standard
                }
            }
            let options = JobOptions(maxAttempts: 5, backoff: .fixed(.milliseconds(1)))
            try await queue.enqueue(Errand(n: 0), id: JobID("flaky"), options: options)
            try await withWorkers([queue.worker(patient(), handler)]) {
                try await queue.completed(1)
                try await queue.enqueue(Errand(n: 1), id: JobID("hopeless"), options: options)
                try await queue.settled()
            }
            #expect(ledger.noted == ["flaky 1", "flaky 2", "hopeless 1"])
            #expect(ledger.counts == [JobID("flaky"): 3, JobID("hopeless"): 1])
            #expect(try await queue.record("hopeless")?.reason == "undecodable")
        }
    }

    @Test("a policy cannot give more attempts than the job has")
    func policyLimit() async throws {
        try await withQueue { queue, _ in
            let handler = JobHandler.each(Errand.self) { _, _ in throw Flaky() }.retrying { _, _ in
                .after(.milliseconds(1))
            }
            try await queue.put("a", options: JobOptions(maxAttempts: 3))
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.settled() }
            let record = try #require(try await queue.record("a"))
            #expect(record.attempt == 3 && record.reason == "handlerError")
        }
    }

    @Test(
        "a job whose worker died twice is quarantined, attempts left or not; its hook is told by whoever finds it"
    )
    func quarantine() async throws {
        try await withQueue { queue, _ in
            try await queue.put("poison")
            for _ in 0..<2 { #expect(try await queue.reserve(limit: 1, lease: .zero).leases.count == 1) }
            let ledger = Ledger()
            let handler = JobHandler.each(
                Errand.self, onBury: { _, context, bury in ledger.note("\(bury.reason) \(context.attempt)") },
                { _, context in ledger.ran(context.id) })
            try await withWorkers([queue.worker(patient(), handler)]) {
                try await eventually("the hook is told") { ledger.noted == ["crashed 2"] }
            }
            let record = try #require(try await queue.record("poison"))
            #expect(ledger.total == 0 && record.reason == "crashed" && record.crashes == 2 && record.maxAttempts == 20)
            #expect(record.history.count == 2)
        }
    }

    @Test("a job may take down as many workers as its options allow; put back by hand, it begins anew")
    func maxCrashes() async throws {
        try await withQueue { queue, _ in
            try await queue.put("tough", options: JobOptions(maxCrashes: 4))
            for _ in 0..<4 { #expect(try await queue.reserve(limit: 1, lease: .zero).leases.count == 1) }
            #expect(try await queue.reserve(limit: 1, lease: .zero).buried.map(\.reason) == [.crashed])
            #expect(try await queue.redrive([JobID("tough")]) == [.available])
            for attempt in 1...4 {
                #expect(try await queue.reserve(limit: 1, lease: .zero).leases.map(\.attempt) == [attempt])
            }
        }
    }
}
