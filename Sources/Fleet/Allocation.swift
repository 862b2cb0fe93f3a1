import GameModel

/// The slot that a match was given: which instance, and where players reach it.
public struct Allocation: Sendable, Equatable {
    public let match: MatchID
    public let instance: InstanceID
    public let host: String
    public let port: Int
    /// When the slot was taken, by Redis `TIME`.
    public let at: Instant
    /// Whether this call took it; `false` where an earlier call had.
    public let isNew: Bool
}

/// A match that will not end by itself any more, until ``FleetService/settleLost(_:in:)`` is told that it was handled.
public struct LostMatch: Sendable, Hashable {
    public enum Reason: String, Sendable {
        /// Its instance ended or fell silent.
        case instanceDied = "instance-died"
        /// No player joined in time.
        case notJoined = "not-joined"
    }

    public let match: MatchID
    public let reason: Reason

    public init(match: MatchID, reason: Reason) {
        self.match = match
        self.reason = reason
    }
}

/// What one look for silent instances found.
public struct FleetReapReport: Sendable, Equatable {
    public var dead: [InstanceID] = []
    public var lost: [LostMatch] = []
}
