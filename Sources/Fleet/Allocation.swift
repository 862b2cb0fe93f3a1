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

/// The fleet of one region at one moment.
public struct FleetSnapshot: Sendable, Equatable {
    public struct Instance: Sendable, Equatable, Codable {
        public let instance: InstanceID
        public let host: String
        public let port: Int
        public let slots: Int
        /// Slots that new matches can take; `nil` for an instance that fell silent.
        public let freeSlots: Int?
        public let build: String
        /// How long ago it last said that it lives, in ms.
        public let silentMs: Int

        public init(
            instance: InstanceID, host: String, port: Int, slots: Int, freeSlots: Int?, build: String, silentMs: Int
        ) {
            self.instance = instance
            self.host = host
            self.port = port
            self.slots = slots
            self.freeSlots = freeSlots
            self.build = build
            self.silentMs = silentMs
        }
    }

    public let region: Region
    public let instances: [Instance]
    /// Matches that hold a slot.
    public let allocations: Int
    /// Those of them that no player joined yet.
    public let unjoined: Int
    /// Matches waiting to be declared lost to their players.
    public let lost: Int

    public init(region: Region, instances: [Instance], allocations: Int, unjoined: Int, lost: Int) {
        self.region = region
        self.instances = instances
        self.allocations = allocations
        self.unjoined = unjoined
        self.lost = lost
    }

    /// Slots that new matches can take, over all instances.
    public var freeSlots: Int { instances.reduce(0) { $0 + ($1.freeSlots ?? 0) } }
    public var slots: Int { instances.reduce(0) { $0 + $1.slots } }
}
