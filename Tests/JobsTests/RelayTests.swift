import GRDB
import GameModel
import Records
import TestSupport
import Testing

@testable import Jobs

@Suite struct RelayTests {
    private func owe(_ id: String, in database: RecordsDatabase) async throws {
        try await database.write { db in
            try Outbox.insert(
                OutboxEntry(
                    jobId: id, queue: "test", kind: Add.kind, payload: Array("{\"n\":1}".utf8),
                    createdAt: Instant.now.milliseconds), in: db)
        }
    }

    @Test("an entry is relayed at the nudge, runs, and is settled with its effect")
    func relayed() async throws {
        try await withRecords(schemas: [Outbox.schema]) { database in
            try await withQueue { queue, _ in
                let relay = OutboxRelay(database: database, redis: queue.redis, kinds: [Add.self], logger: quiet)
                let handler = JobHandler.each(Add.self) { _, context in
                    try await database.write { db in
                        guard try Inbox.apply(jobId: context.id.rawValue, token: context.token, in: db) else { return }
                        try Outbox.settle(jobId: context.id.rawValue, in: db)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await relay.run() }
                    try await withWorkers([queue.worker(quickWorker(), handler)]) {
                        try await owe("a", in: database)
                        relay.nudge()
                        try await eventually("the entry is settled") {
                            try await database.read { try Outbox.openCount(in: $0) } == 0
                        }
                        try await queue.settled()
                    }
                    group.cancelAll()
                }
                #expect(try await queue.counts().completed == 1)
            }
        }
    }

    private struct Stubborn: Job {
        static let kind = "test.stubborn"
        static let options = JobOptions(maxAttempts: 777)
    }

    @Test("what is relayed is run by the options of its kind")
    func options() async throws {
        try await withRecords(schemas: [Outbox.schema]) { database in
            try await withQueue { queue, _ in
                try await database.write { db in
                    try Outbox.insert(
                        OutboxEntry(
                            jobId: "s", queue: "test", kind: Stubborn.kind, payload: Array("{}".utf8),
                            createdAt: Instant.now.milliseconds), in: db)
                }
                let relay = OutboxRelay(
                    database: database, redis: queue.redis, kinds: [Stubborn.self], logger: quiet)
                #expect(try await relay.relayDue() == 1)
                let (attempts, attempt) = AsyncStream.makeStream(of: Int.self)
                let handler = JobHandler.each(Stubborn.self) { _, context in attempt.yield(context.maxAttempts) }
                try await withWorkers([queue.worker(quickWorker(), handler)]) {
                    for await max in attempts {
                        #expect(max == 777)
                        break
                    }
                }
            }
        }
    }

    @Test("after a FLUSHALL the open entries are relayed again")
    func flushed() async throws {
        try await withRecords(schemas: [Outbox.schema]) { database in
            try await withQueue { queue, server in
                let relay = OutboxRelay(database: database, redis: queue.redis, kinds: [Add.self], logger: quiet)
                for id in ["a", "b"] { try await owe(id, in: database) }
                let start = Instant.now
                #expect(try await relay.relayDue() == 2)
                let again = try await relay.relayDue()
                // What was offered is left alone for 5 s, which a starved process may take for the two calls.
                #expect(again == 0 || Instant.now - start >= .seconds(5))
                #expect(try await queue.counts().waiting == 2)
                try await server.flush()
                #expect(try await queue.counts().waiting == 0)
                // As if the last offer was long ago.
                try await database.write { try Outbox.markRelayed(jobIds: ["a", "b"], at: 1, in: $0) }
                #expect(try await relay.relayDue() == 2)
                #expect(try await queue.counts().waiting == 2)
                try await database.write { try Outbox.markRelayed(jobIds: ["a", "b"], at: 1, in: $0) }
                #expect(try await relay.relayDue() == 2)
                let counts = try await queue.counts()
                #expect(counts.waiting == 2 && counts.enqueued == 2)
            }
        }
    }
}
