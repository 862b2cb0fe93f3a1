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
    /// The instance that lost it; the match may have been placed on another since. `nil` where that is not known.
    public let instance: InstanceID?

    public init(match: MatchID, reason: Reason, instance: InstanceID?) {
        self.match = match
        self.reason = reason
        self.instance = instance
    }

    /// As it is on the list: `instance-died eu.1`.
    init(match: MatchID, entry: String) {
        let words = entry.split(separator: " ", maxSplits: 1)
        self.init(
            match: match, reason: words.first.flatMap { Reason(rawValue: String($0)) } ?? .instanceDied,
            instance: words.count == 2 ? InstanceID(String(words[1])) : nil)
    }
}

/// What one look for silent instances found.
public struct FleetReapReport: Sendable, Equatable {
    public var dead: [InstanceID] = []
    public var lost: [LostMatch] = []
}
