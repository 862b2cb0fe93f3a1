import Foundation
import GameModel
import Jobs
import Redis
import TestSupport
import Testing

/// `muster cron` as an operator runs it.
@Suite struct CronCommandTests {
    private struct Row: Decodable {
        let queue: String
        let name: String
        let isPaused: Bool
        let nextDue: Int64?
        let lastJob: String?
        let fired: Int
    }

    private struct Rows: Decodable {
        let entries: [Row]
    }

    private struct Report: Job {
        static let kind = "report"
    }

    @Test("entries are listed, paused, resumed and run, in whichever queue of the house they are")
    func entries() async throws {
        try await withRedis { redis, server in
            let queue = JobQueue(name: QueueName("results"), redis: redis)
            let table = CronTable(queue: queue)
            let nightly = try CronEntry(
                name: CronName("nightly"), schedule: "0 3 * * *", timeZone: "Europe/Berlin", job: Report())
            try await table.put(nightly)

            func cron(_ words: String...) async throws -> MusterUp.Ending {
                try await MusterUp.run(["cron"] + words + ["--redis", server.url])
            }
            let listed = try await cron("ls", "--json")
            try #require(listed.status == 0, "\(listed.errors)")
            let row = try #require(JSONDecoder().decode(Rows.self, from: Data(listed.output.utf8)).entries.first)
            #expect(row.queue == "results" && row.name == "nightly" && !row.isPaused && row.fired == 0)
            #expect(try await table.list().first?.nextDue?.milliseconds == row.nextDue)
            let text = try await cron("ls")
            #expect(text.output.contains("0 3 * * * Europe/Berlin") && text.output.contains("in "))

            #expect(try await cron("pause", "nightly").output.contains("nightly is paused"))
            #expect(try await table.list().first?.isPaused == true)
            let run = try await cron("run", "nightly", "--json")
            let ran = try JSONDecoder().decode(Row.self, from: Data(run.output.utf8))
            #expect(ran.isPaused && ran.lastJob?.hasPrefix("cron-run.nightly.") == true)
            #expect(try await queue.counts().waiting == 1)
            #expect(try await cron("resume", "nightly").output.contains("next tick in "))
            #expect(try await table.list().first?.isPaused == false)
        }
    }

    @Test("what a cron command can't do is told with what to do next")
    func failures() async throws {
        try await withRedis { redis, server in
            let entry = try CronEntry(name: CronName("twice"), schedule: "@daily", job: Report())
            for queue in ["results", "verify"] {
                try await CronTable(queue: JobQueue(name: QueueName(queue), redis: redis)).put(entry)
            }
            func fails(_ arguments: [String], _ words: [String]) async throws {
                let ending = try await MusterUp.run(["cron"] + arguments + ["--redis", server.url])
                #expect(ending.status != 0 && ending.output.isEmpty)
                for word in words { #expect(ending.errors.contains(word), "\(ending.errors)") }
            }
            try await fails(["pause", "nobody"], ["nobody", "muster cron ls", "--queue"])
            try await fails(["run", "nobody", "--queue", "mails"], ["nobody", "mails", "muster cron ls"])
            try await fails(["run", "twice"], ["verify, results", "--queue"])
            try await fails(["resume", "two words"], ["two words", "ASCII"])
            let queue = JobQueue(name: QueueName("verify"), redis: redis)
            try await queue.drain()
            try await fails(["run", "twice", "--queue", "verify"], ["draining", "muster queues resume verify"])
            #expect(try await queue.counts().waiting == 0)
            let empty = try await MusterUp.run(["cron", "ls", "--queue", "mails", "--redis", server.url])
            #expect(empty.status == 0 && empty.errors.contains("mails has no cron entry"))
        }
    }

    @Test("each command about cron entries shows an example", arguments: ["ls", "pause", "resume", "run"])
    func help(_ name: String) async throws {
        let ending = try await MusterUp.run(["cron", name, "--help"])
        #expect(ending.status == 0 && ending.output.contains("muster cron \(name)"))
    }
}
