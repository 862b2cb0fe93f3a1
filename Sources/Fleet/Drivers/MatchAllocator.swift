import GameModel

/// Finds places for matches: slots of the instances that Muster keeps itself, or game servers of a cluster that keeps
/// its own.
///
/// Idempotent by match id: the same match asked again gets the same place, as long as its instance lives.
public protocol MatchAllocator: Sendable {
    /// How many matches are best asked for together: one where each is a call of its own, so that none waits for
    /// another's.
    var batchMax: Int { get }

    /// Places for matches of a region; those that are not in the answer got none, for none is free now.
    /// - Throws: where nothing is known of any of them.
    func allocate(_ matches: [MatchID], in region: Region) async throws -> [MatchID: Allocation]
}

extension FleetService: MatchAllocator {
    public var batchMax: Int { 64 }

    public func allocate(
        _ matches: [MatchID], in region: Region
    ) async throws(FleetError) -> [MatchID: Allocation] {
        try await allocate(matches, in: region, build: nil)
    }
}
