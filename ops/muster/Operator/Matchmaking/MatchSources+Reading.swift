import Foundation
import GameData
import GameModel
import Logging
import Records

extension MatchSources {
    /// Adds what the files of a data folder have of a match; files that are not there are left alone.
    mutating func read(_ id: MatchID, in folder: String) async throws {
        let quiet = Logger(label: "matches", factory: { _ in SwiftLogNoOpLogHandler() })
        hasRecords = FileManager.default.fileExists(atPath: "\(folder)/data.sqlite")
        if hasRecords {
            (record, ratings, conflicts) = try await DataFile.with(folder) { database in
                (
                    try await MatchesRepository(database: database).match(id),
                    try await RatingHistoryRepository(database: database).changes(by: id),
                    try await ResultConflictsRepository(database: database).conflicts(of: id)
                )
            }
        }
        guard FileManager.default.fileExists(atPath: "\(folder)/events.sqlite") else { return }
        let store = try EventsRepository.open(folder: folder, logger: quiet)
        do {
            events = try await store.events(of: id)
        } catch {
            try store.close()
            throw error
        }
        try store.close()
    }
}

/// `data.sqlite` for as long as a command needs it.
enum DataFile {
    /// - Throws: `CommandFailure` where the folder has no such file: it is not filled with an empty one.
    static func with<Value>(_ folder: String, _ body: (RecordsDatabase) async throws -> Value) async throws -> Value {
        guard FileManager.default.fileExists(atPath: "\(folder)/data.sqlite") else {
            throw CommandFailure(
                "There is no data.sqlite in \(folder).", nextStep: "Name the data folder: --data FOLDER.")
        }
        let quiet = Logger(label: "data", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: quiet)
        let value: Value
        do {
            value = try await body(database)
        } catch {
            try database.close()
            throw error
        }
        try database.close()
        return value
    }
}
