import GRDB
import GameModel
import Jobs
import Records

/// Matches in `data.sqlite`, from placing to their end. Every write is idempotent by match id, so whoever is not sure
/// whether their call arrived may repeat it. A result is stored together with the outbox row of the job that applies
/// it.
public struct MatchesRepository: Sendable {
    let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    // MARK: Seats and ends

    /// Adds players to a running match, who take the seats of some that left. Those stay on the roster: the result says
    /// of them that they left, and it must name the new ones too. The new seats are written before the players are
    /// told, like those of a match's begin; adding the same again changes nothing.
    /// - Throws: `GameDataError`: `.unknownMatch`, `.matchEnded` once it has a result or was abandoned, `.ticketTaken`,
    ///   `.invalid` where a team is not one of the match's or a player is on the roster by another ticket.
    public func addSeats(
        _ match: MatchID, _ seats: [MatchSeat], at instant: Instant = .now
    ) async throws -> AddSeatsReply {
        try await database.write { db in
            guard let header = try Self.header(match, in: db) else { throw GameDataError.unknownMatch(match) }
            let roster = try Self.roster(match, in: db)
            let known = Dictionary(roster.map { ($0.playerId, $0) }, uniquingKeysWith: { first, _ in first })
            let new = seats.filter { seat in
                guard let seated = known[seat.playerId] else { return true }
                return seated.ticketId != seat.ticketId || seated.team != seat.team
            }
            if new.isEmpty { return .alreadyAdded }
            guard header.state == .placed else { throw GameDataError.matchEnded(match, header.state) }
            try Self.validate(new, joining: roster, of: header)
            try Self.insert(
                new, of: match, header.mode, from: roster.count, isLate: true, at: instant, in: db)
            return .added(new.count)
        }
    }

    /// Stores how a match ended, and in the same transaction the job that will apply it. When this returns, the
    /// result is safe even if Redis loses everything. One that contradicts what is stored is kept beside it.
    /// - Parameter reporter: whose token it came with.
    /// - Throws: `GameDataError.invalid` naming the field that can't be of this match.
    public func recordResult(
        _ match: MatchID, _ result: MatchResult, by reporter: String = "", at instant: Instant = .now
    ) async throws -> RecordResultReply {
        let body = try result.canonicalText()
        return try await database.write { db in
            guard let header = try Self.header(match, in: db) else { return .unknownMatch }
            let stored = try String.fetchOne(
                db, sql: "SELECT body FROM match_results WHERE match_id = ?", arguments: [match.rawValue])
            if stored == body { return .alreadyRecorded }
            guard stored == nil, header.state.mayBecome(.reported) else {
                try ResultConflictsRepository.keep(body, of: match, by: reporter, at: instant, in: db)
                return .conflict
            }
            try Self.validate(result, of: header, in: db)
            try db.execute(
                sql: """
                    INSERT INTO match_results (match_id, winner, body, reported_by, reported_at)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [match.rawValue, result.winner, body, reporter, instant.milliseconds])
            try Self.move(match, from: header.state, to: .reported, endedAt: nil, reason: nil, in: db)
            let job = try EncodedJob(RecordMatchResult(matchId: match), id: RecordMatchResult.jobId(match))
            try Outbox.insert(
                OutboxEntry(
                    jobId: job.id.rawValue, queue: RecordMatchResult.queue.rawValue, kind: job.kind,
                    payload: job.payload, createdAt: instant.milliseconds),
                in: db)
            return .recorded
        }
    }

    /// Ends a match that has no result, its instance having died or forgotten it. Ratings are untouched; a result
    /// that comes later is refused. Its tickets are free for another match.
    ///
    /// - Parameter instance: the one that lost it: placed on another meanwhile, it is left as it is. `nil`: any.
    public func abandon(
        _ match: MatchID, on instance: InstanceID? = nil, reason: String, at instant: Instant = .now
    ) async throws -> AbandonReply {
        try await database.write { db in
            guard let header = try Self.header(match, in: db) else { return .unknownMatch }
            if let instance, header.instanceId != instance, header.state == .placed { return .elsewhere }
            if header.state == .abandoned { return .alreadyAbandoned }
            guard header.state.mayBecome(.abandoned) else { return .hasResult }
            try Self.move(match, from: header.state, to: .abandoned, endedAt: instant, reason: reason, in: db)
            try db.execute(
                sql: "UPDATE match_players SET abandoned = 1 WHERE match_id = ?", arguments: [match.rawValue])
            return .abandoned
        }
    }

    // MARK: Reading

    /// A match with roster and result; `nil` where it was never placed.
    public func match(_ match: MatchID) async throws -> MatchRecord? {
        try await database.read { db in
            guard var record = try Self.header(match, in: db) else { return nil }
            record.roster = try Self.roster(match, in: db)
            let row = try Row.fetchOne(
                db, sql: "SELECT body, reported_by, reported_at FROM match_results WHERE match_id = ?",
                arguments: [match.rawValue])
            if let row {
                record.result = try MatchResult.read(row["body"])
                record.reportedBy = row["reported_by"] == "" ? nil : row["reported_by"]
                record.reportedAt = Instant(milliseconds: row["reported_at"])
            }
            return record
        }
    }

    /// A match's seats, by team; empty for a match never placed.
    public func roster(_ match: MatchID) async throws -> [MatchSeat] {
        try await database.read { db in try Self.roster(match, in: db) }
    }

    /// The matches placed last, newest first, without rosters.
    /// - Parameter limit: 1 to 1,000; more is cut to that.
    public func recent(limit: Int) async throws -> [MatchRecord] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM matches ORDER BY placed_at DESC, match_id DESC LIMIT ?", arguments: [limit]
            ).map(Self.record)
        }
    }

    /// The matches that an instance has and has not reported, oldest first: what is abandoned when it dies.
    /// - Parameter limit: 1 to 1,000; more is cut to that.
    public func placed(on instance: InstanceID, limit: Int = limitMax) async throws -> [MatchID] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT match_id FROM matches WHERE instance_id = ? AND state = 'placed'
                    ORDER BY placed_at, match_id LIMIT ?
                    """, arguments: [instance.rawValue, limit]
            ).map { MatchID($0) }
        }
    }

