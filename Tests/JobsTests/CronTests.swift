import Foundation
import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct CronTests {
    /// A schedule with a tick every hour, the nearest of them half an hour away from the time of Redis, and that time.
    private func hourly(_ table: CronTable) async throws -> (text: String, lastTick: Instant) {
        let now = try await table.due(skipping: 0).now
        let minute = (now.milliseconds / 60_000 + 30) % 60
        let schedule = try CronSchedule("\(minute) * * * *")
        return (schedule.text, try #require(schedule.next(after: now - .seconds(3600))))
    }

    private func entry(
        _ name: String, _ schedule: String, n: Int = 0, options: JobOptions? = nil, missed: MissedTicks = .skip
    ) throws -> CronEntry {
        try CronEntry(name: CronName(name), schedule: schedule, job: Add(n: n), options: options, missed: missed)
    }

    private func status(_ table: CronTable, _ name: String) async throws -> CronStatus {
        try #require(try await table.list().first { $0.name == CronName(name) })
    }

    private func scheduler(_ queue: JobQueue, _ entries: [CronEntry] = []) -> CronScheduler {
        CronScheduler(table: CronTable(queue: queue), entries: entries, logger: quiet)
    }

    @Test("a put can be repeated: it keeps a pause and the tick that is due; another schedule begins anew")
    func put() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            let due = Instant(milliseconds: 1000)
            #expect(try await table.put(entry("a", "@hourly"), due: due) == .added)
            #expect(try await table.put(entry("a", "@hourly")) == .unchanged)
            #expect(try await table.put(entry("a", "@hourly", n: 7)) == .changed)
            #expect(try await status(table, "a").nextDue == due)
            // Midnight may come in between.
            let before = try await table.due(skipping: 0).now
            #expect(try await table.put(entry("a", "@daily", n: 7)) == .changed)
            let now = try await table.due(skipping: 0).now
            let daily = try CronSchedule("@daily")
            let next = try await status(table, "a").nextDue
            #expect(next != nil && [before, now].map { daily.next(after: $0) }.contains(next))
            #expect(try await table.pause(CronName("a")))
            #expect(try await table.put(entry("a", "@hourly")) == .changed)
            #expect(try await table.put(entry("b", "@every 2h")) == .added)
            let list = try await table.list()
            #expect(list.map(\.name.rawValue) == ["a", "b"])
            #expect(list.map(\.isPaused) == [true, false])
            #expect(list[0].nextDue == nil && list[0].schedule == "@hourly" && list[0].kind == Add.kind)
            #expect(try await table.remove(CronName("a")))
            #expect(try await table.remove(CronName("a")) == false)
            #expect(try await table.list().map(\.name.rawValue) == ["b"])
        }
    }

    @Test("an entry that can't work is refused, with what would be right")
    func refused() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            for wrong in [
                try entry("has space", "@hourly"), try entry(String(repeating: "x", count: 121), "@hourly"),
                try entry("a", "@hourly", missed: .all(max: 501)),
                try entry("a", "@hourly", options: JobOptions(priority: 9)),
            ] {
                await #expect(throws: JobError.self) { try await table.put(wrong) }
                await #expect(throws: JobError.self) { try await scheduler(queue, [wrong]).run() }
            }
            #expect(try await table.list().isEmpty)
        }
    }

    @Test("a tick fires once, however many schedulers run, also when its job is done long before the others look")
    func oneFiring() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            let (text, last) = try await hourly(table)
            for number in 0..<12 {
                let due = last - .seconds(9 * 3600)
                _ = try await table.put(entry("past\(number)", text, missed: .all(max: 10)), due: due)
            }
            let ledger = Ledger()
            let handler = JobHandler.each(Add.self) { _, context in ledger.ran(context.id) }
            let schedulers = (0..<3).map { _ in scheduler(queue, []) }
            try await withWorkers([queue.worker(quickWorker(), handler)]) {
                try await withServices(schedulers) {
                    try await eventually("all missed ticks ran") { ledger.total >= 120 }
                    _ = try await table.put(entry("live", "@every 1s"))
                    try await eventually("three ticks fired as they came") { ledger.total >= 123 }
                }
                try await queue.settled()
            }
            #expect(ledger.counts.values.allSatisfy { $0 == 1 })
            let list = try await table.list()
            #expect(list.map(\.fired).reduce(0, +) == ledger.total)
            let past = list.filter { $0.name.rawValue.hasPrefix("past") }
            #expect(past.count == 12 && past.allSatisfy { $0.fired == 10 && $0.lastTick == last })
            let counts = try await queue.counts()
            #expect(counts.enqueued == ledger.total && counts.completed == ledger.total && counts.isBalanced)
            let ticks = ledger.counts.keys.compactMap { CronTick($0) }.filter { $0.entry == CronName("live") }
            #expect(ticks.count >= 3 && ticks.allSatisfy { $0.due.milliseconds % 1000 == 0 })
        }
    }

    @Test("a firing is refused when the tick has fired, has not come by Redis, or was planned by another definition")
    func compareAndSet() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            let (text, last) = try await hourly(table)
            _ = try await table.put(entry("a", text), due: last)
            let due = try #require(try await table.due(skipping: 0).entries.first)
            let next = last + .seconds(3600)
            let plan = TickPlan(ticks: [last], next: next)
            // What a scheduler whose clock is an hour ahead would do.
            #expect(try await table.fire(due, TickPlan(ticks: [last, next], next: nil)) == nil)
            _ = try await table.put(entry("a", text, n: 1))
            #expect(try await table.fire(due, plan) == nil)
            let current = try #require(try await table.due(skipping: 0).entries.first)
            #expect(try await table.fire(current, plan)?.map(\.isAdded) == [true])
            let lease = try #require(try await queue.reserve(limit: 9, lease: .seconds(60)).leases.first)
            #expect(lease.id == JobID("cron.a.\(last.milliseconds)"))
            _ = try await queue.settle([Settlement(id: lease.id, token: lease.token, verb: .complete)])
            #expect(try await table.fire(current, plan) == nil)
            #expect(try await queue.counts().enqueued == 1)
            let after = try await table.due(skipping: 0)
            #expect(after.entries.isEmpty && after.next == next)
            let ahead = DueEntry(name: "a", due: next, head: current.head)
            #expect(try await table.fire(ahead, TickPlan(ticks: [next], next: next + .seconds(3600))) == nil)
            #expect(try await queue.counts().enqueued == 1)
        }
    }

    @Test("ticks that nobody was there for fire as the entry's policy says")
    func missed() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            let (text, last) = try await hourly(table)
            let oldest = last - .seconds(3 * 3600)
            let policies: [(String, MissedTicks)] = [
                ("skip", .skip), ("once", .once), ("all", .all(max: 9)), ("some", .all(max: 2)),
            ]
            for (name, policy) in policies { _ = try await table.put(entry(name, text, missed: policy), due: oldest) }
            // Within the tolerance, so that it fires also where others are skipped.
            let now = try await table.due(skipping: 0).now
            _ = try await table.put(entry("late", text), due: now - .seconds(5))
            try await withServices([scheduler(queue)]) {
                try await eventually("nothing is due") { try await table.due(skipping: 0).entries.isEmpty }
            }
            let ids = Set(try await queue.reserve(limit: 99, lease: .seconds(60)).leases.map(\.id.rawValue))
            func id(_ name: String, _ hours: Int) -> String {
                "cron.\(name).\((oldest + .seconds(hours * 3600)).milliseconds)"
            }
            let all = (0...3).map { id("all", $0) }
            let late = "cron.late.\((now - .seconds(5)).milliseconds)"
            #expect(ids == Set(all + [id("once", 0), id("some", 0), id("some", 1), late]))
            let list = try await table.list()
            #expect(list.count == 5 && list.allSatisfy { $0.nextDue == last + .seconds(3600) })
            #expect(list.first { $0.name == CronName("skip") }?.lastTick == nil)
        }
    }

    @Test("a paused entry does not fire, and when it is resumed it makes nothing up")
    func pause() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            let (text, last) = try await hourly(table)
            _ = try await table.put(entry("a", text, missed: .all(max: 9)), due: last)
            #expect(try await table.pause(CronName("a")))
            #expect(try await table.due(skipping: 0).entries.isEmpty)
            #expect(try await table.resume(CronName("a")))
            var status = try await status(table, "a")
            #expect(status.nextDue == last + .seconds(3600) && !status.isPaused)
            // One that runs keeps its tick.
            _ = try await table.put(entry("b", text), due: last)
            #expect(try await table.resume(CronName("b")))
            status = try await self.status(table, "b")
            #expect(status.nextDue == last)
            #expect(try await table.pause(CronName("nobody")) == false)
            #expect(try await table.resume(CronName("nobody")) == false)
        }
    }

    @Test("a run by hand is a job of its own, also of a paused entry, and leaves the schedule alone")
    func runNow() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            try await table.put(entry("a", "@daily", n: 42, options: JobOptions(maxAttempts: 5, priority: 2)))
            let due = try await status(table, "a").nextDue
            #expect(due != nil)
            let first = try #require(try await table.runNow(CronName("a")))
            #expect(try await status(table, "a").nextDue == due)
            try await table.pause(CronName("a"))
            let second = try #require(try await table.runNow(CronName("a")))
            #expect(try await table.runNow(CronName("nobody")) == nil)
            let leases = try await queue.reserve(limit: 9, lease: .seconds(60)).leases
            #expect(first.isAdded && second.isAdded && leases.map(\.id) == [first.id, second.id])
            #expect(first.id != second.id)
            let envelope = try #require(leases.first?.envelope)
            #expect(envelope.priority == 2 && envelope.maxAttempts == 5)
            #expect(String(decoding: envelope.payload, as: UTF8.self) == "{\"n\":42}")
            let status = try await status(table, "a")
            #expect(status.lastJob == second.id && status.fired == 2 && status.lastTick == nil && status.isPaused)
            #expect(CronTick(second.id) == nil)
        }
    }

    @Test("a tick at which the last one's unique job still lives passes, and is counted")
    func unique() async throws {
        try await withQueue { queue, _ in
            let table = CronTable(queue: queue)
            let (text, last) = try await hourly(table)
            let options = JobOptions(unique: Uniqueness("report"))
            let report = try entry("report", text, options: options, missed: .all(max: 9))
            _ = try await table.put(report, due: last - .seconds(7200))
            try await withServices([scheduler(queue)]) {
                try await eventually("nothing is due") { try await table.due(skipping: 0).entries.isEmpty }
            }
            let status = try await status(table, "report")
            #expect(status.fired == 1 && status.refused == 2 && status.lastTick == last - .seconds(7200))
            #expect(try await queue.counts().waiting == 1)
            let holder = "cron.report.\((last - .seconds(7200)).milliseconds)"
            guard case .notUnique(_, JobID(holder)) = try await table.runNow(CronName("report")) else {
                Issue.record("the unique job lives, and another was enqueued")
                return
            }
        }
    }

    @Test("an entry that this version can't read is passed over, and the others fire")
    func unreadable() async throws {
        try await withQueue { queue, server in
            let table = CronTable(queue: queue)
            let keys = CronKeys(queue.name)
            try await server.command("HSET \(keys.cron) d:later \"9 of a later version\"")
            try await server.command("ZADD \(keys.due) 1 later")
            let (text, last) = try await hourly(table)
            _ = try await table.put(entry("a", text, missed: .once), due: last)
            try await withServices([scheduler(queue)]) {
                try await eventually("the other one fired") { try await queue.counts().enqueued == 1 }
            }
            #expect(try await table.due(skipping: 0).entries.map(\.name) == ["later"])
        }
    }

    @Test("after a FLUSHALL the scheduler's entries are in the table again")
    func flushed() async throws {
        try await withQueue { queue, server in
            let table = CronTable(queue: queue)
            let entries = [try entry("a", "@every 1s"), try entry("b", "@daily")]
            try await withServices([scheduler(queue, entries)]) {
                try await eventually("it fires") { try await table.list().contains { $0.fired > 0 } }
                try await server.flush()
                try await eventually("both are there and fire again") {
                    let list = try await table.list()
                    return list.count == 2 && list[0].fired > 0
                }
            }
        }
    }

    @Test("a handler learns its tick from the job's id")
    func ticks() throws {
        let tick = try #require(CronTick(JobID("cron.a.b.1790000000000")))
        #expect(tick.entry == CronName("a.b") && tick.due == Instant(milliseconds: 1_790_000_000_000))
        for id in ["cron.a", "cron..5", "a.5", "cron.a.x", "cron-run.a.5"] { #expect(CronTick(JobID(id)) == nil) }
    }
}
