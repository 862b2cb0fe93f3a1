import Foundation
import GameModel
import Logging
import Records
import Synchronization

/// A day's events of one shard: the file `events/2026-11-26.3.sqlite`.
public struct EventFile: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var day: EventDay
    public var shard: Int

    public init(day: EventDay, shard: Int) {
        self.day = day
        self.shard = shard
    }

    /// Reads a file's name; `nil` for anything else, the files beside it (`-wal`, `-lock`) among it.
    init?(name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "sqlite", let day = EventDay(parts[0]), let shard = Int(parts[1]),
            (0..<GameDataKeys.shardCount).contains(shard)
        else { return nil }
        self.init(day: day, shard: shard)
    }

    public var name: String { "\(day).\(shard).sqlite" }
    public var description: String { "\(day).\(shard)" }

    public static func < (left: Self, right: Self) -> Bool { (left.day, left.shard) < (right.day, right.shard) }
}

/// The days' files of a data folder, opened when they are first asked for.
final class EventFiles: Sendable {
    private struct State {
        var open: [EventFile: RecordsDatabase] = [:]
        var isClosed = false
    }

    let folder: String
    private let logger: Logger
    private let state = Mutex(State())
    /// How many files are kept open: today's and yesterday's of each shard, and some that are read.
    private static let openMax = 16

    init(folder: String, logger: Logger) {
        self.folder = folder
        self.logger = logger
    }

    func path(of file: EventFile) -> String { "\(folder)/\(file.name)" }

    /// Every file there is, by day and shard.
    func all() -> [EventFile] {
        // No folder: no file.
        guard let names = FileManager.default.enumerator(atPath: folder) else { return [] }
        return names.compactMap { ($0 as? String).flatMap(EventFile.init(name:)) }.sorted()
    }

    /// The file's database, made where it is missing.
    func database(of file: EventFile) throws -> RecordsDatabase {
        try state.withLock { state in
            guard !state.isClosed else { throw RecordsError.closed }
            if let open = state.open[file] { return open }
            if state.open.count >= Self.openMax, let oldest = state.open.keys.min() {
                // Not closed: another shard may be reading it. It closes when the last who holds it lets go.
                state.open.removeValue(forKey: oldest)
            }
            let database = try RecordsDatabase.open(
                path: path(of: file), durability: .normal, schemas: [EventsSchema.daySchema], logger: logger)
            state.open[file] = database
            return database
        }
    }

    /// The file's database where there is one; reading makes none.
    func existing(_ file: EventFile) throws -> RecordsDatabase? {
        guard FileManager.default.fileExists(atPath: path(of: file)) else { return nil }
        return try database(of: file)
    }

    /// Removes a day's file and what SQLite keeps beside it.
    func remove(_ file: EventFile) throws {
        try state.withLock { state in try state.open.removeValue(forKey: file)?.close() }
        for ending in ["-wal", "-shm", "", "-lock"] {
            let path = path(of: file) + ending
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        }
    }

    func close() throws {
        let open = state.withLock { state in
            state.isClosed = true
            defer { state.open = [:] }
            return Array(state.open.values)
        }
        for database in open { try database.close() }
    }
}
