import Foundation
import GRDB
import Records
import Testing

/// How a test tells a process that it starts what to do.
enum ChildOrders {
    static let pathKey = "MUSTER_TEST_CHILD_PATH"
    static let numberKey = "MUSTER_TEST_CHILD_NUMBER"
    static let notesEach = 40

    static var path: String? { ProcessInfo.processInfo.environment[pathKey] }
    static var number: Int { Int(ProcessInfo.processInfo.environment[numberKey] ?? "") ?? 0 }
}

/// What other processes do to a file that a test looks at; skipped unless a test started this process for it.
@Suite(.enabled(if: ChildOrders.path != nil))
struct ChildProcess {
    let path = ChildOrders.path ?? ""
    let number = ChildOrders.number

    @Test("opens the file and writes many notes at once")
    func writesNotes() async throws {
        let database = try openNotes(path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<ChildOrders.notesEach {
                group.addTask { [number] in try await database.addNote("\(number)-\(index)", number: number) }
            }
            try await group.waitForAll()
        }
        try database.close()
        try mark("done-\(number)")
    }

    @Test("stays in a transaction that has written, for ever")
    func staysInTransaction() async throws {
        let database = try openNotes(path)
        try await database.addNote("committed")
        let marker = URL(fileURLWithPath: path).deletingLastPathComponent().path + "/inside"
        try await database.write { db in
            for index in 0..<500 {
                try db.execute(sql: "INSERT INTO notes (text, number) VALUES (?, 0)", arguments: ["half-\(index)"])
            }
            _ = FileManager.default.createFile(atPath: marker, contents: nil)
            while true { pause() }
        }
    }

    private func mark(_ name: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try Data().write(to: folder.appendingPathComponent(name))
    }
}
