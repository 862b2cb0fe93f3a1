import GameModel

/// What a new instance is to be.
public struct InstanceOrder: Sendable, Equatable {
    public var instance: InstanceID
    public var region: Region
    public var slots: Int

    public init(instance: InstanceID, region: Region, slots: Int) {
        self.instance = instance
        self.region = region
        self.slots = slots
    }
}

/// An instance that ended: by itself, by order, or by a crash.
public struct InstanceExit: Sendable, Equatable {
    public let instance: InstanceID
    /// In words: "exit 0", "signal 9".
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
    /// Starts an instance; returns when it was started, before it is ready.
    func start(_ order: InstanceOrder) async throws
    /// Asks an instance of this driver to finish its matches and end. Unknown ones are ignored.
    func stop(_ instance: InstanceID) async
    /// The instances that ended since the last call.
    func collectExits() async -> [InstanceExit]
    /// Those that this driver started and that have not ended.
    func running() async -> [InstanceID]
    /// Ends at once what did not end when asked.
    func kill(_ instance: InstanceID) async
}
