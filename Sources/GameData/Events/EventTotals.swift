import GameModel

/// How a character fared: the sum over its matches.
public struct CharacterTotals: Sendable, Hashable, Codable {
    /// Matches that it was played in.
    public var picks = 0
    public var wins = 0
    public var draws = 0
    /// Matches that its player quit.
    public var leaves = 0
    public var kills = 0
    public var deaths = 0
    /// Hit points taken from others.
    public var damage = 0
    public var durationMs = 0

    public init() {}

    mutating func add(_ player: FinishedPlayer) {
        picks.raise(by: 1)
        wins.raise(by: player.outcome == .won ? 1 : 0)
        draws.raise(by: player.outcome == .drawn ? 1 : 0)
        leaves.raise(by: player.left ? 1 : 0)
        kills.raise(by: player.kills)
        deaths.raise(by: player.deaths)
        damage.raise(by: player.damage)
        durationMs.raise(by: Int(clamping: player.durationMs))
    }
}

/// How a player's matches in a region went: what the matcher would know of who has no other record.
public struct PlayerRegionTotals: Sendable, Hashable, Codable {
    public var matches = 0
    public var leaves = 0
    /// The sum of the measured round trips, ms.
    public var latencyMs = 0.0
    /// How many round trips were measured.
    public var latencies = 0

    public init() {}

    /// The mean round trip, ms; `nil` where none was measured.
    public var averageLatencyMs: Double? { latencies > 0 ? latencyMs / Double(latencies) : nil }
    /// The share of matches that the player quit, 0 to 1.
    public var leaverRate: Double { matches > 0 ? Double(leaves) / Double(matches) : 0 }

    mutating func add(_ player: FinishedPlayer) {
        matches.raise(by: 1)
        leaves.raise(by: player.left ? 1 : 0)
        if let latency = player.latencyMs, latency.isFinite {
            latencyMs = min(latencyMs + latency, Double(Int.totalMax))
            latencies.raise(by: 1)
        }
    }
}

extension Int {
    /// Where a total stops, here and in the files: thousands of such sums still add up within an `Int`, and a `Double`
    /// holds each exactly.
    static let totalMax = 1_000_000_000_000_000

    /// Adds without ever trapping, up to ``totalMax``.
    mutating func raise(by more: Int) {
        let (sum, isOver) = addingReportingOverflow(more)
        self = isOver ? (more > 0 ? Self.totalMax : -Self.totalMax) : Swift.min(sum, Self.totalMax)
    }
}

/// What a batch adds to the totals of its day.
struct EventTotals: Sendable {
    struct Character: Hashable { let patch: Int, mode: String, character: String }
    struct Place: Hashable { let player: String, region: String }

    var characters: [Character: CharacterTotals] = [:]
    var places: [Place: PlayerRegionTotals] = [:]

    mutating func add(_ player: FinishedPlayer, of name: String) {
        let character = Character(
            patch: player.patch.number, mode: player.mode.rawValue, character: player.character)
        characters[character, default: CharacterTotals()].add(player)
        places[Place(player: name, region: player.region.rawValue), default: PlayerRegionTotals()].add(player)
    }
}
