import GameModel

/// Finds a place for a match: a slot of the instances that Muster keeps itself, or a game server of a cluster that
/// keeps its own.
///
/// Idempotent by match id: the same match asked again gets the same place, as long as its instance lives.
public protocol MatchAllocator: Sendable {
    /// A place for the match; `nil` where none is free now.
    func allocate(_ match: MatchID) async throws -> Allocation?
}

extension FleetService: MatchAllocator {}
