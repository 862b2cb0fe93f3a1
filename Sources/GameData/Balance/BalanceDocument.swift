import GameModel

/// All numbers that the game is played by, as one document: what developers edit as a draft, publish as a patch, and
/// carry between houses as a file. Within a list, ids are unique; the order of a list is part of the document.
///
/// What each field may hold is told by ``BalanceFields``, once for the reader, the schema and the forms.
public struct BalanceDocument: Sendable, Hashable, Codable {
    public var characters: [Character]
    public var weapons: [Weapon]
    public var items: [Item]
    public var modes: [ModeData]

    /// Who a player plays.
    public struct Character: Sendable, Hashable, Codable {
        public var id: String
        public var name: String
        /// Hit points at the start of a match.
        public var health: Int
        /// Hit points that this character adds to each hit of its weapon.
        public var damage: Int
        /// The id of its weapon.
        public var weapon: String

        public init(id: String, name: String, health: Int, damage: Int, weapon: String) {
            self.id = id
            self.name = name
            self.health = health
            self.damage = damage
            self.weapon = weapon
        }
    }

    public struct Weapon: Sendable, Hashable, Codable {
        public var id: String
        public var name: String
        /// Hit points of one hit.
        public var damage: Int
        /// The least time between two hits.
        public var cooldownMs: Int

        public init(id: String, name: String, damage: Int, cooldownMs: Int) {
            self.id = id
            self.name = name
            self.damage = damage
            self.cooldownMs = cooldownMs
        }
    }

    /// Something that a character can carry, and what it adds to its bearer.
    public struct Item: Sendable, Hashable, Codable {
        public var id: String
        public var name: String
        /// Hit points that are added at the start; taken away where it is less than 0.
        public var health: Int
        /// Hit points that are added to each hit.
        public var damage: Int
        /// How much the weapon's cooldown becomes longer, in percent; shorter where it is less than 0.
        public var cooldownPercent: Int
        /// The ids of the characters that may carry it; empty: all of them.
        public var characters: [String]

        public init(
            id: String, name: String, health: Int = 0, damage: Int = 0, cooldownPercent: Int = 0,
            characters: [String] = []
        ) {
            self.id = id
            self.name = name
            self.health = health
            self.damage = damage
            self.cooldownPercent = cooldownPercent
            self.characters = characters
        }
    }

    /// How a match of a mode is played and won. Who is matched with whom is no part of it: that is in the rules of
    /// matchmaking, which know the mode by the same id.
    public struct ModeData: Sendable, Hashable, Codable {
        /// The mode's name in the rules of matchmaking.
        public var id: String
        public var name: String
        /// The fight's time, after which the score decides.
        public var durationSeconds: Int
        public var score: Score
        /// The score that ends the match at once; 0: nothing but the time does.
        public var scoreToWin: Int
        /// After how long a fallen player fights again; 0: not in this match.
        public var respawnSeconds: Int
        /// How many items each player may carry.
        public var itemSlots: Int

        public init(
            id: String, name: String, durationSeconds: Int, score: Score, scoreToWin: Int = 0,
            respawnSeconds: Int = 0, itemSlots: Int = 0
        ) {
            self.id = id
            self.name = name
            self.durationSeconds = durationSeconds
            self.score = score
            self.scoreToWin = scoreToWin
            self.respawnSeconds = respawnSeconds
            self.itemSlots = itemSlots
        }
    }

    /// What a team's score is.
    public enum Score: String, Sendable, Hashable, Codable, CaseIterable {
        /// The team that is left standing wins; in time, the one with the larger share of its health.
        case survival
        /// Each kill is a point.
        case kills
        /// Each hit point dealt is a point.
        case damage
    }

    public init(
        characters: [Character] = [], weapons: [Weapon] = [], items: [Item] = [], modes: [ModeData] = []
    ) {
        self.characters = characters
        self.weapons = weapons
        self.items = items
        self.modes = modes
    }

    /// What a new house begins with: the reference game's.
    public static let first = BalanceDocument(
        characters: [
            Character(id: "warden", name: "Warden", health: 1_400, damage: 20, weapon: "hammer"),
            Character(id: "ranger", name: "Ranger", health: 1_000, damage: 30, weapon: "bow"),
            Character(id: "shade", name: "Shade", health: 850, damage: 35, weapon: "daggers"),
            Character(id: "oracle", name: "Oracle", health: 950, damage: 25, weapon: "staff"),
        ],
        weapons: [
            Weapon(id: "hammer", name: "Hammer", damage: 90, cooldownMs: 1_200),
            Weapon(id: "bow", name: "Bow", damage: 70, cooldownMs: 900),
            Weapon(id: "daggers", name: "Daggers", damage: 40, cooldownMs: 500),
            Weapon(id: "staff", name: "Staff", damage: 80, cooldownMs: 1_000),
        ],
        items: [
            Item(id: "aegis", name: "Aegis", health: 150),
            Item(id: "whetstone", name: "Whetstone", damage: 10, characters: ["warden", "shade"]),
            Item(id: "quickstring", name: "Quickstring", cooldownPercent: -10, characters: ["ranger"]),
        ],
        modes: [
            ModeData(id: "duel", name: "Duel", durationSeconds: 180, score: .survival, itemSlots: 1),
            ModeData(id: "trio", name: "Trio", durationSeconds: 240, score: .survival, itemSlots: 1),
            ModeData(id: "squad", name: "Squad", durationSeconds: 300, score: .survival, itemSlots: 1),
        ])
}
