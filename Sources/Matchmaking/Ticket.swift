import Foundation
import GameModel
import Redis

/// A request to be matched, of one player or a party, as Redis holds it.
public struct Ticket: Sendable, Hashable {
    public let id: TicketID
    /// All players, the party's leader first, whether they have joined or not; none of a backfill ticket.
    public let players: [PlayerID]
    /// What each of ``players`` brought, as JSON, or what all of them did in one text. Most who read a ticket ask for
    /// its state alone, so it is read when it is asked for.
    private let brought: [String?]
    private let body: String?
    /// Who has accepted the match that it is proposed for.
    public private(set) var accepted: Set<PlayerID>
    public private(set) var state: TicketState
    /// When it was first queued, by Redis `TIME`; while it is forming, when it was created. A ticket that goes back to
    /// the queue keeps it.
    public let queuedAt: Instant
    /// When it came to its present state.
    public private(set) var since: Instant
    /// The match it is, or was last, part of.
    public let match: MatchID?
    /// Until when its players may accept; only in states proposed and accepted.
    public let acceptBy: Instant?
    /// Where to play; only in state ready and after.
    public let assignment: Assignment?
    /// Why it ended: `by-player`, `turned-down`, `left-proposal`, `not-joined`, `not-accepted`, `abandoned`,
    /// `waited-too-long`, `played`, or what `failPlacement` was told.
    public let reason: String?
    /// Who ended it: by declining, withdrawing, turning down or keeping silent; empty where nobody did.
    public let endedBy: [PlayerID]
    /// How long nobody may ask for it before it counts as abandoned, by the rules it was created by; `nil` = for ever.
    let quiet: Duration?
    /// The tickets of the match, itself among them, in the order of the teams; empty without a match.
    let roster: [TicketID]

    /// Reads the fields of the hash; `nil` where there is none, or what makes a ticket is missing.
    init?(id: TicketID, fields: [String: String]) {
        guard let state = fields["state"].flatMap(TicketState.init(rawValue:)),
            let queuedAt = fields["queuedAt"].flatMap(Instant.init(text:))
        else { return nil }
        self.id = id
        players = Self.players(fields["players"])
        body = TicketBody.text(fields)
        brought = body == nil ? players.indices.map { fields["m\($0 + 1)"] } : []
        accepted = Set(
            zip(players, fields["accepted"] ?? "").compactMap { $1 == "1" ? $0 : nil })
        self.state = state
        self.queuedAt = queuedAt
        since = fields["since"].flatMap(Instant.init(text:)) ?? queuedAt
        match = fields["match"].map { MatchID($0) }
        acceptBy = fields["acceptBy"].flatMap(Instant.init(text:))
        assignment = Assignment(fields: fields)
        reason = fields["reason"]
        endedBy = Self.players(fields["by"])
        quiet = fields["quiet"].flatMap { Int64($0) }.map { .milliseconds($0) }
        roster = fields["roster"]?.split(separator: ",").map { TicketID(String($0)) } ?? []
    }

    /// As it is after some of its players accepted, if nothing else happened to it meanwhile.
    func accepting(_ players: [PlayerID], as state: TicketState, since: Instant) -> Ticket {
        var ticket = self
        ticket.accepted.formUnion(players)
        ticket.state = state
        ticket.since = since
        return ticket
    }

    private static func players(_ text: String?) -> [PlayerID] {
        text?.split(separator: ",").map { PlayerID(String($0)) } ?? []
    }
}

extension Ticket {
    /// The party's leader, who created it.
    public var leader: PlayerID? { players.first }

    /// Those of ``players`` who have joined, in that order: all of them, but in state forming or where it ended there.
    public var members: [TicketMember] {
        if let body { return TicketBody(text: body)?.members ?? [] }
        return brought.compactMap { $0.flatMap(TicketMember.init(text:)) }
    }

    public func hasJoined(_ player: PlayerID) -> Bool {
        guard let place = players.firstIndex(of: player) else { return false }
        return body != nil || brought[place] != nil
    }

    /// Those who earned a cooldown by how it ended.
    var guilty: [PlayerID] {
        state == .declined || reason == "not-accepted" || reason == "left-proposal" ? endedBy : []
    }
}

extension TicketBody {
    /// Puts the pieces of a ticket's hash together: `body`, `body2`, `body3`, …, see `mm_keep_body` in `fragment.lua`.
    init?(fields: [String: String]) {
        guard let text = Self.text(fields) else { return nil }
        self.init(text: text)
    }

    static func text(_ fields: [String: String]) -> String? {
        guard var text = fields["body"] else { return nil }
        var next = 2
        while let piece = fields["body\(next)"] {
            text += piece
            next += 1
        }
        return text
    }
}

extension TicketMember {
    /// Reads JSON; `nil` where it is of another form.
    init?(text: String) {
        guard let member = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }  // As said.
        self = member
    }

    /// As JSON, as in ``TicketBody``, all of it ASCII: bodies are cut into pieces of so many bytes, each a text by
    /// itself.
    ///
    /// Short, for every waiting ticket holds it twice in Redis: latencies to other regions are left out, and numbers
    /// are rounded to what matters to a match (ratings to 0.1 points, latencies to 1 ms).
    func text(regions: [Region]) throws(MatchmakingError) -> String {
        func rounded(_ value: Double, _ places: Double) -> Double { (value * places).rounded() / places }
        var member = self
        member.skill = Skill(rating: rounded(skill.rating, 10), deviation: rounded(skill.deviation, 10))
        member.leaverRate = rounded(leaverRate, 1_000)
        member.latencies = latencies.filter { regions.contains($0.key) }.mapValues { rounded($0, 1) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(member), as: UTF8.self).asciiJSON
        } catch {
            // Only a number that JSON has no form for can do this.
            throw .invalidSkill(skill)
        }
    }
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

/// What a player asks for, alone or as the leader of a party.
public struct TicketRequest: Sendable, Hashable {
    /// The most a measured latency may be.
    public static let latencyMsMax = 5_000.0

    /// The player who asks. Rating, games and history are the server's to fill in, never the client's.
    public let leader: TicketMember
    public let mode: Mode
    /// Where the player waits; in a mode whose regions play together, only where the player is at home.
    public let region: Region
    /// Who is invited to play along; the ticket is not queued before all of them joined.
    public let party: [PlayerID]

    public init(leader: TicketMember, mode: Mode, region: Region, party: [PlayerID] = []) {
        self.leader = leader
        self.mode = mode
        self.region = region
        self.party = party
    }

    /// The request of a player without a party, roles and attributes.
    public init(
        player: PlayerID, mode: Mode, region: Region, skill: Skill = .unknown, character: String? = nil,
        latencies: [Region: Double] = [:]
    ) {
        self.init(
            leader: TicketMember(player: player, skill: skill, character: character, latencies: latencies),
            mode: mode, region: region)
    }

    public var player: PlayerID { leader.player }
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
