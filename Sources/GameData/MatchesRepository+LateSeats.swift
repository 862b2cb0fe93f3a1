import GRDB
import GameModel
import Records

/// Seats that players take while a match is under way, and which they may not come to after all.
extension MatchesRepository {
    /// Takes seats back that ``addSeats(_:_:at:)`` added: their players were not told, and their tickets are free for
    /// another match. Seats that the match began with stay, as do all once the match has a result.
    public func removeSeats(_ match: MatchID, of tickets: Set<TicketID>) async throws {
        try await database.write { db in
            guard let header = try Self.header(match, in: db), header.state == .placed else { return }
            for ticket in tickets {
                try db.execute(
                    sql: "DELETE FROM match_players WHERE match_id = ? AND ticket_id = ? AND late = 1",
                    arguments: [match.rawValue, ticket.rawValue])
            }
        }
    }

    /// Whether a result can be that of the match: its players, and numbers that its patch allows.
    static func validate(_ result: MatchResult, of match: MatchRecord, in db: Database) throws {
        let seats = try roster(match.matchId, in: db)
        let roster = try rosterOfResult(result, match.matchId, in: db)
        try result.validate(roster: roster, teams: max(match.bots.count, (roster.map(\.team).max() ?? -1) + 1))
        guard let patch = try BalanceRepository.patch(match.patch, in: db) else {
            throw GameDataError.unknownPatch(match.patch)
        }
        try ResultBounds(match: match, patch: patch, roster: seats).validate(result)
    }

    /// The roster that a result is about. Who was to come late and is not named by it has never come: their instance
    /// may not even know of them, so these seats are removed, and nobody has lost by them.
    static func rosterOfResult(_ result: MatchResult, _ match: MatchID, in db: Database) throws -> [MatchSeat] {
        let named = Set(result.players.map(\.playerId))
        let begun = Set(try roster(match, late: false, in: db).map(\.playerId))
        let absent = try roster(match, in: db).map(\.playerId).filter { !named.contains($0) && !begun.contains($0) }
        for player in absent {
            try db.execute(
                sql: "DELETE FROM match_players WHERE match_id = ? AND player_id = ?",
                arguments: [match.rawValue, player.rawValue])
        }
        return try roster(match, in: db)
    }
}
