import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

/// A queue with a job of each state, named by it.
private func withEachState(_ body: (JobQueue, JobInspector) async throws -> Void) async throws {
    try await withQueue { queue, _ in
        let job = { (id: String, options: JobOptions) in try EncodedJob(Add(n: 1), id: JobID(id), options: options) }
        for (id, verb) in [("dead", Settlement.Verb.bury(Bury("boom"))), ("completed", .complete)] {
            try await queue.enqueue(encoded: [job(id, JobOptions(maxAttempts: 3, keepResult: .seconds(600)))])
            let lease = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            _ = try await queue.settle([
                Settlement(id: lease.id, token: lease.token, verb: verb, hasExtras: true, result: Array("[7]".utf8))
            ])
        }
        try await queue.enqueue(Add(), id: JobID("leased"))
        _ = try await queue.reserve(limit: 1, lease: .seconds(60))
        try await queue.enqueueBatch(
            [job("available", JobOptions(priority: 2))], then: job("blocked", JobOptions()))
        try await queue.enqueue(encoded: [job("keyed", JobOptions(priority: 1, key: "k"))])
        try await queue.enqueue(Add(), id: JobID("scheduled"), delay: .seconds(60))
        try await body(queue, JobInspector(queue: queue))
    }
}

extension JobInspector {
    fileprivate func ids(_ state: JobState, _ filter: JobFilter = JobFilter(), limit: Int = 100) async throws
        -> [String]
    {
        try await list(state: state, matching: filter, limit: limit).map(\.id.rawValue)
    }
}

