import GameModel
import Redis

/// A request to be matched, of one player or a party, as Redis holds it.
public struct Ticket: Sendable, Hashable {
    public let id: TicketID
    /// The players; the first is the party's leader.
    public let members: [TicketMember]
    public let state: TicketState
    /// When it was first queued, by Redis `TIME`. A ticket that goes back to the queue keeps it.
    public let queuedAt: Instant
    /// When it came to its present state.
    public let since: Instant
    /// The match it is, or was last, part of.
    public let match: MatchID?
    /// Until when the player may accept; only in states proposed and accepted.
    public let acceptBy: Instant?
    /// Where to play; only in state ready and after.
    public let assignment: Assignment?
    /// Why it ended: `by-player`, `not-accepted`, `waited-too-long`, `played`, or what `failPlacement` was told.
    public let reason: String?
    /// The tickets of the match, itself among them, in the order of the teams; empty without a match.
    let roster: [TicketID]

    /// Reads the fields of the hash; `nil` where there is none, or what makes a ticket is missing.
    init?(id: TicketID, fields: [String: String]) {
        guard let body = fields["body"].flatMap(TicketBody.init(text:)),
            let state = fields["state"].flatMap(TicketState.init(rawValue:)),
            let queuedAt = fields["queuedAt"].flatMap(Instant.init(text:))
        else { return nil }
        self.id = id
        members = body.members
        self.state = state
        self.queuedAt = queuedAt
        since = fields["since"].flatMap(Instant.init(text:)) ?? queuedAt
        match = fields["match"].map { MatchID($0) }
        acceptBy = fields["acceptBy"].flatMap(Instant.init(text:))
        assignment = Assignment(fields: fields)
        reason = fields["reason"]
        roster = fields["roster"]?.split(separator: ",").map { TicketID(String($0)) } ?? []
    }
}

extension Ticket {
    /// The party's leader, who created it.
    public var leader: PlayerID? { members.first?.player }

    public var players: [PlayerID] { members.map(\.player) }
}

/// Where a match is played: what its players connect to.
public struct Assignment: Sendable, Hashable, Codable {
    public let instanceId: InstanceID
    public let host: String
    public let port: Int

    public init(instanceId: InstanceID, host: String, port: Int) {
        self.instanceId = instanceId
        self.host = host
        self.port = port
    }

    init?(fields: [String: String]) {
        guard let instance = fields["instance"], let host = fields["host"], let port = fields["port"].flatMap(Int.init)
        else { return nil }
        self.init(instanceId: InstanceID(instance), host: host, port: port)
    }
}

/// What a player asks for.
public struct TicketRequest: Sendable, Hashable {
    /// The most a measured latency may be.
    public static let latencyMsMax = 5_000.0

    public let player: PlayerID
    public let mode: Mode
    public let region: Region
    public let skill: Skill
    public let character: String?
    /// Measured by the client, in ms.
    public let latencies: [Region: Double]

    public init(
        player: PlayerID, mode: Mode, region: Region, skill: Skill = .unknown, character: String? = nil,
        latencies: [Region: Double] = [:]
    ) {
        self.player = player
        self.mode = mode
        self.region = region
        self.skill = skill
        self.character = character
        self.latencies = latencies
    }
}

extension Instant {
    /// Unix milliseconds as decimal text.
    init?(text: String) {
        guard let milliseconds = Int64(text) else { return nil }
        self.init(milliseconds: milliseconds)
    }
}

extension RESPValue {
    /// A hash as `HGETALL` answers it.
    var fields: [String: String] {
        guard let items = array else { return [:] }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: items.count - 1, by: 2) {
            guard let name = items[index].string, let value = items[index + 1].string else { continue }
            fields[name] = value
        }
        return fields
    }
}
