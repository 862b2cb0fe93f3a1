import Foundation
import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

/// A job whose payload is a number.
private struct Mail: Job {
    static let kind = "mail.send"
    static let options = JobOptions(maxAttempts: 3)
    var n = 7
}

/// A queue of the house on a Redis of its own, and the commands on it.
private struct Desk {
    let queue: JobQueue
    let url: String

    func muster(_ words: String...) async throws -> MusterUp.Ending { try await muster(words) }

    func muster(_ words: [String]) async throws -> MusterUp.Ending {
        try await MusterUp.run(words + ["--redis", url])
    }

    /// A command that has to succeed; its output.
    func say(_ words: String...) async throws -> String {
        let ending = try await muster(words)
        try #require(ending.status == 0, "\(words): \(ending.errors)")
        let lines = ending.output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 }, "\(words) is wider than 100 columns:\n\(ending.output)")
        return ending.output
    }

    /// A command that has to succeed; its JSON.
    func json<T: Decodable>(_ type: T.Type = T.self, _ words: String...) async throws -> T {
        let ending = try await muster(words + ["--json"])
        try #require(ending.status == 0, "\(words): \(ending.errors)")
        return try JSONDecoder().decode(T.self, from: Data(ending.output.utf8))
    }

    /// A command that has to fail: it prints nothing on its output, and these words on standard error.
    func refuses(_ words: [String], saying parts: String...) async throws {
        let ending = try await muster(words)
        #expect(ending.status == 1 && ending.output.isEmpty, "\(words): \(ending.status) \(ending.output)")
        for part in parts { #expect(ending.errors.contains(part), "\(words): \(ending.errors)") }
    }

    func add(_ ids: String..., delay: Duration? = nil, options: JobOptions? = nil) async throws {
        for id in ids {
            #expect(try await queue.enqueue(Mail(), id: JobID(id), delay: delay, options: options).isAdded)
        }
    }

    func state(_ id: String) async throws -> JobState? { try await JobInspector(queue: queue).job(JobID(id))?.state }

    func bury(_ id: String, _ error: String, _ reason: ReasonCode = .handlerError) async throws {
        try await add(id)
        #expect(try await queue.bury(JobID(id), as: Bury(error, reason: reason)) == .buried)
    }
}

private func withDesk(_ body: (Desk) async throws -> Void) async throws {
    try await withRedis { redis, server in
        try await body(Desk(queue: JobQueue(name: QueueName("verify"), redis: redis), url: server.url))
    }
}

private struct Listed: Decodable {
    let jobs: [JobRecord]
    let isCut: Bool
}

@Suite struct JobsCommandTests {
    @Test("jobs ls lists what waits and runs, by state, kind and limit, and says where there is nothing")
    func list() async throws {
        try await withDesk { desk in
            let none = try await desk.say("jobs", "ls")
            #expect(none.contains("no jobs of the queues of the house are leased, available, scheduled, blocked"))
            try await desk.add("first", "second")
            try await desk.add("delayed", delay: .seconds(3600))
            try await desk.bury("buried", "no such mailbox")
            _ = try await desk.queue.reserve(limit: 1, lease: .seconds(3_600), worker: "postman")
            let table = try await desk.say("jobs", "ls")
            for words in [
                /first +leased +mail\.send +1\/3 .*postman/, /second +available/, /delayed +scheduled .*due in/,
            ] {
                #expect(table.contains(words), "\(table)")
            }
            #expect(!table.contains("buried"))
            let all = try await desk.json(Listed.self, "jobs", "ls", "--queue", "verify", "--state", "available")
            #expect(all.jobs.map(\.id.rawValue) == ["second"] && !all.isCut)
            let cut = try await desk.json(Listed.self, "jobs", "ls", "--limit", "2")
            #expect(cut.jobs.map(\.id.rawValue) == ["first", "second"] && cut.isCut)
            #expect(try await desk.say("jobs", "ls", "--limit", "2").contains("the first 2; --limit shows more"))
            let dead = try await desk.say("jobs", "ls", "--state", "dead")
            #expect(dead.contains("handlerError: no such mailbox"))
            #expect(try await desk.say("jobs", "ls", "--kind", "mail.read").contains("and match"))
        }
    }

