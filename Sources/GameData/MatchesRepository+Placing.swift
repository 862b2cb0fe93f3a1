import GRDB
import GameModel
import Records

/// Placing: how a match and its roster come into the book.
extension MatchesRepository {
    /// Writes a match with its roster. The allocator calls it before the players are told, so that the roster
    /// outlives Redis.
    /// - Throws: `GameDataError`: `.invalid`, `.unknownPatch`, `.ticketTaken`, `.rosterConflict`, `.matchEnded`.
    @discardableResult
    public func place(_ placement: MatchPlacement) async throws -> PlaceReply {
        try await place([placement])[0].get()
    }

    /// Writes many matches in one transaction, each as ``place(_:)`` does and in a savepoint: one that can't be written
    /// takes none of the others with it.
    /// - Returns: what became of each, in the order given.
    /// - Throws: where the transaction as a whole failed; then none is written.
    public func place(_ placements: [MatchPlacement]) async throws -> [Result<PlaceReply, any Error>] {
        try await database.write { db in try placements.map { try Self.reply(to: $0, in: db) } }
    }

    private static func reply(to placement: MatchPlacement, in db: Database) throws -> Result<PlaceReply, any Error> {
        do {
            try placement.validate()
            var reply = PlaceReply.placed
            try db.inSavepoint {
                reply = try place(placement, in: db)
                return .commit
            }
            return .success(reply)
        } catch let error as GameDataError {
            return .failure(error)
        } catch let error as DatabaseError where RecordsError(error) == nil && db.isInsideTransaction {
            // Any other is a fault of the file, which is everybody's.
            return .failure(error)
        }
    }

    private static func place(_ placement: MatchPlacement, in db: Database) throws -> PlaceReply {
        if let existing = try header(placement.matchId, in: db) {
            return try placeAgain(placement, existing: existing, in: db)
        }
        let known = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM patches WHERE patch = ?)")
        guard try Bool.fetchOne(known, arguments: [placement.patch.number]) == true else {
            throw GameDataError.unknownPatch(placement.patch)
        }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO matches (match_id, mode, region, instance_id, patch, rules, bots, state, placed_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'placed', ?)
                """)
        try statement.execute(arguments: [
            placement.matchId.rawValue, placement.mode.rawValue, placement.region.rawValue,
            placement.instanceId.rawValue, placement.patch.number, placement.rules, text(of: placement.bots),
            placement.placedAt.milliseconds,
        ])
        try insert(placement.roster, of: placement.matchId, placement.mode, at: placement.placedAt, in: db)
        return .placed
    }

    private static func placeAgain(
        _ placement: MatchPlacement, existing: MatchRecord, in db: Database
    ) throws -> PlaceReply {
        // Players who joined a running match are no part of the roster that it was placed with.
        let begun = try Set(roster(placement.matchId, late: false, in: db))
        guard begun == Set(placement.roster), text(of: existing.bots) == text(of: placement.bots) else {
            throw GameDataError.rosterConflict(placement.matchId)
        }
        if existing.state == .abandoned { throw GameDataError.matchEnded(existing.matchId, existing.state) }
        guard existing.instanceId != placement.instanceId else { return .alreadyPlaced }
        guard existing.state == .placed else { throw GameDataError.matchEnded(existing.matchId, existing.state) }
        try db.execute(
            sql: "UPDATE matches SET instance_id = ? WHERE match_id = ? AND state = 'placed'",
            arguments: [placement.instanceId.rawValue, placement.matchId.rawValue])
        return .moved(from: existing.instanceId)
    }
}
