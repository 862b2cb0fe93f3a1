/// The times and limits that a fleet lives by. All times are judged by Redis `TIME`.
public struct FleetConfiguration: Equatable, Sendable {
    /// How often an instance says that it lives.
    public var heartbeatInterval: Duration = .seconds(1)
    /// Silence after which an instance gets no more matches.
    public var silentAfter: Duration = .seconds(5)
    /// Silence after which an instance counts as dead, and the matches that it held as lost.
    public var deadAfter: Duration = .seconds(10)
    /// How long a slot waits for the first player to join.
    public var allocationLifetime: Duration = .seconds(60)
    /// A gap between two looks for silent instances after which silence counts from anew: an outage of Redis or of
    /// every allocator must not make all instances look dead.
    public var watchGap: Duration = .seconds(3)
    /// The most instances and matches that one look handles.
    public var reapMax = 100

    /// The most slots that one instance may offer: a heartbeat costs that many steps.
    public static let slotsMax = 1_000

    public init() {}
}
