import Foundation
import GRDB
import Logging
import Records
import TestSupport

/// A table to write to: one row a note, unique by text.
let notesSchema = RecordsSchema(
    name: "notes",
    migrations: [
        (
            id: "1-notes",
            body: { db in
                try db.execute(sql: "CREATE TABLE notes (text TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL)")
            }
        )
    ])

struct Refused: Error, Equatable {}

extension RecordsDatabase {
    func addNote(_ text: String, number: Int = 0) async throws {
        try await write { db in
            try db.execute(sql: "INSERT INTO notes (text, number) VALUES (?, ?)", arguments: [text, number])
        }
    }

    func notes() async throws -> [String] {
        try await read { try String.fetchAll($0, sql: "SELECT text FROM notes ORDER BY text") }
    }

    func noteCount() async throws -> Int {
        try await read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM notes") ?? 0 }
    }
}

func openNotes(
    _ path: String, durability: RecordsDatabase.Durability = .normal, busyTimeout: Duration = .seconds(60)
) throws -> RecordsDatabase {
    try RecordsDatabase.open(
        path: path, durability: durability, schemas: [notesSchema, Outbox.schema], logger: Logger(label: "test"),
        busyTimeout: busyTimeout)
}

/// Runs the body with a folder, which is removed afterwards.
func withFolder<T>(isolation: isolated (any Actor)? = #isolation, _ body: (TemporaryFolder) async throws -> T)
    async throws -> T
{
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    return try await body(folder)
}

/// Another process of this very executable, running one test of ``ChildProcess`` on a file.
func startChild(_ test: String, on path: String, log: String, number: Int = 0) async throws -> GuardedProcess {
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var environment = ProcessInfo.processInfo.environment
    environment[ChildOrders.pathKey] = path
    environment[ChildOrders.numberKey] = "\(number)"
    return try await GuardedProcess.start(
        [executable, "--testing-library", "swift-testing", "--filter", "ChildProcess/\(test)"], log: log,
        environment: environment)
}