    public static let limitMax = 1_000

    // MARK: Rows

    static func header(_ match: MatchID, in db: Database) throws -> MatchRecord? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM matches WHERE match_id = ?")
        return try Row.fetchOne(statement, arguments: [match.rawValue]).map(record)
    }

    /// - Parameter late: whether those are wanted too who joined while the match was under way.
    static func roster(_ match: MatchID, late: Bool = true, in db: Database) throws -> [MatchSeat] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT team, ticket_id, player_id, character, rating, role FROM match_players
                WHERE match_id = ? AND late <= ? ORDER BY team, seat
                """, arguments: [match.rawValue, late ? 1 : 0]
        ).map { row in
            MatchSeat(
                team: row["team"], ticketId: TicketID(row["ticket_id"]), playerId: PlayerID(row["player_id"]),
                character: row["character"], rating: row["rating"], role: row["role"])
        }
    }

    /// One step of a match's life. The state it comes from is in the statement, so a step taken meanwhile shows.
    static func move(
        _ match: MatchID, from: MatchRecord.State, to: MatchRecord.State, endedAt: Instant?, reason: String?,
        in db: Database
    ) throws {
        precondition(from.mayBecome(to), "a match can't go from \(from) to \(to)")
        try db.execute(
            sql: "UPDATE matches SET state = ?, ended_at = ?, reason = ? WHERE match_id = ? AND state = ?",
            arguments: [to.rawValue, endedAt?.milliseconds, reason, match.rawValue, from.rawValue])
        guard db.changesCount == 1 else { throw GameDataError.unknownMatch(match) }
    }

    private static func record(_ row: Row) -> MatchRecord {
        MatchRecord(
            matchId: MatchID(row["match_id"]), mode: Mode(row["mode"]), region: Region(row["region"]),
            instanceId: InstanceID(row["instance_id"]), patch: PatchVersion(row["patch"]), rules: row["rules"],
            bots: (row["bots"] as String).split(separator: ",").map { Int($0) ?? 0 },
            // The table's CHECK allows these names only.
            state: MatchRecord.State(rawValue: row["state"]) ?? .placed,
            placedAt: Instant(milliseconds: row["placed_at"]),
            endedAt: (row["ended_at"] as Int64?).map { Instant(milliseconds: $0) }, reason: row["reason"], roster: [])
    }

    /// Counts by team, as the table has them: `0,3`; empty where no bot plays.
    static func text(of bots: [Int]) -> String {
        bots.contains { $0 > 0 } ? bots.map(String.init).joined(separator: ",") : ""
    }

    /// Seats of players whose tickets are in no other match; those of an earlier one are refused first.
    static func insert(
        _ seats: [MatchSeat], of match: MatchID, _ mode: Mode, from first: Int = 0, isLate: Bool = false,
        at instant: Instant, in db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO match_players
                    (match_id, player_id, ticket_id, team, seat, character, rating, role, mode, late, placed_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        var tickets: Set<TicketID> = []
        for seat in seats where tickets.insert(seat.ticketId).inserted {
            try refuseTaken(seat.ticketId, for: match, in: db)
        }
        for (index, seat) in seats.enumerated() {
            try statement.execute(arguments: [
                match.rawValue, seat.playerId.rawValue, seat.ticketId.rawValue, seat.team, first + index,
                seat.character, seat.rating, seat.role, mode.rawValue, isLate ? 1 : 0, instant.milliseconds,
            ])
        }
    }

    private static func validate(
        _ seats: [MatchSeat], joining roster: [MatchSeat], of match: MatchRecord
    ) throws(GameDataError) {
        let teams = max(match.bots.count, (roster.map(\.team).max() ?? -1) + 1)
        var players = Set(roster.map(\.playerId))
        for (index, seat) in seats.enumerated() {
            guard (0..<teams).contains(seat.team) else {
                throw .invalid(
                    field: "seats[\(index)].team", detail: "\(seat.team) is not a team of the match: 0 to \(teams - 1)")
            }
            guard players.insert(seat.playerId).inserted else {
                throw .invalid(
                    field: "seats[\(index)].playerId", detail: "\(seat.playerId) has another seat in this match")
            }
        }
        guard roster.count + seats.count <= MatchPlacement.seatsMax else {
            throw .invalid(field: "seats", detail: "a match has \(MatchPlacement.seatsMax) seats at most")
        }
    }

    /// A party's members share a ticket, so it may be in many seats, but of one match.
    private static func refuseTaken(_ ticket: TicketID, for match: MatchID, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "SELECT match_id FROM match_players WHERE ticket_id = ? AND match_id <> ? AND abandoned = 0")
        let holder = try String.fetchOne(statement, arguments: [ticket.rawValue, match.rawValue])
        if let holder { throw GameDataError.ticketTaken(ticket, by: MatchID(holder)) }
    }
}