@Suite struct InspectTests {
    @Test("each state lists just the jobs that are in it, and each job is found with its state")
    func states() async throws {
        try await withEachState { queue, inspector in
            for state in JobState.allCases {
                let expected = state == .available ? ["available", "keyed"] : [state.rawValue]
                let records = try await inspector.list(state: state)
                #expect(records.map(\.id.rawValue) == expected)
                #expect(records.allSatisfy { $0.state == state && $0.kind == Add.kind && $0.queue == queue.name })
                for id in expected { #expect(try await inspector.job(JobID(id))?.state == state) }
            }
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a record holds what is known of a job in its state")
    func records() async throws {
        try await withEachState { _, inspector in
            let dead = try #require(try await inspector.job(JobID("dead")))
            #expect(dead.reason == "handlerError" && dead.error == "boom" && dead.attempt == 1 && dead.maxAttempts == 3)
            #expect(dead.worker == "tester" && dead.buriedAt != nil && dead.history.map(\.end) == [.buried])
            #expect(dead.payload.map { String(decoding: $0, as: UTF8.self) } == #"{"n":1}"# && dead.payloadBytes == 7)
            let completed = try #require(try await inspector.job(JobID("completed")))
            #expect(completed.result == Array("[7]".utf8) && completed.attempt == 1 && completed.worker == "tester")
            let done = try #require(completed.completedAt)
            #expect(completed.keptUntil == done + .seconds(600) && completed.enqueuedAt.map { $0 <= done } == true)
            let keyed = try #require(try await inspector.job(JobID("keyed")))
            #expect(keyed.key == "k" && keyed.priority == 1 && keyed.attempt == 0 && keyed.worker == nil)
            #expect(try await inspector.job(JobID("available"))?.callback == JobID("blocked"))
            let scheduled = try #require(try await inspector.job(JobID("scheduled")))
            #expect(scheduled.dueAt == scheduled.enqueuedAt.map { $0 + .seconds(60) })
            let leased = try #require(try await inspector.job(JobID("leased")))
            #expect(leased.leaseEndsAt == leased.leasedAt.map { $0 + .seconds(60) })
            // Lists leave the payloads out.
            #expect(try await inspector.list(state: .dead).allSatisfy { $0.payload == nil && $0.payloadBytes == 7 })
        }
    }

    @Test("lists go over pages, next first where jobs wait and newest first where they have ended, up to the limit")
    func pages() async throws {
        try await withQueue { queue, _ in
            let inspector = JobInspector(queue: queue)
            let names = (0..<1_201).map { "j\($0)" }
            try await queue.enqueue(names.map { (id: JobID($0), job: Add()) })
            #expect(try await inspector.ids(.available, limit: 5_000) == names)
            #expect(try await inspector.ids(.available, limit: 3) == ["j0", "j1", "j2"])
            #expect(try await inspector.ids(.available, JobFilter(match: "j1200"), limit: 3) == ["j1200"])
            #expect(try await inspector.ids(.available, JobFilter(kind: "none")).isEmpty)
            for _ in 0..<3 {
                for lease in try await queue.reserve(limit: 500, lease: .seconds(60)).leases {
                    let settlement = Settlement(id: lease.id, token: lease.token, verb: .bury(Bury("boom")))
                    _ = try await queue.settle([settlement])
                }
            }
            let dead = try await inspector.list(state: .dead, limit: 5_000)
            #expect(Set(dead.map(\.id.rawValue)) == Set(names) && dead.count == names.count)
            #expect(zip(dead, dead.dropFirst()).allSatisfy { ($0.buriedAt ?? .now) >= ($1.buriedAt ?? .now) })
        }
    }

    @Test("blocked jobs are listed once each, however many they wait for, and jobs of keys each in its key's order")
    func crowds() async throws {
        try await withQueue { queue, _ in
            let inspector = JobInspector(queue: queue)
            for callback in ["c1", "c2", "c10"] {
                let jobs = try (0..<700).map { try EncodedJob(Add(n: $0), id: JobID("\(callback).\($0)")) }
                try await queue.enqueueBatch(jobs, then: try EncodedJob(Add(), id: JobID(callback)))
            }
            #expect(try await inspector.ids(.blocked).sorted() == ["c1", "c10", "c2"])
            #expect(try await inspector.ids(.blocked, limit: 2).count == 2)
        }
        try await withQueue { queue, _ in
            for key in ["b", "a"] {
                let jobs = (0..<600).map { (id: JobID("\(key)\($0)") as JobID?, job: Add(n: $0)) }
                try await queue.enqueue(jobs, options: JobOptions(key: key))
            }
            let ids = try await JobInspector(queue: queue).ids(.available, limit: 5_000)
            #expect(ids == ["a", "b"].flatMap { key in (0..<600).map { "\(key)\($0)" } })
        }
    }

    @Test("a filter holds where all that is set in it does")
    func filters() async throws {
        try await withQueue { queue, _ in
            let inspector = JobInspector(queue: queue)
            let letters: [(String, String, ReasonCode)] = [
                ("a1", "connection refused", .handlerError), ("a2", "no such file", .handlerError),
                ("b1", "Connection reset", .timeout),
            ]
            for (id, error, reason) in letters {
                try await queue.enqueue(Add(), id: JobID(id), options: JobOptions(key: "key-of-\(id)"))
                #expect(try await queue.bury(JobID(id), as: Bury(error, reason: reason)) == .buried)
            }
            func ids(_ filter: JobFilter) async throws -> [String] { try await inspector.ids(.dead, filter).sorted() }
            #expect(try await ids(JobFilter(error: "connection")) == ["a1", "b1"])
            #expect(try await ids(JobFilter(reason: "handlerError", error: "connection")) == ["a1"])
            #expect(try await ids(JobFilter(match: "a")) == ["a1", "a2"])
            #expect(try await ids(JobFilter(match: "key-of-b")) == ["b1"])
            #expect(try await ids(JobFilter(ids: [JobID("a2"), JobID("zz")])) == ["a2"])
            #expect(try await ids(JobFilter(kind: "test.other")).isEmpty)
            #expect(try await ids(JobFilter(olderThan: .seconds(3600))).isEmpty)
            #expect(try await ids(JobFilter(youngerThan: .seconds(3600))) == ["a1", "a2", "b1"])
        }
    }

    @Test("a life tells each attempt and what became of it, in order")
    func life() async throws {
        try await withQueue { queue, _ in
            let inspector = JobInspector(queue: queue)
            let id = JobID("a")
            func lease(for duration: Duration = .seconds(60)) async throws -> Lease {
                try #require(try await queue.reserve(limit: 1, lease: duration).leases.first)
            }
            func end(_ verb: Settlement.Verb) async throws {
                let lease = try await lease()
                _ = try await queue.settle([
                    Settlement(id: id, token: lease.token, verb: verb, hasExtras: true, result: Array("1".utf8))
                ])
            }
            try await queue.enqueue(Add(), id: id, options: JobOptions(maxAttempts: 9, keepResult: .seconds(60)))
            #expect(try await inspector.life(id).map(\.what) == [.enqueued])
            try await end(.release(after: .zero))
            _ = try await lease(for: .zero)
            try await end(.retry(after: .seconds(60), error: "boom"))
            var life = try await inspector.life(id)
            #expect(life.map(\.what) == [.enqueued, .handedBack, .crashed, .failed, .due])
            #expect(life.last?.at == (try await inspector.job(id))?.dueAt && life[3].durationMs != nil)
            _ = try await queue.redrive([id])
            try await end(.bury(Bury("enough")))
            life = try await inspector.life(id)
            #expect(life.map(\.what) == [.enqueued, .handedBack, .crashed, .failed, .buried, .dead])
            #expect(life.last?.text.contains("handlerError: enough") == true)
            _ = try await queue.redrive([id])
            let held = try await lease()
            #expect(try await queue.noteProgress(id, token: held.token, fraction: 0.5, text: "half"))
            life = try await inspector.life(id)
            #expect(life.suffix(4).map(\.what) == [.redriven, .leased, .progressed, .leaseEnds])
            _ = try await queue.settle([Settlement(id: id, token: held.token, verb: .complete, hasExtras: true)])
            life = try await inspector.life(id)
            #expect(life.suffix(3).map(\.what) == [.redriven, .completed, .resultDropped])
            #expect(zip(life, life.dropFirst()).allSatisfy { $0.at <= $1.at })
            #expect(try await inspector.life(JobID("nobody")).isEmpty)
        }
    }

    @Test("a state is read as the scripts write it, whatever its error holds, and nothing else is")
    func storedStates() throws {
        let state = try #require(
            StoredState(
                "M217640000000000010000123 3 1 20 w-1 - f1764000000000-1764000000120,c5-6,q1-2,h7 at line 3\n of x"))
        #expect(state.flag == .leasedWithExtras && state.isLeased && state.priority == 2)
        #expect(state.leasedAt == Instant(milliseconds: 1_764_000_000_000))
        #expect(state.attempt == 3 && state.crashes == 1 && state.maxAttempts == 20)
        #expect(state.worker == "w-1" && state.reason == nil && state.error == "at line 3\n of x")
        #expect(state.history.map(\.end) == [.failed, .crashed])
        #expect(state.history.first.map { $0.endedAt - $0.beganAt } == .milliseconds(120))
        let fresh = try #require(StoredState("D000000000000000000000099 0 0 5 - expired - "))
        #expect(fresh.leasedAt == nil && fresh.worker == nil && fresh.reason == "expired" && fresh.history.isEmpty)
        for wrong in [
            "", "W", "X217640000000000010000123 3 1 20 - - - ", "L2 1 1 1 - - - ", "L217640000000000010000123 x",
        ] {
            #expect(StoredState(wrong) == nil, "\(wrong)")
        }
    }

    @Test("spans of time are said in at most two units")
    func words() {
        let spans: [(Int64, String)] = [
            (-5, "0 ms"), (850, "850 ms"), (4_000, "4 s"), (4_250, "4.2 s"), (12_900, "12 s"), (180_000, "3 min"),
            (200_000, "3 min 20 s"), (7_500_000, "2 h 5 min"), (273_600_000, "3 d 4 h"),
        ]
        for (ms, words) in spans { #expect(Duration.milliseconds(ms).inWords == words) }
    }
}

@Suite struct DeadLetterTests {
    /// Buries so many jobs; every third as a time-out.
    private func bury(_ count: Int, in queue: JobQueue, payload: Int = 10) async throws {
        let jobs = (0..<count).map {
            EncodedJob(id: JobID("j\($0)"), kind: Add.kind, payload: [UInt8](repeating: 0x20, count: payload))
        }
        try await queue.enqueue(encoded: jobs)
        while true {
            let leases = try await queue.reserve(limit: 500, lease: .seconds(60)).leases
            if leases.isEmpty { break }
            let settlements = leases.map { lease in
                let isThird = (Int(lease.id.rawValue.dropFirst()) ?? 0).isMultiple(of: 3)
                let bury = Bury("error \(lease.id)", reason: isThird ? .timeout : .handlerError)
                return Settlement(id: lease.id, token: lease.token, verb: .bury(bury))
            }
            _ = try await queue.settle(settlements)
        }
        #expect(try await queue.counts().dead == count)
    }

    @Test("a count says what a filter holds for, by reason and kind, and changes nothing")
    func count() async throws {
        try await withQueue { queue, _ in
            let letters = DeadLetters(queue: queue)
            try await bury(1_201, in: queue)
            let all = try await letters.count()
            #expect(all.count == 1_201 && all.byReason == ["timeout": 401, "handlerError": 800])
            #expect(all.byKind == [Add.kind: 1_201] && all.payloadBytes == 12_010)
            #expect(try await letters.count(matching: JobFilter(reason: "timeout")).count == 401)
            #expect(try await letters.count(limit: 700).count == 700)
            #expect(try await letters.count(matching: JobFilter(error: "error j1200")).count == 1)
            #expect(try await queue.counts().dead == 1_201)
        }
    }

    @Test("those that a filter holds for are put back, over all pages, and no others")
    func redrive() async throws {
        try await withQueue { queue, _ in
            let letters = DeadLetters(queue: queue)
            try await bury(1_201, in: queue)
            #expect(try await letters.redrive(matching: JobFilter(reason: "timeout"), limit: 1).redriven == 1)
            #expect(try await letters.redrive(matching: JobFilter(reason: "timeout")).redriven == 400)
            var counts = try await queue.counts()
            #expect(counts.dead == 800 && counts.waiting == 401 && counts.isBalanced)
            #expect(try await letters.count().byReason == ["handlerError": 800])
            let some = JobFilter(ids: [JobID("j1"), JobID("j2"), JobID("j3"), JobID("nobody")])
            #expect(try await letters.redrive(matching: some).redriven == 2)
            #expect(try await letters.redrive().redriven == 798)
            counts = try await queue.counts()
            #expect(counts.dead == 0 && counts.waiting == 1_201 && counts.isBalanced)
        }
    }

    @Test("a letter whose unique key another job has now stays dead, and the rest go")
    func notUnique() async throws {
        try await withQueue { queue, _ in
            let unique = JobOptions(unique: Uniqueness("one"))
            try await queue.enqueue(Add(), id: JobID("old"), options: unique)
            try await queue.enqueue(Add(), id: JobID("plain"))
            for id in ["old", "plain"] { #expect(try await queue.bury(JobID(id), as: Bury("x")) == .buried) }
            try await queue.enqueue(Add(), id: JobID("new"), options: unique)
            let redriven = try await DeadLetters(queue: queue).redrive()
            #expect(redriven.redriven == 1 && redriven.notUnique == 1 && redriven.gone == 0)
            #expect(try await DeadLetters(queue: queue).list().map(\.id.rawValue) == ["old"])
        }
    }

    @Test("those that a filter holds for are purged, the oldest up to the limit, and no others")
    func purge() async throws {
        try await withQueue { queue, _ in
            let letters = DeadLetters(queue: queue)
            try await bury(1_201, in: queue)
            #expect(try await letters.purge(matching: JobFilter(olderThan: .seconds(3600))) == 0)
            #expect(try await letters.purge(matching: JobFilter(reason: "handlerError"), limit: 600) == 600)
            #expect(try await letters.count().byReason == ["timeout": 401, "handlerError": 200])
            #expect(try await letters.purge() == 601)
            let counts = try await queue.counts()
            #expect(counts.dead == 0 && counts.purged == 1_201 && counts.isBalanced)
        }
    }

    @Test("a page of payloads of half a megabyte is read in rounds, and none is missed")
    func largePayloads() async throws {
        try await withQueue { queue, _ in
            try await bury(40, in: queue, payload: EncodedJob.payloadBytesMax)
            let all = try await DeadLetters(queue: queue).count()
            #expect(all.count == 40 && all.payloadBytes == 40 * EncodedJob.payloadBytesMax)
        }
    }
}