    @Test("jobs show, why and trace speak of one job, wherever it is, as text and as JSON")
    func look() async throws {
        struct Why: Decodable {
            let id: String, queue: String, state: String
            let why: [String]
        }
        struct Trace: Decodable {
            let state: String
            let life: [LifeEvent]
        }
        struct Shown: Decodable {
            let id: String, queue: String, state: String, payloadForm: String
            let payload: Mail
            let maxAttempts: Int
        }
        try await withDesk { desk in
            try await desk.add("a")
            let shown = try await desk.say("jobs", "show", "a")
            for words in [/queue +verify/, /kind +mail\.send/, /state +available/, /"n" : 7/] {
                #expect(shown.contains(words), "\(shown)")
            }
            let record = try await desk.json(Shown.self, "jobs", "show", "a")
            #expect(record.id == "a" && record.queue == "verify" && record.state == "available")
            #expect(record.payload.n == 7 && record.payloadForm == "json" && record.maxAttempts == 3)
            try await desk.queue.pause()
            let why = try await desk.say("jobs", "why", "a")
            #expect(why.contains("a of queue verify is available\n- paused"), "\(why)")
            let reasons = try await desk.json(Why.self, "jobs", "why", "a")
            #expect(reasons.state == "available" && reasons.why.contains { $0.hasPrefix("paused") })
            try await desk.queue.resume()
            let lease = try await desk.queue.reserve(limit: 1, lease: .seconds(60), worker: "postman").leases[0]
            _ = try await desk.queue.settle([
                Settlement(id: lease.id, token: lease.token, verb: .retry(after: .seconds(60), error: "mailbox full"))
            ])
            let trace = try await desk.say("jobs", "trace", "a")
            for words in [
                /enqueued +enqueued as mail\.send/, /failed +an attempt failed after/, /due +it may run again/,
            ] {
                #expect(trace.contains(words), "\(trace)")
            }
            let life = try await desk.json(Trace.self, "jobs", "trace", "a")
            #expect(life.state == "scheduled" && life.life.map(\.what) == [.enqueued, .failed, .due])
        }
    }

    @Test("a job that is not there is told on standard error with what to do next, and the status is 1")
    func missing() async throws {
        try await withDesk { desk in
            for command in ["show", "why", "trace"] {
                try await desk.refuses(["jobs", command, "nobody"], saying: "knows a job nobody", "muster jobs ls")
            }
            for command in [["retry"], ["cancel", "--yes"], ["bury", "--yes"], ["rm", "--yes"]] {
                try await desk.refuses(["jobs"] + command + ["nobody"], saying: "knows a job nobody", "--queue NAME")
            }
            try await desk.add("twice")
            let other = JobQueue(name: QueueName("results"), redis: desk.queue.redis)
            try await other.enqueue(Mail(), id: JobID("twice"))
            try await desk.refuses(["jobs", "why", "twice"], saying: "verify, results", "--queue NAME")
            #expect(try await desk.say("jobs", "why", "twice", "--queue", "results").contains("of queue results"))
        }
    }

    @Test("retry lets dead and scheduled jobs run now, and says of others why not")
    func retry() async throws {
        try await withDesk { desk in
            try await desk.bury("dead", "boom")
            try await desk.add("delayed", delay: .seconds(3600))
            let done = try await desk.say("jobs", "retry", "dead", "delayed")
            #expect(done.contains("dead: put back") && done.contains("delayed: waits for its turn now"))
            #expect(try await desk.state("dead") == .available)
            #expect(try await desk.state("delayed") == .available)
            try await desk.refuses(
                ["jobs", "retry", "dead"], saying: "neither dead nor scheduled", "muster jobs why dead")
        }
    }

