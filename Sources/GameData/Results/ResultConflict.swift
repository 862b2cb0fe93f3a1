import GameModel

/// A result that contradicts one that is stored, or that came for an abandoned match. The first stands; this one is
/// kept for a person to look at.
public struct ResultConflict: Sendable, Hashable, Codable {
    public var matchId: MatchID
    /// How the match stands.
    public var state: MatchRecord.State
    public var result: MatchResult
    /// The subject of the token that it came with.
    public var reportedBy: String
    public var reportedAt: Instant
    /// When a person has looked at it, and who.
    public var settledAt: Instant?
    public var settledBy: String?
}
