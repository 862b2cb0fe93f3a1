import GameModel

/// A match as SQLite has it: where it runs, who is in it, how it ended.
public struct MatchRecord: Sendable, Hashable {
    public var matchId: MatchID
    public var mode: Mode
    public var region: Region
    public var instanceId: InstanceID
    public var patch: PatchVersion
    /// The version of the rules that the match was made by.
    public var rules: String
    /// How many bots each team has; empty where none plays.
    public var bots: [Int]
    public var state: MatchRecord.State
    public var placedAt: Instant
    /// When the result was stored.
    public var reportedAt: Instant?
    /// The subject of the token that the result came with; absent where it was not kept.
    public var reportedBy: String?
    /// When the result was applied, or the match abandoned.
    public var endedAt: Instant?
    /// Why it was abandoned.
    public var reason: String?
    /// By team, then in the order of placing.
    public var roster: [MatchSeat]
    public var result: MatchResult?

    /// Whether the result changes ratings: it does not where bots played.
    public var isRated: Bool { !bots.contains { $0 > 0 } }

    /// How many teams there are, those of bots alone among them.
    public var teamCount: Int { max(bots.count, (roster.map(\.team).max() ?? -1) + 1) }

    /// The roster by team: `teams[0]` are the seats of team 0. A team of bots alone has none.
    public var teams: [[MatchSeat]] {
        (0..<teamCount).map { team in roster.filter { $0.team == team } }
    }
}

/// One line of a player's match history.
public struct MatchSummary: Sendable, Hashable, Codable {
    public enum Outcome: String, Sendable, Hashable, Codable { case won, lost, drawn, abandoned }

    public var matchId: MatchID
    public var mode: Mode
    public var region: Region
    public var patch: PatchVersion
    public var state: MatchRecord.State
    public var placedAt: Instant
    public var endedAt: Instant?
    public var team: Int
    public var character: String
    /// Absent until the match has ended.
    public var outcome: Outcome?
    /// True for who left before the end; absent for all others.
    public var left: Bool?
    public var kills: Int?
    public var deaths: Int?
    public var damage: Int?
    public var ratingBefore: Double?
    public var ratingAfter: Double?
}
