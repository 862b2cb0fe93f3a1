import GameModel

/// A match as SQLite has it: where it runs, who is in it, how it ended.
public struct MatchRecord: Sendable, Hashable {
    public var matchId: MatchID
    public var mode: Mode
    public var region: Region
    public var instanceId: InstanceID
    public var patch: PatchVersion
    public var state: MatchRecord.State
    public var placedAt: Instant
    /// When the result was stored.
    public var reportedAt: Instant?
    /// When the result was applied, or the match abandoned.
    public var endedAt: Instant?
    /// Why it was abandoned.
    public var reason: String?
    /// By team, then in the order of placing.
    public var roster: [MatchSeat]
    public var result: MatchResult?

    /// The roster by team: `teams[0]` are the seats of team 0.
    public var teams: [[MatchSeat]] {
        let count = (roster.map(\.team).max() ?? -1) + 1
        return (0..<count).map { team in roster.filter { $0.team == team } }
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
    public var kills: Int?
    public var deaths: Int?
    public var damage: Int?
    public var ratingBefore: Double?
    public var ratingAfter: Double?
}
