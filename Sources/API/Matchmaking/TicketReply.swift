import Foundation
import GameModel
import Matchmaking
import NIOCore

/// A ticket as clients see it: how it stands, who of the party has joined and accepted, and while it waits, how far it
/// is. Nobody's rating is in it.
struct TicketReply: Codable, Sendable, Equatable {
    struct Connection: Codable, Sendable, Equatable {
        let host: String
        let port: Int
        let instanceId: InstanceID
        let joinToken: String
    }

    struct Member: Codable, Sendable, Equatable {
        let playerId: PlayerID
        let joined: Bool
        let accepted: Bool
    }

    struct Estimate: Codable, Sendable, Equatable {
        let p50: Int64
        let p90: Int64
    }

    let ticketId: TicketID
    let state: TicketState
    let mode: Mode
    /// Where it is played, once that is known; before, where it waits.
    let region: Region
    let queuedAt: Instant
    var matchId: MatchID?
    var acceptBy: Instant?
    /// Why it ended.
    var reason: String?
    /// Who ended it, where somebody did.
    var endedBy: [PlayerID]?
    /// The leader first; absent of a ticket that is gone.
    var members: [Member]?
    /// 1 is the longest-waiting.
    var position: Int?
    /// How many tickets wait in the queue.
    var waiting: Int?
    /// How long the last tickets of the queue waited for their match.
    var estimatedWaitMs: Estimate?
    var connection: Connection?

    init(_ ticket: Ticket) throws(Problem) {
        guard let pool = ticket.id.pool else { throw .notFound("There is no such ticket.") }
        ticketId = ticket.id
        state = ticket.state
        mode = pool.mode
        region = ticket.match?.region ?? pool.region
        queuedAt = ticket.queuedAt
        matchId = ticket.match
        acceptBy = ticket.state == .proposed || ticket.state == .accepted ? ticket.acceptBy : nil
        reason = ticket.reason
        endedBy = ticket.endedBy.isEmpty ? nil : ticket.endedBy
        members = ticket.players.map {
            Member(playerId: $0, joined: ticket.hasJoined($0), accepted: ticket.accepted.contains($0))
        }
    }

    /// A ticket that Redis does not know (any more): expired, queued when its name was made.
    init(gone id: TicketID) throws(Problem) {
        guard let pool = id.pool, let queuedAt = id.madeAt else { throw .notFound("There is no such ticket.") }
        ticketId = id
        state = .expired
        mode = pool.mode
        region = pool.region
        self.queuedAt = queuedAt
        reason = "gone"
    }
}

/// Makes what clients see of tickets: with the way to the match for who asks, and with how far a waiting one is.
public struct TicketReplies: Sendable {
    private let service: MatchmakingService
    private let joinToken: @Sendable (PlayerID, MatchID, InstanceID) async throws -> String

    /// - Parameter joinToken: makes the token by which one player enters one match on one instance.
    public init(
        service: MatchmakingService,
        joinToken: @escaping @Sendable (PlayerID, MatchID, InstanceID) async throws -> String
    ) {
        self.service = service
        self.joinToken = joinToken
    }

    func reply(_ ticket: Ticket?, _ id: TicketID, to player: PlayerID) async throws -> TicketReply {
        guard let ticket else { return try TicketReply(gone: id) }
        return try await reply(ticket, to: player)
    }

    func reply(_ ticket: Ticket, to player: PlayerID) async throws -> TicketReply {
        try await reply(ticket, try await service.progress(of: ticket), to: player)
    }

    func reply(_ ticket: Ticket, _ progress: TicketProgress?, to player: PlayerID) async throws -> TicketReply {
        var reply = try TicketReply(ticket)
        if ticket.state == .ready, let match = ticket.match, let assignment = ticket.assignment {
            // Made anew each time, so that a client that lost its connection finds its way back into the match.
            reply.connection = TicketReply.Connection(
                host: assignment.host, port: assignment.port, instanceId: assignment.instanceId,
                joinToken: try await joinToken(player, match, assignment.instanceId))
        }
        if let progress {
            reply.position = progress.position
            reply.waiting = progress.waiting
            reply.estimatedWaitMs = progress.estimate.map {
                TicketReply.Estimate(p50: $0.p50.milliseconds, p90: $0.p90.milliseconds)
            }
        }
        return reply
    }

    /// As a server-sent event named `ticket`.
    func event(_ ticket: Ticket?, _ id: TicketID, to player: PlayerID) async throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(try await reply(ticket, id, to: player)), as: UTF8.self)
        return ByteBuffer(string: "event: ticket\ndata: \(json)\n\n")
    }
}
