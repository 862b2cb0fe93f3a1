import GameModel

/// What a new instance is to be.
public struct InstanceOrder: Sendable, Equatable {
    public var instance: InstanceID
    public var region: Region
    public var slots: Int
    /// The version of the game that it is to run; `nil`: the one that the program has.
    public var build: String?

    public init(instance: InstanceID, region: Region, slots: Int, build: String? = nil) {
        self.instance = instance
        self.region = region
        self.slots = slots
        self.build = build
    }
}

/// An instance that ended: by itself, by order, or by a crash.
public struct InstanceExit: Sendable, Equatable {
    public let instance: InstanceID
    /// In words: "exit 0", "signal 9", "gone" where nobody was there to see how.
    public let how: String

    public init(instance: InstanceID, how: String) {
        self.instance = instance
        self.how = how
    }
}

/// Starts and stops instances somewhere: as processes of this host, as game servers of a cluster.
///
/// A started instance is not known to be well: it is ready when its first heartbeat reaches the fleet.
public protocol InstanceDriver: Sendable {
    /// Whether it starts instances when told to. `false`: what runs the instances keeps the buffer too, and the keeper
    /// only looks after the dead.
    var startsInstances: Bool { get }
    /// Takes over the instances of a region that an allocator which is gone has left running on this host. Those that
    /// ended meanwhile are among the next ``collectExits()``.
    ///
    /// - Returns: the newly adopted ones.
    @discardableResult
    func adopt(_ region: Region) async -> [InstanceID]
    /// Starts an instance; returns when it was started, before it is ready.
    func start(_ order: InstanceOrder) async throws
    /// Asks an instance of this driver to finish its matches and end. Unknown ones are ignored.
    func stop(_ instance: InstanceID) async
    /// The instances that ended since the last call.
    func collectExits() async -> [InstanceExit]
    /// Those that this driver started or adopted and that have not ended.
    func running() async -> [InstanceID]
    /// Ends at once what did not end when asked.
    func kill(_ instance: InstanceID) async
}

extension InstanceDriver {
    public var startsInstances: Bool { true }

    // Not `async`: a caller that waits would prefer it to an actor's own method that is not.
    @discardableResult
    public func adopt(_: Region) -> [InstanceID] { [] }
}
