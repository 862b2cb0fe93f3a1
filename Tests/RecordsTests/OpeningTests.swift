import Foundation
import GRDB
import Logging
import Records
import TestSupport
import Testing

@Suite("Opening a file")
struct OpeningTests {
    @Test("its folder is made, its journal is a WAL, its foreign keys hold")
    func pragmas() async throws {
        try await withFolder { folder in
            let database = try openNotes(folder.file("a/b/test.sqlite"))
            let (journal, keys) = try await database.write { db in
                (
                    try String.fetchOne(db, sql: "PRAGMA journal_mode"),
                    try Int.fetchOne(db, sql: "PRAGMA foreign_keys")
                )
            }
            #expect(journal == "wal")
            #expect(keys == 1)
            try database.close()
        }
    }

    @Test(
        "commits wait for the disk with full durability only",
        arguments: [(RecordsDatabase.Durability.full, 2), (.normal, 1)])
    func durability(durability: RecordsDatabase.Durability, synchronous: Int) async throws {
        try await withFolder { folder in
            let database = try openNotes(folder.file("test.sqlite"), durability: durability)
            let set = try await database.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
            #expect(set == synchronous)
            try database.close()
        }
    }

    @Test("what was committed is there after opening again")
    func reopens() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let first = try openNotes(path)
            try await first.addNote("kept")
            try first.close()
            let second = try openNotes(path)
            #expect(try await second.notes() == ["kept"])
            try second.close()
        }
    }

    @Test("many that open one new file at once all get it, each migration run once")
    func opensAtOnce() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let databases = try await withThrowingTaskGroup(of: RecordsDatabase.self) { group in
                for _ in 0..<8 { group.addTask { try openNotes(path) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for (index, database) in databases.enumerated() { try await database.addNote("\(index)") }
            #expect(try await databases[0].noteCount() == 8)
            for database in databases { try database.close() }
        }
    }

    @Test("a later version's new migration runs, the old ones stay")
    func migratesFurther() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let first = try openNotes(path)
            try await first.addNote("old")
            try first.close()
            var steps = notesSchema.migrations
            steps.append(
                (
                    id: "2-author",
                    body: { db in
                        try db.execute(sql: "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT ''")
                    }
                ))
            let grown = RecordsSchema(name: notesSchema.name, migrations: steps)
            let second = try RecordsDatabase.open(
                path: path, durability: .normal, schemas: [grown, Outbox.schema], logger: Logger(label: "test"))
            let authors = try await second.read { try String.fetchAll($0, sql: "SELECT author FROM notes") }
            #expect(authors == [""])
            try second.close()
        }
    }

    @Test("a schema that names two migrations alike is refused")
    func refusesAmbiguousSchema() async throws {
        try await withFolder { folder in
            let twice = RecordsSchema(
                name: "twice", migrations: [(id: "1", body: { _ in }), (id: "1", body: { _ in })])
            #expect(throws: RecordsError.invalidSchema("twice has two migrations named 1")) {
                try RecordsDatabase.open(
                    path: folder.file("test.sqlite"), durability: .normal, schemas: [twice],
                    logger: Logger(label: "test"))
            }
        }
    }

    @Test("a file that is no SQLite file is told as corrupt, and left as it is")
    func refusesForeignFile() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let bytes = Data(repeating: 0x41, count: 8192)
            try bytes.write(to: URL(fileURLWithPath: path))
            do {
                _ = try openNotes(path)
                Issue.record("a foreign file was opened")
            } catch let error as RecordsError {
                guard case .corrupt = error else { throw error }
            }
            #expect(FileManager.default.contents(atPath: path) == bytes)
        }
    }

    @Test("a folder that can't be made is told as such")
    func refusesImpossibleFolder() throws {
        #expect(throws: RecordsError.self) { try openNotes("/proc/nowhere/test.sqlite") }
    }
}
