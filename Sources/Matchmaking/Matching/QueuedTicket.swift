import Foundation
import GameModel

/// A ticket as a ranker's view holds it: what the matcher decides by. It asks for players to be matched, or (with
/// ``backfill``) for players for a running match.
public struct QueuedTicket: Sendable, Hashable {
    public let id: TicketID
    /// When it was first queued, by Redis `TIME`.
    public let queuedAt: Instant
    /// One player, or a party that plays in one team; empty for a backfill ticket.
    public let members: [TicketMember]
    public let backfill: BackfillSeats?

    public init(id: TicketID, queuedAt: Instant, members: [TicketMember], backfill: BackfillSeats? = nil) {
        self.id = id
        self.queuedAt = queuedAt
        self.members = members
        self.backfill = backfill
    }

    /// The ticket of one player.
    public init(id: TicketID, player: PlayerID, queuedAt: Instant, skill: Skill, character: String? = nil) {
        self.init(
            id: id, queuedAt: queuedAt,
            members: [TicketMember(player: player, skill: skill, character: character)])
    }
}

extension QueuedTicket {
    /// The mean of its members' ratings; of a backfill ticket, of who plays.
    public var rating: Double {
        let players = backfill.map { $0.teams.flatMap { $0 } } ?? members
        guard !players.isEmpty else { return Skill.unknown.rating }
        return players.reduce(0) { $0 + $1.skill.rating } / Double(players.count)
    }
}

/// Open seats in a running match, for which its instance asks players.
public struct BackfillSeats: Sendable, Hashable, Codable {
    public var match: MatchID
    public var region: Region
    /// Rises with each change of the seats; a proposal made for an older one is refused.
    public var generation: Int
    /// Open seats of each team.
    public var open: [Int]
    /// Who plays, by team.
    public var teams: [[TicketMember]]

    public init(match: MatchID, region: Region, generation: Int, open: [Int], teams: [[TicketMember]]) {
        self.match = match
        self.region = region
        self.generation = generation
        self.open = open
        self.teams = teams
    }
}

/// What of a ticket is stored as JSON in its hash (field `body`) and in the change stream (field `b`), for rankers;
/// scripts carry it about and never read it.
public struct TicketBody: Sendable, Hashable, Codable {
    public var members: [TicketMember]
    public var backfill: BackfillSeats?

    private enum CodingKeys: String, CodingKey {
        case members = "m"
        case backfill = "f"
    }

    public init(members: [TicketMember], backfill: BackfillSeats? = nil) {
        self.members = members
        self.backfill = backfill
    }

    /// Reads JSON; `nil` where it is of another form.
    public init?(text: String) {
        guard let body = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }  // As said.
        self = body
    }

    /// As JSON, all of it ASCII: it is kept in pieces of so many bytes, each a text by itself.
    /// - Throws: `EncodingError` for a number that JSON has no form for.
    public func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self).asciiJSON
    }
}

extension String {
    /// A JSON text with everything beyond ASCII escaped: only within JSON's texts can there be such characters, where
    /// they may be written so (RFC 8259, 7).
    var asciiJSON: String {
        guard !utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        return utf16.reduce(into: "") { ascii, unit in
            ascii += unit < 0x80 ? String(UnicodeScalar(UInt8(unit))) : "\\u" + String(format: "%04x", unit)
        }
    }
}