    @Test("cancel, bury and rm are done only where that is confirmed, and only to jobs in a state for it")
    func changes() async throws {
        try await withDesk { desk in
            try await desk.add("a", "b", "c", "run")
            for command in ["cancel", "bury", "rm"] {
                try await desk.refuses(["jobs", command, "a"], saying: "job a", "--yes")
            }
            #expect(try await desk.state("a") == .available)
            #expect(try await desk.say("jobs", "cancel", "a", "--yes").contains("a: cancelled"))
            #expect(try await desk.state("a") == nil)
            let buried = try await desk.say(
                "jobs", "bury", "b", "--reason", "oversize", "--message", "too big", "--yes")
            #expect(buried.contains("b: buried as oversize"))
            let dead = try #require(try await JobInspector(queue: desk.queue).job(JobID("b")))
            #expect(dead.reason == "oversize" && dead.error == "too big")
            try await desk.refuses(["jobs", "cancel", "b", "--yes"], saying: "dead already", "muster jobs rm b")
            try await desk.refuses(["jobs", "bury", "b", "--yes"], saying: "dead already", "muster jobs why b")

            let partly = try await desk.muster("jobs", "rm", "b", "c", "nobody", "--yes")
            #expect(partly.status == 1 && partly.errors.contains("nobody"))
            #expect(partly.output == "b: removed\nc: removed\n")
            #expect(try await desk.state("b") == nil)
            #expect(try await desk.state("c") == nil)

            // More than one, as the places of cancelled jobs are taken too.
            _ = try await desk.queue.reserve(limit: 9, lease: .seconds(3_600), worker: "postman")
            #expect(try await desk.state("run") == .leased)
            try await desk.refuses(["jobs", "rm", "run", "--yes"], saying: "it runs", "muster jobs cancel run")
            #expect(try await desk.say("jobs", "cancel", "run", "--yes").contains("next renewal"))
            let counts = try await desk.queue.counts()
            #expect(counts.isBalanced && counts.waiting + counts.leased + counts.dead == 0)
        }
    }

