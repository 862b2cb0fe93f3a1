import Foundation
import GRDB
import Records
import TestSupport
import Testing

@Suite("Several writers of one file")
struct SeveralProcessesTests {
    @Test("two pools that write at once both get through, without a busy error")
    func twoPools() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let databases = [try openNotes(path, durability: .full), try openNotes(path, durability: .full)]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, database) in databases.enumerated() {
                    for index in 0..<300 {
                        group.addTask { try await database.addNote("\(number)-\(index)", number: number) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await databases[0].noteCount() == 600)
            for database in databases { try database.close() }
        }
    }

    @Test("a file that another holds for too long is told as busy, and works again afterwards")
    func busy() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let patient = try openNotes(path)
            let hasty = try openNotes(path, busyTimeout: .milliseconds(50))
            var leaving = Configuration()
            leaving.allowsUnsafeTransactions = true
            let holder = try DatabaseQueue(path: path, configuration: leaving)
            try holder.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
            await #expect(throws: RecordsError.busy) { try await hasty.addNote("one") }
            try holder.inDatabase { try $0.execute(sql: "ROLLBACK") }
            try await hasty.addNote("two")
            #expect(try await patient.notes() == ["two"])
            try holder.close()
            try patient.close()
            try hasty.close()
        }
    }

    @Test("processes that open one new file at once and write all get through")
    func processes() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            var children: [GuardedProcess] = []
            for number in 0..<4 {
                children.append(
                    try await startChild(
                        "writesNotes", on: path, log: folder.file("child-\(number).log"), number: number))
            }
            defer { for child in children { child.end() } }
            try await eventually(within: .seconds(300), "all children wrote") {
                (0..<4).allSatisfy { FileManager.default.fileExists(atPath: folder.file("done-\($0)")) }
            }
            let database = try openNotes(path)
            #expect(try await database.noteCount() == 4 * ChildOrders.notesEach)
            try database.close()
        }
    }

    @Test("a process killed inside a transaction leaves nothing half done, and holds nobody up")
    func killedInTransaction() async throws {
        try await withFolder { folder in
            let path = folder.file("test.sqlite")
            let child = try await startChild("staysInTransaction", on: path, log: folder.file("child.log"))
            defer { child.end() }
            try await eventually(within: .seconds(300), "the child is inside its transaction") {
                FileManager.default.fileExists(atPath: folder.file("inside"))
            }
            let database = try openNotes(path)
            #expect(try await database.notes() == ["committed"])
            child.end()
            try await database.addNote("next")
            #expect(try await database.notes() == ["committed", "next"])
            try database.close()
        }
    }
}
