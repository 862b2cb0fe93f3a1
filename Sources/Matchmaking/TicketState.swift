/// Where a ticket is in its life. One table says which step may follow which; the Lua scripts keep to it, and a test
/// runs them against it.
public enum TicketState: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
    /// A party of which not all have joined yet.
    case forming
    /// Waits in its pool.
    case queued
    /// Is part of a match that not all its players have accepted yet.
    case proposed
    /// Its players accepted; others of the match have not yet.
    case accepted
    /// All accepted; the match gets a slot on an instance.
    case placing
    /// The players can connect.
    case ready
    case finished
    /// One of its players withdrew it, or turned the party down.
    case cancelled
    /// It waited too long, was abandoned, not joined or not accepted in time, or was lost with Redis.
    case expired
    /// One of its players declined the match.
    case declined
    /// Its match could not be played.
    case failed

    /// The states that one step leads to.
    public var next: Set<TicketState> {
        switch self {
        case .forming: [.queued, .cancelled, .expired]
        // Straight to placing where the mode wants no acceptance.
        case .queued: [.proposed, .placing, .cancelled, .expired]
        // Straight to placing where it is a running match that gets players, which nobody accepts for.
        case .proposed: [.accepted, .placing, .queued, .declined, .cancelled, .expired]
        case .accepted: [.placing, .queued, .cancelled]
        // Straight to finished where it asked for a running match's players, and they came.
        case .placing: [.ready, .queued, .finished, .failed]
        case .ready: [.finished, .failed]
        case .finished, .cancelled, .expired, .declined, .failed: []
        }
    }

    /// Whether nothing follows.
    public var isFinal: Bool { next.isEmpty }

    public var description: String { rawValue }
}

/// Where a match is in its life, from the ranker's proposal on.
public enum MatchState: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
    case proposed
    case placing
    case ready
    case finished
    /// A player declined, or withdrew the ticket.
    case declined
    case cancelled
    /// Not all accepted in time.
    case expired
    case failed

    public var next: Set<MatchState> {
        switch self {
        case .proposed: [.placing, .declined, .cancelled, .expired]
        // Straight to finished where its players went into a running match.
        case .placing: [.ready, .finished, .failed]
        case .ready: [.finished, .failed]
        case .finished, .declined, .cancelled, .expired, .failed: []
        }
    }

    public var isFinal: Bool { next.isEmpty }

    public var description: String { rawValue }
}
