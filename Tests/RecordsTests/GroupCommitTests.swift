import Foundation
import GRDB
import Logging
import TestSupport
import Testing

@testable import Records

@Suite("Writing")
struct GroupCommitTests {
    @Test("a body that throws is rolled back alone; its neighbours in the transaction are kept")
    func savepointIsolation() async throws {
        try await withRecords(schemas: [notesSchema]) { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let body: @Sendable (Database) throws -> Void = { db in
                            try db.execute(
                                sql: "INSERT INTO notes (text, number) VALUES (?, 0)", arguments: ["\(index)"])
                            if index.isMultiple(of: 3) { throw Refused() }
                        }
                        if index.isMultiple(of: 3) {
                            await #expect(throws: Refused.self) { try await database.write(body) }
                        } else {
                            try await database.write(body)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let kept = Set(try await database.notes())
            #expect(kept == Set((0..<200).filter { !$0.isMultiple(of: 3) }.map(String.init)))
        }
    }

    @Test("writes that wait while one runs share the next transaction")
    func sharesTransactions() async throws {
        try await withRecords(schemas: [notesSchema]) { file in
            // Else a transaction would end after 20 ms, on a slow machine before it took in all that wait.
            var limits = GroupCommitLimits()
            limits.batchDurationMax = .seconds(600)
            let database = RecordsDatabase(
                path: file.path, pool: file.pool, logger: Logger(label: "test"), limits: limits)
            let entered = Shared(false)
            let commits = Shared(0)
            let gate = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await database.write { db in
                        let counter = CommitCounter { commits.increment() }
                        db.add(transactionObserver: counter, extent: .databaseLifetime)
                        entered.set(true)
                        gate.wait()
                    }
                }
                try await eventually("the first write runs") { entered.value }
                let started = Shared(0)
                for index in 0..<50 {
                    group.addTask {
                        started.increment()
                        try await database.addNote("\(index)")
                    }
                }
                try await eventually("all others were called") { started.value == 50 }
                gate.signal()
                try await group.waitForAll()
            }
            // The first one's transaction takes in those that wait; a few more for those that came late.
            #expect((1...10).contains(commits.value), "51 writes took \(commits.value) commits")
            #expect(try await database.noteCount() == 50)
        }
    }

    @Test("a returned write is visible to every later read")
    func readsOwnWrites() async throws {
        try await withRecords(schemas: [notesSchema]) { database in
            for index in 0..<50 {
                try await database.addNote("\(index)")
                #expect(try await database.noteCount() == index + 1)
            }
        }
    }

    @Test("a broken constraint reaches its caller as SQLite's own error")
    func constraint() async throws {
        try await withRecords(schemas: [notesSchema]) { database in
            try await database.addNote("one")
            await #expect {
                try await database.addNote("one")
            } throws: { error in
                (error as? DatabaseError)?.resultCode == .SQLITE_CONSTRAINT
            }
            try await database.addNote("two")
            #expect(try await database.notes() == ["one", "two"])
        }
    }

    @Test("a commit that fails reaches every writer that shared it, and leaves nothing")
    func failedCommit() async throws {
        let schema = RecordsSchema(
            name: "parents",
            migrations: [
                (
                    id: "1",
                    body: { db in
                        try db.execute(
                            sql: """
                                CREATE TABLE parents (id INTEGER PRIMARY KEY);
                                CREATE TABLE children (parent INTEGER NOT NULL
                                    REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
                                """)
                    }
                )
            ])
        try await withRecords(schemas: [schema]) { database in
            await #expect(throws: DatabaseError.self) {
                try await database.write { try $0.execute(sql: "INSERT INTO children (parent) VALUES (7)") }
            }
            let count = try await database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM children") }
            #expect(count == 0)
            try await database.write { try $0.execute(sql: "INSERT INTO parents (id) VALUES (7)") }
        }
    }

    @Test("a body that ends the shared transaction fails those in it; the file goes on")
    func endedTransaction() async throws {
        try await withRecords(schemas: [notesSchema]) { database in
            await #expect(throws: (any Error).self) {
                try await database.write { db in
                    try db.execute(sql: "INSERT INTO notes (text, number) VALUES ('gone', 0)")
                    try db.execute(sql: "ROLLBACK")
                    try db.execute(sql: "INSERT INTO notes (text, number) VALUES ('stray', 0)")
                }
            }
            try await database.addNote("next")
            #expect(try await database.notes() == ["next"])
        }
    }

    @Test("more writes than may wait are refused as overloaded, and none of the others is lost")
    func overloaded() async throws {
        try await withRecords(schemas: [notesSchema]) { database in
            let gate = DispatchSemaphore(value: 0)
            let refused = Shared(0)
            let calls = 9000
            try await withThrowingTaskGroup(of: Void.self) { group in
                let entered = Shared(false)
                group.addTask {
                    try await database.write { _ in
                        entered.set(true)
                        gate.wait()
                    }
                }
                // Else those that come before it are written, and too few are left to wait.
                try await eventually("the first write runs") { entered.value }
                for index in 0..<calls {
                    group.addTask {
                        do {
                            try await database.addNote("\(index)")
                        } catch RecordsError.overloaded {
                            refused.increment()
                        }
                    }
                }
                try await eventually("some are refused") { refused.value > 0 }
                gate.signal()
                try await group.waitForAll()
            }
            #expect(try await database.noteCount() == calls - refused.value)
        }
    }

    @Test("a closed file commits what waits, then refuses")
    func closes() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let database = try openNotes(path)
            try await database.addNote("one")
            try database.close()
            await #expect(throws: RecordsError.closed) { try await database.addNote("two") }
            let again = try openNotes(path)
            #expect(try await again.notes() == ["one"])
            try again.close()
        }
    }

    @Test("a full file is told as a full disk, to its own writer, and nothing of it stays")
    func diskFull() async throws {
        try await withRecords(schemas: [notesSchema]) { database in
            try await database.write { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages + 4)")
            }
            await #expect(throws: RecordsError.diskFull) {
                try await database.addNote(String(repeating: "x", count: 200_000))
            }
            try await database.addNote("small")
            #expect(try await database.notes() == ["small"])
        }
    }
}

/// Counts commits of the writer's connection.
private final class CommitCounter: TransactionObserver {
    private let onCommit: @Sendable () -> Void

    init(_ onCommit: @escaping @Sendable () -> Void) { self.onCommit = onCommit }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidCommit(_ db: Database) { onCommit() }
    func databaseDidRollback(_ db: Database) {}
}
