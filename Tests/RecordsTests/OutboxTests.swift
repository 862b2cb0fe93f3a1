import GRDB
import Records
import TestSupport
import Testing

@Suite("Outbox and inbox")
struct OutboxTests {
    private static func entry(_ id: String, at milliseconds: Int64 = 1000) -> OutboxEntry {
        OutboxEntry(
            jobId: id, queue: "verify", kind: "test.kind", payload: Array(#"{"a":1}"#.utf8), createdAt: milliseconds)
    }

    private func withOutbox(_ body: (RecordsDatabase) async throws -> Void) async throws {
        try await withRecords(schemas: [Outbox.schema, notesSchema]) { try await body($0) }
    }

    @Test("an entry is due until it is relayed, due again later, and open until it is settled")
    func lifeOfAnEntry() async throws {
        try await withOutbox { database in
            try await database.write { try Outbox.insert(Self.entry("job"), in: $0) }
            let fresh = try await database.read { try Outbox.due(in: $0, relayedBefore: 0, limit: 10) }
            #expect(fresh.map(\.jobId) == ["job"])
            #expect(fresh.first?.payload == Array(#"{"a":1}"#.utf8))
            #expect(fresh.first?.relayedAt == nil)

            try await database.write { try Outbox.markRelayed(jobIds: ["job"], at: 5000, in: $0) }
            #expect(try await database.read { try Outbox.due(in: $0, relayedBefore: 5000, limit: 10) }.isEmpty)
            let again = try await database.read { try Outbox.due(in: $0, relayedBefore: 5001, limit: 10) }
            #expect(again.map(\.relayedAt) == [5000])
            #expect(try await database.read { try Outbox.openCount(in: $0) } == 1)

            try await database.write { try Outbox.settle(jobId: "job", in: $0) }
            #expect(try await database.read { try Outbox.openCount(in: $0) } == 0)
            #expect(try await database.read { try Outbox.due(in: $0, relayedBefore: .max, limit: 10) }.isEmpty)
        }
    }

    @Test("an entry of a transaction that fails was never promised")
    func rolledBackEntry() async throws {
        try await withOutbox { database in
            await #expect(throws: Refused.self) {
                try await database.write { db in
                    try Outbox.insert(Self.entry("job"), in: db)
                    throw Refused()
                }
            }
            let open = try await database.read { try Outbox.openCount(in: $0) }
            #expect(open == 0)
        }
    }

    @Test("a second entry of an open job changes nothing")
    func insertsOnce() async throws {
        try await withOutbox { database in
            let added = try await database.write { db in
                [
                    try Outbox.insert(Self.entry("job"), in: db),
                    try Outbox.insert(Self.entry("job", at: 2000), in: db),
                ]
            }
            #expect(added == [true, false])
            #expect(try await database.read { try Outbox.entry(jobId: "job", in: $0) }?.createdAt == 1000)
        }
    }

    @Test("due entries come oldest first, no more than asked for")
    func dueInOrder() async throws {
        try await withOutbox { database in
            try await database.write { db in
                for id in ["c", "a", "b"] { try Outbox.insert(Self.entry(id), in: db) }
                try Outbox.markRelayed(jobIds: ["c"], at: 10, in: db)
            }
            let due = try await database.read { try Outbox.due(in: $0, relayedBefore: 100, limit: 2) }
            #expect(due.map(\.jobId) == ["c", "a"])
        }
    }

    @Test("an effect is applied once, however often its job runs")
    func appliesOnce() async throws {
        try await withOutbox { database in
            for token in 1...3 as ClosedRange<UInt64> {
                let isFirst = try await database.write { db in
                    guard try Inbox.apply(jobId: "job", token: token, in: db) else { return false }
                    try db.execute(sql: "INSERT INTO notes (text, number) VALUES ('effect', 1)")
                    return true
                }
                #expect(isFirst == (token == 1))
            }
            #expect(try await database.notes() == ["effect"])
        }
    }

    @Test("an effect whose transaction fails is not applied, and may be tried again")
    func failedEffect() async throws {
        try await withOutbox { database in
            await #expect(throws: Refused.self) {
                try await database.write { db in
                    _ = try Inbox.apply(jobId: "job", token: 1, in: db)
                    throw Refused()
                }
            }
            let isApplied = try await database.write { try Inbox.apply(jobId: "job", token: 2, in: $0) }
            #expect(isApplied)
        }
    }

    @Test("an attempt with a lower token than the one that claimed the job is refused")
    func fencing() async throws {
        try await withOutbox { database in
            let isClaimed = try await database.write { try Inbox.claim(jobId: "job", token: 5, in: $0) }
            #expect(isClaimed)
            let stale = RecordsError.staleToken(jobId: "job", token: 4, claimed: 5)
            await #expect(throws: stale) {
                try await database.write { try Inbox.apply(jobId: "job", token: 4, in: $0) }
            }
            await #expect(throws: stale) {
                try await database.write { try Inbox.claim(jobId: "job", token: 4, in: $0) }
            }
            #expect(try await database.read { try Inbox.isApplied(jobId: "job", in: $0) } == false)
            #expect(try await database.write { try Inbox.apply(jobId: "job", token: 5, in: $0) })
            #expect(try await database.write { try Inbox.claim(jobId: "job", token: 6, in: $0) } == false)
            #expect(try await database.read { try Inbox.isApplied(jobId: "job", in: $0) })
        }
    }

    @Test("old applied jobs are forgotten in bounded steps; claimed ones stay")
    func prunes() async throws {
        try await withOutbox { database in
            try await database.write { db in
                for index in 0..<5 { _ = try Inbox.apply(jobId: "old-\(index)", token: 1, at: 100, in: db) }
                _ = try Inbox.apply(jobId: "new", token: 1, at: 900, in: db)
                try Inbox.claim(jobId: "claimed", token: 1, in: db)
            }
            let steps = try await database.write { db in
                try (0..<3).map { _ in try Inbox.prune(appliedBefore: 500, limit: 3, in: db) }
            }
            #expect(steps == [3, 2, 0])
            #expect(try await database.read { try Inbox.isApplied(jobId: "new", in: $0) })
        }
    }
}
