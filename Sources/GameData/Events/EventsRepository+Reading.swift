import GRDB
import GameModel
import Records

/// Which stored events are wanted.
public struct EventQuery: Sendable, Hashable {
    public var kind: String?
    public var match: MatchID?
    public var player: PlayerID?
    /// When it was added to its stream, by Redis's clock; the first moment that counts.
    public var from: Instant?
    /// The first moment that no longer counts.
    public var to: Instant?
    /// The most events; 1 to 10,000.
    public var limit = 1_000
    /// Whether the newest come first, and are those that a limit keeps.
    public var isNewestFirst = false

    public init() {}
}

/// A stored event, with where it is.
public struct StoredEvent: Sendable, Hashable {
    public var shard: Int
    public var id: EventID
    public var flag: EventFlag
    public var event: EncodedEvent

    public init(shard: Int, id: EventID, flag: EventFlag, event: EncodedEvent) {
        self.shard = shard
        self.id = id
        self.flag = flag
        self.event = event
    }
}

extension EventsRepository {
    /// An event that was set apart, or an entry of which nothing can be read.
    public struct Quarantined: Sendable, Hashable {
        public var shard: Int
        /// As an ``EventID`` is written.
        public var entryId: String
        public var reason: String
        /// The event, or the entry's fields, `name=value` on a line each.
        public var fields: String
    }

    public static let limitMax = 10_000

