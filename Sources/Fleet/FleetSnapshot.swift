import GameModel

/// The fleet of one region at one moment.
public struct FleetSnapshot: Sendable, Equatable, Codable {
    public struct Instance: Sendable, Equatable, Codable {
        public let instance: InstanceID
        public let host: String
        public let port: Int
        public let slots: Int
        /// Slots that new matches can take; `nil` for an instance that takes none, for its state or by order.
        public let freeSlots: Int?
        public let build: String
        /// How long ago it last said that it lives, in ms.
        public let silentMs: Int
        public let state: InstanceState
        /// For how long it has been in that state, in ms.
        public let stateMs: Int
        /// Matches that it runs, or that were given to it and are not joined yet.
        public let held: Int
        /// Matches that it has run to their end.
        public let played: Int
        public let order: StandingOrder?

        public init(
            instance: InstanceID, host: String, port: Int, slots: Int, freeSlots: Int?, build: String, silentMs: Int,
            state: InstanceState = .ready, stateMs: Int = 0, held: Int = 0, played: Int = 0,
            order: StandingOrder? = nil
        ) {
            self.instance = instance
            self.host = host
            self.port = port
            self.slots = slots
            self.freeSlots = freeSlots
            self.build = build
            self.silentMs = silentMs
            self.state = state
            self.stateMs = stateMs
            self.held = held
            self.played = played
            self.order = order
        }

        /// Whether it takes matches, or will when it has started.
        public var isFit: Bool { (state.takesMatches || state == .starting) && order == nil }

        /// Why it is in its state, in words; `nil` where that is plain.
        public var why: String? {
            if let order { return "\(order.kind.rawValue)ed: \(order.reason)" }
            switch state {
            // A heartbeat is due each second.
            case .unhealthy: return silentMs > 2_000 ? "silent for \(silentMs / 1_000) s" : "says so itself"
            case .draining: return "draining by itself"
            case .starting, .ready, .allocated, .shutdown: return nil
            }
        }
    }

    public let region: Region
    /// By Redis `TIME`.
    public let at: Instant
    public let instances: [Instance]
    /// Matches that hold a slot.
    public let allocations: Int
    /// Those of them that no player joined yet.
    public let unjoined: Int
    /// Matches waiting to be declared lost to their players.
    public let lost: Int
    /// The build that the region is to run; `nil`: the newest.
    public let target: String?
    /// The builds that were seen, the newest first.
    public let builds: [String]

    public init(
        region: Region, at: Instant = Instant(milliseconds: 0), instances: [Instance], allocations: Int, unjoined: Int,
        lost: Int, target: String? = nil, builds: [String] = []
    ) {
        self.region = region
        self.at = at
        self.instances = instances
        self.allocations = allocations
        self.unjoined = unjoined
        self.lost = lost
        self.target = target
        self.builds = builds
    }

    /// Slots that new matches can take, over all instances.
    public var freeSlots: Int { instances.reduce(0) { $0 + ($1.freeSlots ?? 0) } }
    public var slots: Int { instances.reduce(0) { $0 + $1.slots } }
}

/// A match that an instance holds.
public struct HeldMatch: Sendable, Equatable, Codable {
    public let match: MatchID
    /// When the slot was taken, or the match found running again, by Redis `TIME`, in Unix ms.
    public let since: Int64
    /// Until when the first player must join; `nil` once a heartbeat named the match. Unix ms.
    public let joinBefore: Int64?
}
