import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import Matchmaking
import NIOCore

/// `/v1/matchmaking`: a player queues, follows the ticket (by poll, long poll or server-sent events), accepts or
/// declines.
///
/// A ticket that Redis does not know any more reads as `expired`, whoever asks: with Redis gone, nobody can say whose
/// it was.
public struct MatchmakingRoutes: Sendable {
    /// The longest that one long poll waits, in seconds.
    public static let waitSecondsMax = 30
    /// How often a stream of events says that it lives.
    static let heartbeat = Duration.seconds(10)

    private let service: MatchmakingService
    private let watcher: TicketWatcher
    private let skill: @Sendable (PlayerID, Mode) async throws -> Skill
    private let joinToken: @Sendable (PlayerID, MatchID, InstanceID) async throws -> String

    /// - Parameters:
    ///   - skill: how strong a player is in a mode.
    ///   - joinToken: makes the token by which one player enters one match on one instance.
    public init(
        service: MatchmakingService, watcher: TicketWatcher,
        skill: @escaping @Sendable (PlayerID, Mode) async throws -> Skill,
        joinToken: @escaping @Sendable (PlayerID, MatchID, InstanceID) async throws -> String
    ) {
        self.service = service
        self.watcher = watcher
        self.skill = skill
        self.joinToken = joinToken
    }

    /// Adds the routes under the group given, which is that of `/v1`.
    public func add(to group: RouterGroup<APIContext>) {
        let tickets = group.group("matchmaking/tickets")
        tickets.post(use: create)
        tickets.get("{id}", use: read)
        tickets.delete("{id}") { request, context in
            try await act(context) { ticket, player throws(MatchmakingError) in
                try await service.cancel(ticket, by: player)
            }
        }
        tickets.get("{id}/events", use: events)
        tickets.post("{id}/accept") { request, context in
            try await act(context) { ticket, player throws(MatchmakingError) in
                try await service.accept(ticket, by: player)
            }
        }
        tickets.post("{id}/decline") { request, context in
            try await act(context) { ticket, player throws(MatchmakingError) in
                try await service.decline(ticket, by: player)
            }
        }
    }

    private struct CreateBody: Decodable {
        let mode: Mode
        let region: Region
        let character: String?
        let latencies: [String: Double]?
    }

    @Sendable private func create(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let body = try await request.decodeBody(CreateBody.self, context: context)
        let pairs = (body.latencies ?? [:]).map { (Region($0.key), $0.value) }
        // Asked for before the rest is checked; an unknown mode is refused by the service, and has no rating to read.
        let isPlayed = service.rules.modes[body.mode] != nil
        let ticket = try await service.createTicket(
            TicketRequest(
                player: player, mode: body.mode, region: body.region,
                skill: isPlayed ? try await skill(player, body.mode) : .unknown, character: body.character,
                latencies: Dictionary(pairs, uniquingKeysWith: { first, _ in first })))
        return try .json(
            try await reply(ticket, to: player), status: .created,
            headers: [.location: "/v1/matchmaking/tickets/\(ticket.id)"])
    }

    @Sendable private func read(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let wait = try request.query("wait", default: 0, in: 0...Self.waitSecondsMax)
        let since = try Self.since(request)
        let id = try context.parameter("id", as: TicketID.self)
        guard wait > 0 else { return try .json(try await reply(try await owned(id, player), id, to: player)) }
        // Without `since` there is nothing to wait for but a change of what is there now.
        var known = since
        if known == nil { known = try await owned(id, player)?.state }
        let ticket = try await watcher.next(of: id, after: known, within: .seconds(wait)) {
            try await owned(id, player)
        }
        return try .json(try await reply(ticket, id, to: player))
    }

    @Sendable private func events(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let id = try context.parameter("id", as: TicketID.self)
        let first = try await owned(id, player)
        let body = ResponseBody { writer in
            var current = first
            while true {
                try await writer.write(try await event(current, id, to: player))
                guard let shown = current, !shown.state.isFinal else { break }
                var next = try await watcher.next(of: id, after: shown.state, within: Self.heartbeat) {
                    try await owned(id, player)
                }
                while next?.state == shown.state, !watcher.hasEnded {
                    try await writer.write(ByteBuffer(string: ": heartbeat\n\n"))
                    next = try await watcher.next(of: id, after: shown.state, within: Self.heartbeat) {
                        try await owned(id, player)
                    }
                }
                // The process stops: the client connects again, to another one.
                if watcher.hasEnded { break }
                current = next
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private func event(_ ticket: Ticket?, _ id: TicketID, to player: PlayerID) async throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(try await reply(ticket, id, to: player)), as: UTF8.self)
        return ByteBuffer(string: "event: ticket\ndata: \(json)\n\n")
    }

    private func act(
        _ context: APIContext, _ action: (TicketID, PlayerID) async throws(MatchmakingError) -> Ticket
    ) async throws -> Response {
        let player = try context.requirePlayer()
        let id = try context.parameter("id", as: TicketID.self)
        let ticket: Ticket?
        do throws(MatchmakingError) {
            ticket = try await action(id, player)
        } catch {
            guard case .ticketGone = error else { throw error }
            ticket = nil
        }
        return try .json(try await reply(ticket, id, to: player))
    }

    private static func since(_ request: Request) throws(Problem) -> TicketState? {
        guard let text = request.query("since") else { return nil }
        guard let state = TicketState(rawValue: text) else {
            let states = TicketState.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidField("since", "Expected one of \(states), not '\(text.prefix(40))'.")
        }
        return state
    }

    /// The player's own ticket; `nil` where it is gone.
    private func owned(_ id: TicketID, _ player: PlayerID) async throws(MatchmakingError) -> Ticket? {
        guard let ticket = try await service.ticket(id) else { return nil }
        guard ticket.players.contains(player) else { throw .foreignTicket(id) }
        return ticket
    }

    private func reply(_ ticket: Ticket?, _ id: TicketID, to player: PlayerID) async throws -> TicketReply {
        guard let ticket else { return try TicketReply(gone: id) }
        return try await reply(ticket, to: player)
    }

    private func reply(_ ticket: Ticket, to player: PlayerID) async throws -> TicketReply {
        var reply = try TicketReply(ticket)
        if ticket.state == .ready, let match = ticket.match, let assignment = ticket.assignment {
            reply.connection = TicketReply.Connection(
                host: assignment.host, port: assignment.port, instanceId: assignment.instanceId,
                joinToken: try await joinToken(player, match, assignment.instanceId))
        }
        return reply
    }
}

/// A ticket as clients see it.
struct TicketReply: Codable, Sendable, Equatable {
    struct Connection: Codable, Sendable, Equatable {
        let host: String
        let port: Int
        let instanceId: InstanceID
        let joinToken: String
    }

    let ticketId: TicketID
    let state: TicketState
    let mode: Mode
    let region: Region
    let queuedAt: Instant
    var matchId: MatchID?
    var acceptBy: Instant?
    /// Why it ended.
    var reason: String?
    var connection: Connection?

    init(_ ticket: Ticket) throws(Problem) {
        guard let pool = ticket.id.pool else { throw .notFound("There is no such ticket.") }
        ticketId = ticket.id
        state = ticket.state
        mode = pool.mode
        region = pool.region
        queuedAt = ticket.queuedAt
        matchId = ticket.match
        acceptBy = ticket.state == .proposed || ticket.state == .accepted ? ticket.acceptBy : nil
        reason = ticket.reason
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
