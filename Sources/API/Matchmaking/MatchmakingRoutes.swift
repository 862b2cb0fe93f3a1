import GameModel
import HTTPTypes
import Hummingbird
import Matchmaking
import NIOCore

/// `/v1/matchmaking/tickets`: a player queues alone or with a party, follows the ticket (by poll, long poll or
/// server-sent events), accepts or declines.
///
/// A ticket that Redis does not know any more reads as `expired`, whoever asks: with Redis gone, nobody can say whose
/// it was. Whoever reads a ticket of theirs shows that they are still there.
public struct MatchmakingRoutes: Sendable {
    /// The longest that one long poll waits, in seconds.
    public static let waitSecondsMax = 30
    /// How often a stream of events says that it lives.
    static let heartbeat = Duration.seconds(10)
    /// How many streams of events a player may have open at once, at one process.
    static let streamsMax = 4

    private let service: MatchmakingService
    private let watcher: TicketWatcher
    private let source: TicketMemberSource
    private let replies: TicketReplies
    private let streams = OpenStreams(max: streamsMax)

    public init(
        service: MatchmakingService, watcher: TicketWatcher, source: TicketMemberSource, replies: TicketReplies
    ) {
        self.service = service
        self.watcher = watcher
        self.source = source
        self.replies = replies
    }

    /// Adds the routes under the group given, which is that of `/v1`.
    public func add(to group: RouterGroup<APIContext>) {
        let tickets = group.group("matchmaking/tickets")
        tickets.post(use: create)
        tickets.get("{id}", use: read)
        tickets.get("{id}/events", use: events)
        tickets.post("{id}/join", use: join)
        tickets.post("{id}/turn-down") { request, context in
            try await act(context) { ticket, player throws(MatchmakingError) in
                try await service.turnDown(ticket, by: player)
            }
        }
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
        tickets.delete("{id}") { request, context in
            try await act(context) { ticket, player throws(MatchmakingError) in
                try await service.cancel(ticket, by: player)
            }
        }
    }

    @Sendable private func create(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let body = try await request.decodeBody(TicketWish.self, context: context)
        let rules = service.rules
        // In a mode whose regions play together, a player need not say where home is.
        let isTogether = rules.modes[body.mode]?.scope == .together
        guard let region = body.region ?? (isTogether ? rules.regions.first : nil) else {
            throw Problem.invalidField("region", "This field is missing.")
        }
        let member = try await source.member(player, body.mode, body.member)
        let ticket = try await service.createTicket(
            TicketRequest(leader: member, mode: body.mode, region: region, party: body.party ?? []))
        return try .json(
            try await replies.reply(ticket, to: player), status: .created,
            headers: [.location: "/v1/matchmaking/tickets/\(ticket.id)"])
    }

    @Sendable private func join(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let id = try context.parameter("id", as: TicketID.self)
        let body = try await request.decodeBody(MemberBody.self, context: context)
        guard let mode = id.pool?.mode else { throw Problem.notFound("There is no such ticket.") }
        // Asked first: who is not invited learns nothing, and reports no latencies by the way.
        _ = try await owned(id, player)
        let member = try await source.member(player, mode, body)
        return try .json(try await replies.reply(try await service.join(id, member), to: player))
    }

    @Sendable private func read(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let wait = try request.query("wait", default: 0, in: 0...Self.waitSecondsMax)
        let since = try Self.since(request)
        let id = try context.parameter("id", as: TicketID.self)
        guard wait > 0 else { return try .json(try await standing(id, player)) }
        // Without `since` there is nothing to wait for but a change of what is there now.
        var known = since
        if known == nil { known = try await owned(id, player)?.state }
        let ticket = try await watcher.next(of: id, after: known, within: .seconds(wait)) {
            try await owned(id, player)
        }
        return try .json(try await replies.reply(ticket, id, to: player))
    }

    @Sendable private func events(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let id = try context.parameter("id", as: TicketID.self)
        let first = try await owned(id, player)
        guard let place = streams.open(by: player) else {
            throw Problem.tooManyRequests(
                "You have \(Self.streamsMax) streams of events open. Close one of them first.", retryAfterSeconds: 1)
        }
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(place) {} }
            var current = first
            while true {
                try await writer.write(try await replies.event(current, id, to: player))
                guard let shown = current, !shown.state.isFinal else { break }
                var next = try await watcher.next(differingFrom: shown, within: Self.heartbeat) {
                    try await owned(id, player)
                }
                while next == shown, !watcher.hasEnded {
                    try await writer.write(ByteBuffer(string: ": heartbeat\n\n"))
                    next = try await watcher.next(differingFrom: shown, within: Self.heartbeat) {
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
        return try .json(try await replies.reply(ticket, id, to: player))
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
        try await claim(ticket, player)
        return ticket
    }

    /// How the player's own ticket stands, in one call of Redis: what waiting clients ask for most.
    private func standing(_ id: TicketID, _ player: PlayerID) async throws -> TicketReply {
        guard let (ticket, progress) = try await service.standing(of: id) else { return try TicketReply(gone: id) }
        try await claim(ticket, player)
        return try await replies.reply(ticket, progress, to: player)
    }

    /// Who asks for a ticket must be one of its players, and shows that they are still there.
    private func claim(_ ticket: Ticket, _ player: PlayerID) async throws(MatchmakingError) {
        guard ticket.players.contains(player) else { throw .foreignTicket(ticket.id) }
        await service.touch(ticket)
    }
}
