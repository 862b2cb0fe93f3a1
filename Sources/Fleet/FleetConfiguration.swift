import GameModel

/// The times and limits that a fleet lives by. All times are judged by Redis `TIME`.
public struct FleetConfiguration: Equatable, Sendable {
    /// How often an instance says that it lives.
    public var heartbeatInterval: Duration = .seconds(1)
    /// Silence after which an instance gets no more matches.
    public var silentAfter: Duration = .milliseconds(2_500)
    /// Silence after which an instance counts as dead, and the matches that it held as lost. With the time of a look, a
    /// crash on any host is known in less than 5 s.
    public var deadAfter: Duration = .seconds(4)
    /// How long a slot waits for the first player to join.
    public var allocationLifetime: Duration = .seconds(60)
    /// A gap between two looks for silent instances after which silence counts from anew: an outage of Redis or of
    /// every allocator must not make all instances look dead.
    public var watchGap: Duration = .seconds(3)
    /// The most instances and matches that one look handles.
    public var reapMax = 100

    /// Which instance of those that have room gets a match, in regions that ``strategies`` does not name.
    public var strategy = AllocationStrategy.pack
    public var strategies: [Region: AllocationStrategy] = [:]
    /// The most matches that one call of the script places.
    public static let allocationsMax = 100
    /// The most slots that one instance may offer: a heartbeat costs that many steps.
    public static let slotsMax = 1_000

    public init() {}
}

/// Which instance of those that have room gets the next match.
public enum AllocationStrategy: String, Sendable, Hashable, Codable, CaseIterable {
    /// The fullest one: keeps whole instances free to stop.
    case pack
    /// The emptiest one: spreads the load over the hosts, and a crash over fewer matches.
    case spread
}
