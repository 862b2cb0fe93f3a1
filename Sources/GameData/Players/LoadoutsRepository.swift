import GRDB
import GameModel
import Records

/// What skin each player wears with each character. Whether the skin is theirs is the store's to say: what was taken
/// back meanwhile is still here, and left out by whoever reads.
public struct LoadoutsRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// The most characters that a loadout names.
    public static let charactersMax = 200

    /// A skin for each character that the player has chosen one for.
    public func loadout(of player: PlayerID) async throws -> [String: ProductID] {
        try await loadouts(of: [player])[player] ?? [:]
    }

    /// The same of several players; who chose nothing is absent.
    public func loadouts(of players: [PlayerID]) async throws -> [PlayerID: [String: ProductID]] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT character, skin FROM loadouts WHERE player_id = ? ORDER BY character")
            var found: [PlayerID: [String: ProductID]] = [:]
            for player in Set(players) {
                for row in try Row.fetchAll(statement, arguments: [player.rawValue]) {
                    found[player, default: [:]][row["character"]] = ProductID(row["skin"])
                }
            }
            return found
        }
    }

    /// Forgets what a player wore.
    public func remove(_ player: PlayerID) async throws {
        try await database.write { db in
            try db.execute(sql: "DELETE FROM loadouts WHERE player_id = ?", arguments: [player.rawValue])
        }
    }

    /// Puts a loadout in the place of the one before.
    /// - Throws: `GameDataError.invalid` naming the character that the current patch does not have.
    public func replace(
        _ loadout: [String: ProductID], of player: PlayerID, at instant: Instant = .now
    ) async throws {
        guard loadout.count <= Self.charactersMax else {
            throw GameDataError.invalid(
                field: "loadout", detail: "\(loadout.count) characters, \(Self.charactersMax) at most")
        }
        try await database.write { db in
            let known = try BalanceRepository.current(in: db).characters.map(\.id)
            if let character = loadout.keys.sorted().first(where: { !known.contains($0) }) {
                throw GameDataError.invalid(
                    field: character,
                    detail: "there is no such character; there are \(known.joined(separator: ", "))")
            }
            try db.execute(sql: "DELETE FROM loadouts WHERE player_id = ?", arguments: [player.rawValue])
            let statement = try db.cachedStatement(
                sql: "INSERT INTO loadouts (player_id, character, skin, changed_at) VALUES (?, ?, ?, ?)")
            for (character, skin) in loadout.sorted(by: { $0.key < $1.key }) {
                try statement.execute(arguments: [player.rawValue, character, skin.rawValue, instant.milliseconds])
            }
        }
    }
}
