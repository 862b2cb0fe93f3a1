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
    /// How many matches it takes at once; 0 while it drains.
    public var slots: Int
    /// The version of the game that it runs.
    public var build: String
    /// The matches that it runs now.
    public var matches: [MatchID]

    public init(region: Region, host: String, port: Int, slots: Int, build: String, matches: [MatchID]) {
        self.region = region
        self.host = host
        self.port = port
        self.slots = slots
        self.build = build
        self.matches = matches
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
        guard (1...64).contains(build.utf8.count) else {
            throw .invalid(field: "build", reason: "expected 1 to 64 bytes")
        }
        guard matches.count <= FleetConfiguration.slotsMax else {
            throw .invalid(
                field: "matches", reason: "\(matches.count) are more than \(FleetConfiguration.slotsMax)")
        }
        if let foreign = matches.first(where: { $0.region != region }) {
            throw .invalid(field: "matches", reason: "'\(foreign)' is no match of region '\(region)'")
        }
    }
}

/// What stays of a heartbeat in Redis beside the counts: where to reach the instance.
struct InstanceRecord: Codable, Sendable {
    var host: String
    var port: Int
    var slots: Int
    var build: String
}