    /// How many events are stored.
    public func count() async throws -> Int {
        var count = try await countOfFirstForm()
        for file in files.all() {
            count += try await read(file) { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM events") ?? 0 } ?? 0
        }
        return count
    }

    /// The files there are, by day and shard, with their paths.
    public func paths() -> [(file: EventFile, path: String)] { files.all().map { ($0, files.path(of: $0)) } }

    /// The events of a match by time.
    /// - Parameter limit: 1 to 10,000; more is cut to that.
    public func events(of match: MatchID, limit: Int = limitMax) async throws -> [EncodedEvent] {
        var query = EventQuery()
        query.match = match
        query.limit = limit
        return try await events(query).map(\.event).sorted { $0.at < $1.at }
    }

    /// Events in the order in which they were added to the streams. A match's are found by an index in one shard; what
    /// is asked for by player or kind is looked for in every row of the time asked for.
    public func events(_ query: EventQuery) async throws -> [StoredEvent] {
        let limit = min(max(query.limit, 1), Self.limitMax)
        var found: [StoredEvent] = []
        var day: EventDay?
        for file in query.isNewestFirst ? files.all().reversed() : files.all() where query.isIn(file) {
            // All shards of a day are read: which of them has the next event is not known before.
            if file.day != day, found.count >= limit { break }
            day = file.day
            let after = query.isNewestFirst ? nil : Int64(-1)
            found += try await page(query, of: file, after: after, limit: limit)
        }
        found += try await firstForm(query, limit: limit)
        found.sort {
            query.isNewestFirst ? ($1.id, $1.shard) < ($0.id, $0.shard) : ($0.id, $0.shard) < ($1.id, $1.shard)
        }
        return Array(found.prefix(limit))
    }

    /// Hands over every event that is wanted, whatever their number, a page at a time: those from before days had
    /// files, then by day, shard and id.
    public func export(_ query: EventQuery, _ body: ([StoredEvent]) async throws -> Void) async throws {
        try await exportFirstForm(query, body)
        for file in files.all() where query.isIn(file) {
            var after = Int64(-1)
            while true {
                let page = try await page(query, of: file, after: after, limit: Self.limitMax)
                if !page.isEmpty { try await body(page) }
                guard page.count == Self.limitMax, let last = page.last?.id.row else { break }
                after = last
            }
        }
    }

    /// How many events are stored, as their batches counted them: for who asks often, where ``count()`` looks at every
    /// row.
    public func countedEvents() async throws -> Int {
        var count = 0
        for file in files.all() {
            count +=
                try await read(file) { db in
                    try Int.fetchOne(db, sql: "SELECT COALESCE(SUM(events), 0) FROM stream_totals") ?? 0
                } ?? 0
        }
        return count
    }

    /// The end of the newest entry that is stored of a shard; `nil` where none is.
    func newest(_ shard: Int) async throws -> EventID? {
        for file in files.all().reversed() where file.shard == shard {
            let row = try await read(file) { db in try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM events") }
            if let row = row ?? nil { return .end(of: EventID(row: row, on: file.day).entry) }
        }
        return nil
    }

    /// Events of a shard after one, in the order of their ids.
    func after(_ id: EventID, shard: Int, limit: Int) async throws -> [StoredEvent] {
        var found: [StoredEvent] = []
        for file in files.all() where file.shard == shard && file.day >= id.entry.day && found.count < limit {
            let after = file.day == id.entry.day ? id.row ?? .max : -1
            found += try await page(EventQuery(), of: file, after: after, limit: limit - found.count)
        }
        return found
    }

    /// Rows after one of a file, or its last ones, newest first, where `after` is `nil`.
    private func page(
        _ query: EventQuery, of file: EventFile, after: Int64?, limit: Int
    ) async throws -> [StoredEvent] {
        var wheres = ["id > ?"]
        var arguments: StatementArguments = [after ?? -1]
        func want(_ clause: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            wheres.append(clause)
            arguments += [value]
        }
        want("kind = ?", query.kind)
        want("match_id = ?", query.match?.rawValue)
        want("player_id = ?", query.player?.rawValue)
        want("id >= ?", query.from.flatMap { Self.firstRow(at: $0, on: file.day) })
        want("id < ?", query.to.flatMap { Self.firstRow(at: $0, on: file.day) })
        let sql = """
            SELECT * FROM events WHERE \(wheres.joined(separator: " AND "))
            ORDER BY id \(after == nil ? "DESC" : "ASC") LIMIT \(limit)
            """
        return try await read(file) { [arguments] db in
            try Row.fetchAll(db, sql: sql, arguments: arguments).map { StoredEvent($0, file) }
        } ?? []
    }

    /// The first row that a moment may have in a day's file; `nil` where the moment is not on that day.
    private static func firstRow(at instant: Instant, on day: EventDay) -> Int64? {
        let id = StreamEntryID(milliseconds: UInt64(max(0, instant.milliseconds)), sequence: 0)
        return id.day == day ? id.firstRow : nil
    }

    /// What was set apart, by day, shard and id.
    /// - Parameter limit: 1 to 10,000; more is cut to that.
    public func quarantined(limit: Int = limitMax) async throws -> [Quarantined] {
        let limit = min(max(limit, 1), Self.limitMax)
        var found = try await quarantinedOfFirstForm(limit: limit)
        for file in files.all() where found.count < limit {
            let left = limit - found.count
            found +=
                try await read(file) { db in
                    try Row.fetchAll(
                        db, sql: "SELECT * FROM quarantined_events ORDER BY quarantined_at, entry_id LIMIT ?",
                        arguments: [left]
                    ).map {
                        Quarantined(
                            shard: file.shard, entryId: $0["entry_id"], reason: $0["reason"], fields: $0["fields"])
                    }
                } ?? []
        }
        return found
    }

    private func read<T: Sendable>(
        _ file: EventFile, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws -> T? {
        try await files.existing(file)?.read(body)
    }
}

extension EventQuery {
    /// Whether the file may hold what is wanted.
    fileprivate func isIn(_ file: EventFile) -> Bool {
        if let match, GameDataKeys.shard(for: match.rawValue) != file.shard { return false }
        if let from, file.day < EventDay(at: from) { return false }
        if let to, EventDay(at: to) < file.day { return false }
        return true
    }
}

extension StoredEvent {
    fileprivate init(_ row: Row, _ file: EventFile) {
        self.init(
            shard: file.shard, id: EventID(row: row["id"], on: file.day),
            flag: EventFlag(rawValue: row["flag"]) ?? .unknownKind,
            event: EncodedEvent(
                kind: row["kind"], version: row["version"], at: Instant(milliseconds: row["at"]),
                matchId: (row["match_id"] as String?).map { MatchID($0) },
                playerId: (row["player_id"] as String?).map { PlayerID($0) }, json: row["json"]))
    }
}
