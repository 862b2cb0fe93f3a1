import GameModel
import Jobs
import JobsTesting
import Synchronization
import Testing

/// Code under test as users have it: it enqueues, and does not know whether Redis is behind.
private struct SignUp {
    let queue: any JobEnqueuing

    func register(_ address: String) async throws {
        try await queue.enqueue(Welcome(address: address), id: JobID("welcome.\(address)"))
        try await queue.enqueue(Remind(address: address), delay: .seconds(86_400))
    }
}

private struct Welcome: Job {
    static let kind = "mail.welcome"
    static let options = JobOptions(maxAttempts: 3, backoff: .fixed(.seconds(10)))
    let address: String
}

private struct Remind: Job {
    static let kind = "mail.remind"
    let address: String
}

private struct MailServerIsAway: Error {}

/// What the handlers of these tests did, in order.
private final class Sent: Sendable {
    private let lines = Mutex<[String]>([])
    func note(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

@Suite struct TestQueueTests {
    private let queue = TestQueue()
    private let sent = Sent()

    /// Notes the address; fails so many times first.
    private func mail(failing times: Int = 0) -> JobHandler {
        .each(Welcome.self) { [sent] job, context in
            guard context.attempt > times else { throw MailServerIsAway() }
            sent.note(job.address)
        }
    }

    @Test("what code enqueues is seen, run at once where it is due, and later when its time has come")
    func example() async throws {
        try await SignUp(queue: queue).register("ada@example.org")
        #expect(try queue.enqueued(Welcome.self).map(\.address) == ["ada@example.org"])
        let remind = JobHandler.each(Remind.self) { [sent] job, _ in sent.note("again \(job.address)") }

        #expect(await queue.runOne([mail(), remind])?.end == .completed)
        #expect(await queue.runOne([mail(), remind]) == nil)
        let reminder = try #require(try queue.jobs(of: Remind.self).first)
        #expect(reminder.state == .scheduled && reminder.dueAt == queue.clock.now + .seconds(86_400))

        queue.advance(by: .seconds(86_400))
        #expect(try await queue.runAll([mail(), remind]).map(\.kind) == ["mail.remind"])
        #expect(sent.all == ["ada@example.org", "again ada@example.org"])
        #expect(queue.counts().completed == 2 && queue.counts().isBalanced)
    }

    @Test("a failed attempt comes back after its backoff, and the last one is buried")
    func retries() async throws {
        try await queue.enqueue(Welcome(address: "ada"), id: JobID("w"))
        let failed = TestRun.End.failed("MailServerIsAway()", retryAfter: .seconds(10))
        #expect(await queue.runOne([mail(failing: 9)])?.end == failed)
        #expect(await queue.runOne([mail()]) == nil)
        #expect(queue.advanceToNextDue() == .seconds(10))
        #expect(await queue.runOne([mail(failing: 9)])?.end == failed)
        queue.advance(by: .seconds(10))
        let last = try #require(await queue.runOne([mail(failing: 9)]))
        #expect(last.attempt == 3 && last.end == .buried(Bury("MailServerIsAway()")))

        let letter = try #require(queue.dead.first)
        #expect(letter.id == JobID("w") && letter.reason == .handlerError && letter.attempt == 3)
        #expect(queue.redrive([JobID("w")]) == [.available])
        let again = try #require(await queue.runOne([mail()]))
        #expect(again.attempt == 1 && again.isCompleted && queue.dead.isEmpty)
    }

    @Test("a handler's retry policy, burial and hook are those of a real worker")
    func judgement() async throws {
        let hook: JobHandler.BuryHook<Welcome> = { [sent] job, _, bury in
            sent.note("\(job?.address ?? "?") \(bury.reason)")
        }
        let buries = JobHandler.each(Welcome.self, onBury: hook) { job, _ in throw Bury("no such address") }
        let unsure = JobHandler.each(Welcome.self, onBury: hook) { _, _ in throw MailServerIsAway() }
            .retrying { _, context in context.attempt == 1 ? .after(.seconds(3)) : .bury(.oversize) }
        try await queue.enqueue(Welcome(address: "ada"))
        #expect(await queue.runOne([buries])?.end == .buried(Bury("no such address")))
        try await queue.enqueue(Welcome(address: "grace"))
        #expect(await queue.runOne([unsure])?.end == .failed("MailServerIsAway()", retryAfter: .seconds(3)))
        queue.advance(by: .seconds(3))
        #expect(await queue.runOne([unsure])?.end == .buried(Bury("MailServerIsAway()", reason: .oversize)))
        #expect(sent.all == ["ada handlerError", "grace oversize"])
        #expect(queue.dead.map(\.reason) == [.handlerError, .oversize])
    }

    @Test("a snooze and a want of a handler use up no attempt")
    func snooze() async throws {
        try await queue.enqueue(Welcome(address: "ada"))
        let busy = JobHandler.each(Welcome.self) { _, context in try context.snooze(.seconds(7)) }
        #expect(await queue.runOne([busy])?.end == .snoozed(.seconds(7)))
        #expect(queue.advanceToNextDue() == .seconds(7))
        #expect(await queue.runOne([])?.end == .handedBack)
        #expect(queue.advanceToNextDue() == .seconds(5))
        #expect(await queue.runOne([mail()])?.attempt == 1)
    }

    @Test("runAll runs what handlers enqueue, and says so where that has no end")
    func runAll() async throws {
        let queue = queue
        let chain = JobHandler.each(Welcome.self) { job, _ in
            if job.address.count < 5 { try await queue.enqueue(Welcome(address: job.address + "a")) }
        }
        try await queue.enqueue(Welcome(address: "a"))
        #expect(try await queue.runAll([chain]).count == 5)

        let restless = JobHandler.each(Welcome.self) { _, context in try context.snooze(.zero) }
        try await queue.enqueue(Welcome(address: "a"), id: JobID("restless"))
        let error = await #expect(throws: TestQueueError.self) { try await queue.runAll([restless], limit: 50) }
        #expect(error == .neverDone(runs: 50, kind: "mail.welcome", id: JobID("restless"), itsRuns: 50))
    }

    @Test("jobs that come too late are buried: started after their time, or tried again past their age")
    func tooLate() async throws {
        try await queue.enqueue(Welcome(address: "ada"), options: JobOptions(startWithin: .seconds(5)))
        queue.advance(by: .seconds(6))
        let run = try #require(await queue.runOne([mail()]))
        #expect(run.attempt == 0 && run.end == .buried(Bury("not started within 5000 ms", reason: .expired)))
        let options = JobOptions(backoff: .fixed(.seconds(10)), giveUpAfter: .seconds(15))
        try await queue.enqueue(Welcome(address: "grace"), options: options)
        #expect(try await queue.runAll([mail(failing: 9)]).count == 1)
        queue.advance(by: .seconds(10))
        #expect(try await queue.runAll([mail(failing: 9)]).count == 1)
        #expect(queue.dead.map(\.error) == ["not started within 5000 ms", "given up, 10.0 s old: MailServerIsAway()"])
        #expect(sent.all.isEmpty)
    }

    @Test("progress is seen while a job runs, its result while it is kept")
    func results() async throws {
        let (queue, sent) = (queue, sent)
        let counts = JobHandler.each(Welcome.self) { job, context in
            try await context.progress(0.5, "half of it")
            sent.note(queue.progress(of: context.id)?.text ?? "nothing")
            try context.setResult(job.address.count)
        }
        let id = JobID("w")
        try await queue.enqueue(Welcome(address: "ada"), id: id, options: JobOptions(keepResult: .seconds(60)))
        #expect(await queue.runOne([counts])?.isCompleted == true)
        #expect(sent.all == ["half of it"] && queue.progress(of: id) == nil)
        #expect(try queue.result(of: id)?.decode(as: Int.self) == 3)
        queue.advance(by: .seconds(60))
        #expect(queue.results.isEmpty)
    }

    @Test("a batch's callback runs when all of it is done")
    func batches() async throws {
        let callback = try EncodedJob(Remind(address: "all"), id: JobID("all"))
        let jobs = try ["ada", "grace"].map { try EncodedJob(Welcome(address: $0), id: JobID($0)) }
        try await queue.enqueueBatch(jobs, then: callback)
        let handlers = [mail(), JobHandler.each(Remind.self) { [sent] job, _ in sent.note("then \(job.address)") }]
        #expect(await queue.runOne(handlers)?.isCompleted == true)
        #expect(try queue.jobs(of: Remind.self).map(\.state) == [.blocked])
        try await queue.runAll(handlers)
        #expect(sent.all == ["ada", "grace", "then all"])
    }

    @Test("a handler of batches gets the jobs that wait together, undecodable ones apart")
    func batchHandler() async throws {
        for name in ["ada", "grace", "mary"] { try await queue.enqueue(Welcome(address: name), id: JobID(name)) }
        try await queue.enqueue(encoded: [EncodedJob(id: JobID("junk"), kind: Welcome.kind, payload: [0])])
        let handler = JobHandler.batch(Welcome.self, limit: 10) { [sent] jobs in
            sent.note(jobs.map(\.0.address).joined(separator: " "))
            return [JobID("grace"): MailServerIsAway()]
        }
        let runs = try await queue.runAll([handler])
        #expect(sent.all == ["ada grace mary"] && runs.filter(\.isCompleted).map(\.id.rawValue) == ["ada", "mary"])
        #expect(queue.dead.map(\.reason) == [.undecodable])
    }

    @Test("keys take turns and priorities go first, as in the real queue")
    func order() async throws {
        for (name, key) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", nil)] {
            try await queue.enqueue(Welcome(address: name), options: JobOptions(priority: 1, key: key))
        }
        try await queue.enqueue(Welcome(address: "first"), options: JobOptions(priority: 0))
        try await queue.runAll([mail()])
        #expect(sent.all == ["first", "a1", "c1", "b1", "a2", "a3"])
    }

    @Test("a queue's limits hold: unique keys, budgets, rates, a pause and a drain")
    func limits() async throws {
        let unique = JobOptions(unique: Uniqueness("ada"))
        try await queue.enqueue(Welcome(address: "ada"), id: JobID("w"), options: unique)
        #expect(
            try await queue.enqueue(Welcome(address: "ada"), id: JobID("x"), options: unique)
                == .notUnique(JobID("x"), holder: JobID("w")))
        try queue.changeLimits { $0.jobsMax = 2 }
        try await queue.enqueue(Welcome(address: "grace"))
        #expect(try await queue.enqueue(Welcome(address: "mary"), id: JobID("m")) == .full(JobID("m")))
        try queue.changeLimits { limits in
            limits.jobsMax = nil
            limits.rate = RateLimit(1, per: .seconds(10), burst: 1)
        }
        queue.drain()
        #expect(try await queue.enqueue(Welcome(address: "mary"), id: JobID("m")) == .draining(JobID("m")))
        queue.pause()
        #expect(try await queue.runAll([mail()]).isEmpty)
        queue.resume()
        #expect(try await queue.runAll([mail()]).count == 1)
        #expect(queue.advanceToNextDue() == .seconds(10))
        #expect(try await queue.runAll([mail()]).count == 1)
        #expect(sent.all == ["ada", "grace"])
        #expect(throws: JobError.self) { try queue.changeLimits { $0.concurrency = 0 } }
    }