    @Test("a person at a terminal is asked, and what was not answered with yes is not done")
    func asked() async throws {
        try await withDesk { desk in
            try await desk.add("a")
            let cancel = ["jobs", "cancel", "a", "--redis", desk.url]
            await #expect(throws: TestSupportError.self) {
                try await Terminal.run(try MusterUp.executable(), cancel, typed: "n\n")
            }
            #expect(try await desk.state("a") == .available)
            let screen = try await Terminal.run(try MusterUp.executable(), cancel, typed: "y\n")
            #expect(screen.contains { $0.contains("Cancel job a?") && $0.contains("[y/N]") }, "\(screen)")
            #expect(try await desk.state("a") == nil)
        }
    }

    @Test("dead letters are listed, counted, retried and purged by filter")
    func dead() async throws {
        struct Acts: Decodable {
            struct Act: Decodable {
                let queue: String
                let matching: DeadLetters.Tally?
                let redriven: DeadLetters.Redriven?
                let purged: Int?
            }
            let isDryRun: Bool
            let queues: [Act]
        }
        try await withDesk { desk in
            #expect(try await desk.say("jobs", "dead", "ls").contains("no jobs"))
            #expect(try await desk.say("jobs", "dead", "retry").contains("no dead letters match"))
            #expect(try await desk.say("jobs", "dead", "purge").contains("no dead letters match"))
            try await desk.bury("t1", "took too long", .timeout)
            try await desk.bury("t2", "took too long", .timeout)
            try await desk.bury("h1", "no such mailbox")
            let list = try await desk.json(Listed.self, "jobs", "dead", "ls", "--reason", "timeout")
            #expect(Set(list.jobs.map(\.id.rawValue)) == ["t1", "t2"])
            let found = try await desk.json(Listed.self, "jobs", "dead", "ls", "--error", "MAILBOX", "--limit", "5")
            #expect(found.jobs.map(\.id.rawValue) == ["h1"])

            let dry = try await desk.say("jobs", "dead", "retry", "--reason", "timeout", "--dry-run")
            #expect(dry.contains("verify: 2 dead letters match: timeout 2; kinds: mail.send 2"), "\(dry)")
            let counted = try await desk.json(Acts.self, "jobs", "dead", "purge", "--queue", "verify", "--dry-run")
            #expect(counted.isDryRun && counted.queues.map(\.queue) == ["verify"])
            #expect(counted.queues.first?.matching?.byReason == ["timeout": 2, "handlerError": 1])
            #expect(try await desk.queue.counts().dead == 3)

            let retried = try await desk.say("jobs", "dead", "retry", "--reason", "timeout", "--limit", "1")
            #expect(retried.contains("verify: 1 dead letter put back"))
            #expect(
                try await desk.say("jobs", "dead", "purge", "--older-than", "1h", "--yes").contains("no dead letters"))
            try await desk.refuses(["jobs", "dead", "purge"], saying: "Purge 2 dead letters of verify", "--yes")
            let purged = try await desk.json(
                Acts.self, "jobs", "dead", "purge", "--queue", "verify", "--error", "mailbox", "--yes")
            #expect(purged.queues.map(\.purged) == [1] && !purged.isDryRun)
            let counts = try await desk.queue.counts()
            #expect(counts.dead == 1 && counts.waiting == 1 && counts.purged == 1)
        }
    }

    @Test(
        "what can't be meant is refused before anything is done",
        arguments: [
            ["jobs", "why", "two words"], ["jobs", "ls", "--queue", "Verify"], ["jobs", "ls", "--limit", "0"],
            ["jobs", "ls", "--state", "pending"], ["jobs", "dead", "ls", "--older-than", "soon"],
            ["jobs", "dead", "ls", "--reason", "whim"], ["queues", "limit", "verify", "--rate", "fast"],
            ["queues", "limit", "verify", "--concurrency", "0"], ["queues", "limit", "verify", "--weights", "1,2,3"],
            ["queues", "limit", "verify", "--key", "a"], ["queues", "limit", "verify", "--max-bytes", "-1"],
            ["queues", "pause", "no queue"],
        ])
    func wrongCalls(_ words: [String]) async throws {
        let ending = try await MusterUp.run(words + ["--redis", "redis://127.0.0.1:1"])
        #expect(ending.status == 64 && ending.output.isEmpty && !ending.errors.isEmpty, "\(ending)")
    }

    @Test("each of the commands about jobs and queues has a help text with an example")
    func help() async throws {
        let commands = [
            ["jobs"], ["jobs", "ls"], ["jobs", "show"], ["jobs", "why"], ["jobs", "trace"], ["jobs", "retry"],
            ["jobs", "cancel"], ["jobs", "bury"], ["jobs", "rm"], ["jobs", "dead"], ["jobs", "dead", "ls"],
            ["jobs", "dead", "retry"], ["jobs", "dead", "purge"], ["queues"], ["queues", "ls"], ["queues", "pause"],
            ["queues", "resume"], ["queues", "drain"], ["queues", "limit"],
        ]
        for command in commands {
            let help = try await MusterUp.run(command + ["--help"])
            #expect(help.status == 0 && help.output.contains("Example:"), "\(command): \(help.output)")
        }
    }
}

@Suite struct QueuesCommandTests {
    private struct Limits: Decodable {
        struct Rate: Decodable, Equatable {
            let count: Int, periodMs: Int, burst: Int
        }
        struct Key: Decodable {
            let concurrency: Int?
            let rate: Rate?
        }
        let queue: String
        let isPaused: Bool, isDraining: Bool
        let concurrency: Int?, keyConcurrency: Int?, maxJobs: Int?, maxBytes: Int?, deadAgeMs: Int?
        let rate: Rate?, keyRate: Rate?
        let keys: [String: Key]
        let weights: [Int]
        let overflow: String
    }
    private struct Rows: Decodable {
        struct Row: Decodable {
            let queue: String
            let counts: QueueCounts
            let limits: Limits
            let workers: Int
        }
        let queues: [Row]
    }

