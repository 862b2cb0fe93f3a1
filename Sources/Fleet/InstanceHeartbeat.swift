import GameModel

extension InstanceID {
    /// A new name for an instance of a region: `region.ULID`.
    public init(in region: Region, _ ulid: ULID = ULID()) { self.init("\(region).\(ulid)") }

    /// The region that the name begins with; `nil` where the name is not `region.name` of letters, digits, `-` and `_`.
    public var region: Region? {
        let parts = rawValue.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, Pool.isName(parts[0]), (1...64).contains(parts[1].utf8.count),
            parts[1].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        else { return nil }
        return Region(String(parts[0]))
    }
}

/// What an instance says of itself each second; the first one registers it.
public struct InstanceHeartbeat: Sendable, Codable, Equatable {
    public var region: Region
    /// Where players reach it.
    public var host: String
    public var port: Int
    /// How many matches it takes at once; 0 says `draining` too.
    public var slots: Int
    /// The version of the game that it runs.
    public var build: String
    /// The matches that it runs now.
    public var matches: [MatchID]
    /// `starting`, `ready`, `draining` or `unhealthy`; absent on the wire: `ready`.
    public var state: InstanceState
    /// Matches that it has run to their end since it started; absent on the wire: 0.
    public var matchesPlayed: Int

    public init(
        region: Region, host: String, port: Int, slots: Int, build: String, matches: [MatchID],
        state: InstanceState = .ready, matchesPlayed: Int = 0
    ) {
        self.region = region
        self.host = host
        self.port = port
        self.slots = slots
        self.build = build
        self.matches = matches
        self.state = state
        self.matchesPlayed = matchesPlayed
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        region = try container.decode(Region.self, forKey: .region)
        host = try container.decode(String.self, forKey: .host)
        port = try container.decode(Int.self, forKey: .port)
        slots = try container.decode(Int.self, forKey: .slots)
        build = try container.decode(String.self, forKey: .build)
        matches = try container.decode([MatchID].self, forKey: .matches)
        state = try container.decodeIfPresent(InstanceState.self, forKey: .state) ?? .ready
        matchesPlayed = try container.decodeIfPresent(Int.self, forKey: .matchesPlayed) ?? 0
    }

    /// Refuses what can't be right, naming the property.
    public func validate(for instance: InstanceID) throws(FleetError) {
        guard let named = instance.region else {
            throw .invalid(field: "instanceId", reason: "'\(instance)' is not of the form region.name")
        }
        guard named == region else {
            throw .invalid(
                field: "region", reason: "'\(region)' is not '\(named)', which the instance's id begins with")
        }
        guard (1...253).contains(host.utf8.count), host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalid(field: "host", reason: "expected a host name or address of 1 to 253 visible characters")
        }
        guard (1...65_535).contains(port) else {
            throw .invalid(field: "port", reason: "\(port) is not within 1 to 65535")
        }
        guard (0...FleetConfiguration.slotsMax).contains(slots) else {
            throw .invalid(field: "slots", reason: "\(slots) is not within 0 to \(FleetConfiguration.slotsMax)")
        }
        guard Self.isBuild(build) else {
            throw .invalid(field: "build", reason: "expected 1 to 64 visible characters, without spaces")
        }
        guard InstanceState.sayable.contains(state) else {
            let names = InstanceState.sayable.map(\.rawValue).sorted().joined(separator: ", ")
            throw .invalid(field: "state", reason: "'\(state.rawValue)' is none of \(names)")
        }
        guard matchesPlayed >= 0 else {
            throw .invalid(field: "matchesPlayed", reason: "\(matchesPlayed) is below 0")
        }
        guard matches.count <= FleetConfiguration.slotsMax else {
            throw .invalid(
                field: "matches", reason: "\(matches.count) are more than \(FleetConfiguration.slotsMax)")
        }
        if let foreign = matches.first(where: { $0.region != region }) {
            throw .invalid(field: "matches", reason: "'\(foreign)' is no match of region '\(region)'")
        }
    }

    /// Whether a text can be a build's name: 1 to 64 visible characters.
    public static func isBuild(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// The answer to a heartbeat.
public struct HeartbeatAnswer: Sendable, Equatable {
    /// How soon the next one is due.
    public let interval: Duration
    /// What the fleet takes the instance for.
    public let state: InstanceState
    /// What the instance is to do; `nil`: go on.
    public let order: InstanceCommand?
}

/// What stays of a heartbeat in Redis beside the counts.
struct InstanceRecord: Codable, Sendable {
    var host: String
    var port: Int
    var slots: Int
    var build: String
    var played: Int?
}