    @Test("what a cancelled job's handler answers is refused")
    func cancelled() async throws {
        let queue = queue
        let suicidal = JobHandler.each(Welcome.self) { _, context in
            #expect(queue.cancel([context.id]) == [.cancelled])
        }
        try await queue.enqueue(Welcome(address: "ada"), id: JobID("w"))
        #expect(await queue.runOne([suicidal])?.end == .refused)
        try await queue.enqueue(Welcome(address: "ada"), id: JobID("w"))
        #expect(queue.cancel([JobID("w")]) == [.cancelled])
        try await queue.enqueue(Welcome(address: "grace"))
        #expect(try await queue.runAll([mail()]).count == 1)
        let counts = queue.counts()
        #expect(counts.cancelled == 2 && counts.completed == 1 && counts.isBalanced)
    }

    @Test("the same seed gives the same ids and the same waits")
    func seeds() async throws {
        func play(_ seed: UInt64) async throws -> [String] {
            let queue = TestQueue(seed: seed)
            let reply = try await queue.enqueue(Welcome(address: "ada"), options: JobOptions(maxAttempts: 2))
            let run = await queue.runOne([mail(failing: 9)])
            let wait = try await queue.enqueue(
                Remind(address: "ada"), options: JobOptions(backoff: .fixed(.seconds(60), jitter: 0.5)))
            let other = await queue.runOne([.each(Remind.self) { _, _ in throw MailServerIsAway() }])
            return ["\(reply)", "\(String(describing: run))", "\(wait)", "\(String(describing: other))"]
        }
        #expect(try await play(7) == play(7))
        #expect(try await play(7) != play(8))
    }

    @Test("code that takes any queue gets the same answers from a real one")
    func bothQueues() async throws {
        func play(_ queue: some JobBatchEnqueuing) async throws -> [EnqueueReply] {
            let id = JobID("w")
            let options = JobOptions(unique: Uniqueness("ada"))
            var replies = [try await queue.enqueue(Welcome(address: "ada"), id: id, options: options)]
            replies.append(try await queue.enqueue(Welcome(address: "ada"), id: id))
            replies.append(try await queue.enqueue(Welcome(address: "ada"), id: JobID("x"), options: options))
            replies += try await queue.enqueue([
                (id: JobID("y"), job: Welcome(address: "y")), (id: JobID("y"), job: Welcome(address: "y")),
            ])
            replies += try await queue.enqueueBatch(
                [EncodedJob(Welcome(address: "z"), id: JobID("z"))],
                then: EncodedJob(Remind(address: "z"), id: JobID("r")))
            return replies
        }
        let played = try await play(queue)
        #expect(played.map(\.isAdded) == [true, false, false, true, false, true, true])
        try await withQueue { real, _ in
            let answers = try await play(real)
            #expect(answers == played)
        }
    }
}
