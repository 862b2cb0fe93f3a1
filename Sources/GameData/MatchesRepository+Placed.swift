import GRDB
import GameModel
import Records

extension MatchesRepository {
    /// The instances of a region that have a match which was placed and neither reported nor abandoned. It reads the
    /// whole index: for a process's start, not for each look.
    public func placedOn(in region: Region) async throws -> Set<InstanceID> {
        try await database.read { db in
            Set(
                try String.fetchAll(
                    db, sql: "SELECT DISTINCT instance_id FROM matches WHERE state = 'placed' AND region = ?",
                    arguments: [region.rawValue]
                ).map { InstanceID($0) })
        }
    }

    /// Matches that were placed before an instant and neither reported nor abandoned, oldest first, without rosters.
    /// - Parameter limit: 1 to 1,000; more is cut to that.
    public func placed(before instant: Instant, limit: Int = limitMax) async throws -> [MatchRecord] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT match_id FROM matches WHERE state = 'placed' AND placed_at < ?
                    ORDER BY placed_at, match_id LIMIT ?
                    """, arguments: [instant.milliseconds, limit]
            ).compactMap { try Self.header(MatchID($0), in: db) }
        }
    }
}
