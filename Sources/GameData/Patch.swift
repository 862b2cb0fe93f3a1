import GameModel

/// A published version of the balance data. Once published it never changes, so it may be cached for ever.
public struct Patch: Sendable, Hashable, Codable {
    public var patch: PatchVersion
    public var publishedAt: Instant
    public var characters: [Character]
    public var weapons: [Weapon]

    /// Who a player plays.
    public struct Character: Sendable, Hashable, Codable {
        public var id: String
        public var name: String
        /// Hit points at the start of a match, 1 to 10,000.
        public var health: Int
        /// Hit points that this character adds to each hit of its weapon, 0 to 1,000.
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

    public init(patch: PatchVersion, publishedAt: Instant, characters: [Character], weapons: [Weapon]) {
        self.patch = patch
        self.publishedAt = publishedAt
        self.characters = characters
        self.weapons = weapons
    }

    /// A copy as the next patch would be, with one character changed.
    /// - Throws: `GameDataError.unknownCharacter`; `.invalid` naming `health` or `damage`.
    public func edited(
        character id: String, health: Int? = nil, damage: Int? = nil, at instant: Instant
    ) throws(GameDataError) -> Patch {
        guard health != nil || damage != nil else {
            throw .invalid(field: "health", detail: "give health, damage or both")
        }
        if let health, !Self.healthRange.contains(health) {
            throw .invalid(field: "health", detail: "\(health) is not in 1 to 10000")
        }
        if let damage, !Self.damageRange.contains(damage) {
            throw .invalid(field: "damage", detail: "\(damage) is not in 0 to 1000")
        }
        guard let index = characters.firstIndex(where: { $0.id == id }) else { throw .unknownCharacter(id) }
        var next = self
        next.patch = PatchVersion(patch.number + 1)
        next.publishedAt = instant
        if let health { next.characters[index].health = health }
        if let damage { next.characters[index].damage = damage }
        return next
    }

    public static let healthRange = 1...10_000
    public static let damageRange = 0...1_000

    /// What a new house begins with.
    public static func first(at instant: Instant) -> Patch {
        Patch(
            patch: PatchVersion(1), publishedAt: instant,
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
            ])
    }
}