    @Test("queues are paused, drained and resumed, and ls shows it with what is in them")
    func states() async throws {
        try await withDesk { desk in
            try await desk.add("a", "b")
            #expect(
                try await desk.say("queues", "pause", "verify", "results") == "verify is paused\nresults is paused\n")
            #expect(try await desk.queue.reserve(limit: 1, lease: .seconds(60), worker: "postman").leases.isEmpty)
            try await desk.refuses(["queues", "drain", "verify"], saying: "new jobs for verify", "--yes")
            #expect(try await desk.say("queues", "drain", "verify", "--yes") == "verify is paused, draining\n")
            #expect(try await desk.queue.enqueue(Mail(), id: JobID("c")) == .draining(JobID("c")))
            let table = try await desk.say("queues", "ls")
            #expect(table.contains(/verify +paused, draining +2 +0 +0 +0 +0/), "\(table)")
            #expect(table.contains(/results +paused/) && table.contains(/duel:eu +running/), "\(table)")
            #expect(try await desk.say("queues", "resume", "verify") == "verify is running\n")
            let rows = try await desk.json(Rows.self, "queues", "ls", "verify", "results").queues
            #expect(rows.map(\.queue) == ["verify", "results"] && rows.map(\.limits.isPaused) == [false, true])
            #expect(rows[0].counts.waiting == 2 && rows[0].workers == 0)
        }
    }

    @Test("limits are set one by one, shown as they were given, and taken away")
    func limits() async throws {
        try await withDesk { desk in
            #expect(try await desk.say("queues", "limit", "verify") == "verify is running and has no limits\n")
            let set = try await desk.say(
                "queues", "limit", "verify", "--concurrency", "50", "--rate", "100/1s", "--key-concurrency", "1",
                "--max-jobs", "1000", "--max-bytes", "64MB", "--overflow", "shed", "--dead-age", "30d", "--weights",
                "8,4,2,1")
            let shown = [
                /concurrency +50/, /rate +100\/1s\/10/, /max-bytes +64MB/, /overflow +shed/, /dead-age +30d/,
                /weights +8,4,2,1/,
            ]
            for words in shown { #expect(set.contains(words), "\(set)") }
            #expect(try await desk.say("queues", "ls").contains("verify: concurrency 50, rate 100/1s/10"))
            let limits = try await desk.json(
                Limits.self, "queues", "limit", "verify", "--key", "vip", "--key-concurrency", "9", "--key-rate",
                "5/1m/2")
            #expect(limits.concurrency == 50 && limits.rate == .init(count: 100, periodMs: 1000, burst: 10))
            #expect(limits.keyConcurrency == 1 && limits.keyRate == nil && limits.overflow == "shed")
            #expect(limits.keys["vip"]?.concurrency == 9)
            #expect(limits.keys["vip"]?.rate == .init(count: 5, periodMs: 60_000, burst: 2))
            #expect(limits.maxJobs == 1000 && limits.maxBytes == 64 << 20 && limits.deadAgeMs == 30 * 86_400_000)
            #expect(try await desk.queue.limits().concurrency == 50)

            try await desk.queue.pause()
            let fewer = try await desk.json(
                Limits.self, "queues", "limit", "verify", "--none", "rate", "--none", "weights", "--key", "vip",
                "--none", "key-rate")
            #expect(fewer.rate == nil && fewer.weights == [64, 16, 4, 1] && fewer.concurrency == 50)
            #expect(fewer.keys["vip"]?.concurrency == 9 && fewer.keys["vip"]?.rate == nil)
            #expect(
                try await desk.say("queues", "limit", "verify", "--clear") == "verify is paused and has no limits\n")
            #expect(try await desk.queue.limits().isPaused)
        }
    }

    @Test("a queue that nothing was ever enqueued to is taken for a misspelled one, unless it is said to be new")
    func newQueues() async throws {
        try await withDesk { desk in
            for command in [["pause"], ["resume"], ["drain", "--yes"], ["limit", "--concurrency", "1"]] {
                let words = ["queues", command[0], "verfy"] + command.dropFirst()
                try await desk.refuses(words, saying: "verfy", "The house has verify", "--new")
            }
            try await desk.refuses(["queues", "pause", "verify", "verfy"], saying: "verfy")
            #expect(try await desk.queue.limits() == QueueLimits())
            #expect(try await desk.say("queues", "pause", "mails", "--new") == "mails is paused\n")
            #expect(try await desk.say("queues", "resume", "mails") == "mails is running\n")
        }
    }
}
