import GameModel

/// A player of a ticket, with all that the rules judge by.
public struct TicketMember: Sendable, Hashable {
    public var player: PlayerID
    public var skill: Skill
    /// Matches played in the mode.
    public var games: Int
    /// Wins in a row; losses in a row where negative.
    public var streak: Int
    /// The share of matches left before their end, 0 to 1.
    public var leaverRate: Double
    public var character: String?
    /// The roles that the player would take, best first; empty = any.
    public var roles: [String]
    /// Whether the player takes no other role than those, however long it takes.
    public var insistsOnRoles: Bool
    /// In ms, by region.
    public var latencies: [Region: Double]
    public var attributes: [String: AttributeValue]
    /// Players that this one does not want to meet.
    public var avoids: [PlayerID]
    /// The last opponents, the latest first.
    public var recentOpponents: [PlayerID]

    public init(
        player: PlayerID, skill: Skill = .unknown, games: Int = 0, streak: Int = 0, leaverRate: Double = 0,
        character: String? = nil, roles: [String] = [], insistsOnRoles: Bool = false,
        latencies: [Region: Double] = [:], attributes: [String: AttributeValue] = [:], avoids: [PlayerID] = [],
        recentOpponents: [PlayerID] = []
    ) {
        self.player = player
        self.skill = skill
        self.games = games
        self.streak = streak
        self.leaverRate = leaverRate
        self.character = character
        self.roles = roles
        self.insistsOnRoles = insistsOnRoles
        self.latencies = latencies
        self.attributes = attributes
        self.avoids = avoids
        self.recentOpponents = recentOpponents
    }
}

extension TicketMember: Codable {
    // Short, because each waiting ticket holds it in Redis; what is empty is left out.
    private enum CodingKeys: String, CodingKey {
        case player = "p"
        case rating = "r"
        case deviation = "d"
        case games = "g"
        case streak = "s"
        case leaverRate = "q"
        case character = "c"
        case roles = "o"
        case insistsOnRoles = "i"
        case latencies = "l"
        case attributes = "a"
        case avoids = "x"
        case recentOpponents = "h"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        player = try container.decode(PlayerID.self, forKey: .player)
        skill = Skill(
            rating: try container.decode(Double.self, forKey: .rating),
            deviation: try container.decode(Double.self, forKey: .deviation))
        games = try container.decodeIfPresent(Int.self, forKey: .games) ?? 0
        streak = try container.decodeIfPresent(Int.self, forKey: .streak) ?? 0
        leaverRate = try container.decodeIfPresent(Double.self, forKey: .leaverRate) ?? 0
        character = try container.decodeIfPresent(String.self, forKey: .character)
        roles = try container.decodeIfPresent([String].self, forKey: .roles) ?? []
        insistsOnRoles = try container.decodeIfPresent(Bool.self, forKey: .insistsOnRoles) ?? false
        let named = try container.decodeIfPresent([String: Double].self, forKey: .latencies) ?? [:]
        latencies = Dictionary(uniqueKeysWithValues: named.map { (Region($0.key), $0.value) })
        attributes = try container.decodeIfPresent([String: AttributeValue].self, forKey: .attributes) ?? [:]
        avoids = try container.decodeIfPresent([PlayerID].self, forKey: .avoids) ?? []
        recentOpponents = try container.decodeIfPresent([PlayerID].self, forKey: .recentOpponents) ?? []
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(player, forKey: .player)
        try container.encode(skill.rating, forKey: .rating)
        try container.encode(skill.deviation, forKey: .deviation)
        if games != 0 { try container.encode(games, forKey: .games) }
        if streak != 0 { try container.encode(streak, forKey: .streak) }
        if leaverRate != 0 { try container.encode(leaverRate, forKey: .leaverRate) }
        try container.encodeIfPresent(character, forKey: .character)
        if !roles.isEmpty { try container.encode(roles, forKey: .roles) }
        if insistsOnRoles { try container.encode(true, forKey: .insistsOnRoles) }
        if !latencies.isEmpty {
            let named = Dictionary(uniqueKeysWithValues: latencies.map { ($0.key.rawValue, $0.value) })
            try container.encode(named, forKey: .latencies)
        }
        if !attributes.isEmpty { try container.encode(attributes, forKey: .attributes) }
        if !avoids.isEmpty { try container.encode(avoids, forKey: .avoids) }
        if !recentOpponents.isEmpty { try container.encode(recentOpponents, forKey: .recentOpponents) }
    }
}
