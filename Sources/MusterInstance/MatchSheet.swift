import Foundation
import GameModel

/// All that an instance is told about a match: `GET /v1/fleet/matches/{id}`, with the balance of its patch.
public struct MatchSheet: Codable, Sendable, Equatable {
    public var matchId: MatchID
    public var mode: Mode
    public var region: Region
    /// The patch that the match is pinned to from its first moment to its last.
    public var patch: PatchVersion
    public var teams: [[Player]]
    /// Seats of each team that bots take; empty or absent where none plays.
    public var bots: [Int]?
    /// Whether the match may ask for players when some leave.
    public var canBackfill: Bool?
    public var balance: Balance

    public struct Player: Codable, Sendable, Equatable {
        public var playerId: PlayerID
        public var displayName: String
        /// The id of a character of the patch.
        public var character: String
        /// Strength on the scale of the mode's rating system.
        public var rating: Double
        /// What the player does in the team; absent where the mode has no roles.
        public var role: String?
        /// The skins that the player owns.
        public var skins: [ProductID]
        /// The one that the player wears with this character; absent where they chose none of theirs.
        public var skin: ProductID?

        public init(
            playerId: PlayerID, displayName: String, character: String, rating: Double, role: String? = nil,
            skins: [ProductID], skin: ProductID? = nil
        ) {
            self.playerId = playerId
            self.displayName = displayName
            self.character = character
            self.rating = rating
            self.role = role
            self.skins = skins
            self.skin = skin
        }
    }

    /// What a patch says of characters and weapons: `GET /v1/patches/{n}`.
    public struct Balance: Codable, Sendable, Equatable {
        public var characters: [Character]
        public var weapons: [Weapon]

        public init(characters: [Character], weapons: [Weapon]) {
            self.characters = characters
            self.weapons = weapons
        }
    }

    public struct Character: Codable, Sendable, Equatable {
        public var id: String
        public var name: String
        /// Hit points at the start.
        public var health: Int
        /// Hit points added to each hit of the weapon.
        public var damage: Int
        /// The id of the weapon.
        public var weapon: String

        public init(id: String, name: String, health: Int, damage: Int, weapon: String) {
            self.id = id
            self.name = name
            self.health = health
            self.damage = damage
            self.weapon = weapon
        }
    }

    public struct Weapon: Codable, Sendable, Equatable {
        public var id: String
        public var name: String
        /// Hit points of one hit.
        public var damage: Int
        /// The least time between two hits, in ms.
        public var cooldownMs: Int

        public init(id: String, name: String, damage: Int, cooldownMs: Int) {
            self.id = id
            self.name = name
            self.damage = damage
            self.cooldownMs = cooldownMs
        }
    }

    public init(
        matchId: MatchID, mode: Mode, region: Region, patch: PatchVersion, teams: [[Player]], bots: [Int]? = nil,
        canBackfill: Bool? = nil, balance: Balance
    ) {
        self.matchId = matchId
        self.mode = mode
        self.region = region
        self.patch = patch
        self.teams = teams
        self.bots = bots
        self.canBackfill = canBackfill
        self.balance = balance
    }

    /// Which team a player is in.
    public func seat(of player: PlayerID) -> (team: Int, player: Player)? {
        for (team, players) in teams.enumerated() {
            if let found = players.first(where: { $0.playerId == player }) { return (team, found) }
        }
        return nil
    }

    /// The character that a player plays; the first of the patch where the named one is not in it.
    public func character(of player: Player) -> Character? {
        balance.characters.first { $0.id == player.character } ?? balance.characters.first
    }

    public var players: [Player] { teams.flatMap { $0 } }

    public var playerCount: Int { teams.reduce(0) { $0 + $1.count } }

    /// How many teams there are, those of bots alone among them.
    public var teamCount: Int { max(teams.count, bots?.count ?? 0) }
}

/// The sheet as it comes: without the balance, which is fetched once for each patch, or with it.
struct SheetReply: Decodable, Sendable {
    private struct Roster: Decodable {
        var matchId: MatchID
        var mode: Mode
        var region: Region
        var patch: PatchVersion
        var teams: [[MatchSheet.Player]]
        var bots: [Int]?
        var canBackfill: Bool?
        var balance: MatchSheet.Balance?
    }

    private let roster: Roster

    init(from decoder: any Decoder) throws { roster = try Roster(from: decoder) }

    var patch: PatchVersion { roster.patch }
    var balance: MatchSheet.Balance? { roster.balance }

    func sheet(with balance: MatchSheet.Balance) -> MatchSheet {
        MatchSheet(
            matchId: roster.matchId, mode: roster.mode, region: roster.region, patch: roster.patch,
            teams: roster.teams, bots: roster.bots, canBackfill: roster.canBackfill, balance: balance)
    }
}
