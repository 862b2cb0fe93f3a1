import GRDB
import GameModel
import Records

/// Events that were stored before days had files: they stay in `events.sqlite`, in the tables `events_v1` and
/// `quarantined_v1`, are found and exported like others, and count in no total. Nothing removes them.
extension EventsRepository {
    /// The parts of an entry's id, which these tables have as text.
    private static let milliseconds = "CAST(substr(entry_id, 1, instr(entry_id, '-') - 1) AS INTEGER)"
    private static let sequence = "CAST(substr(entry_id, instr(entry_id, '-') + 1) AS INTEGER)"

    func countOfFirstForm() async throws -> Int {
        try await totals.read { db in
            guard try db.tableExists(EventsSchema.firstEvents) else { return 0 }
            return try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(EventsSchema.firstEvents)") ?? 0
        }
    }

    /// The first or last events that are wanted, by id.
    func firstForm(_ query: EventQuery, limit: Int) async throws -> [StoredEvent] {
        let order = query.isNewestFirst ? "DESC" : "ASC"
        let by = [Self.milliseconds, Self.sequence, "stream"].map { "\($0) \(order)" }.joined(separator: ", ")
        return try await firstForm(query, after: -1, orderedBy: by, limit: limit).map(\.event)
    }

    /// Hands over every one that is wanted, in the order in which they were stored.
    func exportFirstForm(_ query: EventQuery, _ body: ([StoredEvent]) async throws -> Void) async throws {
        var after = Int64(-1)
        while true {
            let page = try await firstForm(query, after: after, orderedBy: "rowid", limit: Self.limitMax)
            if !page.isEmpty { try await body(page.map(\.event)) }
            guard page.count == Self.limitMax, let last = page.last?.row else { return }
            after = last
        }
    }

    func quarantinedOfFirstForm(limit: Int) async throws -> [Quarantined] {
        try await totals.read { db in
            guard try db.tableExists(EventsSchema.firstQuarantine) else { return [] }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM \(EventsSchema.firstQuarantine) ORDER BY quarantined_at, stream, entry_id LIMIT ?
                    """, arguments: [limit]
            ).map {
                Quarantined(shard: $0["stream"], entryId: $0["entry_id"], reason: $0["reason"], fields: $0["fields"])
            }
        }
    }

    private func firstForm(
        _ query: EventQuery, after row: Int64, orderedBy order: String, limit: Int
    ) async throws -> [(row: Int64, event: StoredEvent)] {
        try await totals.read { [kinds] db in
            guard try db.tableExists(EventsSchema.firstEvents) else { return [] }
            var wheres = ["rowid > ?"]
            var arguments: StatementArguments = [row]
            func want(_ clause: String, _ value: (any DatabaseValueConvertible)?) {
                guard let value else { return }
                wheres.append(clause)
                arguments += [value]
            }
            want("kind = ?", query.kind)
            want("match_id = ?", query.match?.rawValue)
            want("player_id = ?", query.player?.rawValue)
            want("\(Self.milliseconds) >= ?", query.from?.milliseconds)
            want("\(Self.milliseconds) < ?", query.to?.milliseconds)
            arguments += [limit]
            let sql = """
                SELECT rowid, * FROM \(EventsSchema.firstEvents) WHERE \(wheres.joined(separator: " AND "))
                ORDER BY \(order) LIMIT ?
                """
            return try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
                let kind: String = row["kind"]
                return (
                    row["rowid"],
                    StoredEvent(
                        shard: row["stream"],
                        id: EventID(row["entry_id"] as String)
                            ?? EventID(StreamEntryID(milliseconds: 0, sequence: 0)),
                        flag: kinds.kinds.contains { $0.name == kind } ? .known : .unknownKind,
                        event: EncodedEvent(
                            kind: kind, at: Instant(milliseconds: row["at"]),
                            matchId: (row["match_id"] as String?).map { MatchID($0) },
                            playerId: (row["player_id"] as String?).map { PlayerID($0) }, json: row["json"]))
                )
            }
        }
    }
}
