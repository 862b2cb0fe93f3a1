/// Where an instance is in its life, in the words of Agones.
///
/// The instance says `starting`, `ready`, `draining` or `unhealthy` of itself; the fleet makes of it what the matches
/// that it holds, standing orders and its silence say. The scripts move by this very table: it is sent with them.
public enum InstanceState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Registered, and not yet fit to take matches.
    case starting
    /// Takes matches and holds none.
    case ready
    /// Takes matches and holds one at least.
    case allocated
    /// Takes no more matches, and ends when those that it holds have ended.
    case draining
    /// Said so itself, or fell silent: takes no matches until it says otherwise.
    case unhealthy
    /// Drained to the last match: told to end.
    case shutdown

    /// The states that may follow each. An instance that is new to the fleet may be in any.
    public static let transitions: [InstanceState: Set<InstanceState>] = [
        .starting: [.ready, .allocated, .draining, .unhealthy, .shutdown],
        .ready: [.allocated, .draining, .unhealthy, .shutdown],
        .allocated: [.ready, .draining, .unhealthy, .shutdown],
        .draining: [.unhealthy, .shutdown],
        .unhealthy: [.starting, .ready, .allocated, .draining, .shutdown],
        .shutdown: [],
    ]

    public func mayBecome(_ next: InstanceState) -> Bool { Self.transitions[self]?.contains(next) ?? false }

    /// Whether a match may be given to an instance in this state.
    public var takesMatches: Bool { self == .ready || self == .allocated }

    /// Those that an instance says of itself.
    static let sayable: Set<InstanceState> = [.starting, .ready, .draining, .unhealthy]

    /// The table as a Lua fragment, so that there is no second one.
    static var luaTable: [UInt8] {
        let rows = allCases.map { state in
            let next = (transitions[state] ?? []).map { "['\($0.rawValue)']=true" }.sorted().joined(separator: ",")
            return "['\(state.rawValue)']={\(next)}"
        }
        return Array("local fleet_transitions = {\(rows.joined(separator: ","))}".utf8)
    }
}

/// What an instance is told with the answer to its heartbeat.
public enum InstanceCommand: String, Sendable, Hashable, Codable {
    /// Take no more matches, and end when the last has ended.
    case drain
    /// Nothing runs there any more: end now.
    case shutdown
}

/// What an operator or the keeper of a region ordered of an instance, until it is gone or the order taken back.
public struct StandingOrder: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// No more matches; the instance is not told, and may be uncordoned.
        case cordon
        /// No more matches, and its end; not to be taken back.
        case drain
    }

    public let kind: Kind
    /// When it was given, by Redis `TIME`, in Unix ms.
    public let at: Int64
    /// Why, in a word: `scale-down`, `worn`, `old-build`, `itself`, or what the operator gave.
    public let reason: String

    public init(kind: Kind, at: Int64, reason: String) {
        self.kind = kind
        self.at = at
        self.reason = reason
    }

    /// From the text in Redis: `kind at reason`.
    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, let kind = Kind(rawValue: String(parts[0])), let at = Int64(parts[1]) else {
            return nil
        }
        self.init(kind: kind, at: at, reason: String(parts[2]))
    }
}
