import GameModel
import Hummingbird
import Matchmaking

/// `/v1/matchmaking`, about a player: which ticket is theirs now (to find the way back into a running match), who
/// invites them, how far they are from each region; and for everyone, what is played.
public struct MatchmakingPlayerRoutes: Sendable {
    private let service: MatchmakingService
    private let latencies: PlayerLatencies
    private let replies: TicketReplies

    public init(service: MatchmakingService, latencies: PlayerLatencies, replies: TicketReplies) {
        self.service = service
        self.latencies = latencies
        self.replies = replies
    }

    /// Adds the routes under the group given, which is that of `/v1`.
    public func add(to group: RouterGroup<APIContext>) {
        let matchmaking = group.group("matchmaking")
        matchmaking.get("modes") { _, _ in try Response.json(ModesReply(service.rules)) }
        matchmaking.get("active", use: active)
        matchmaking.get("invitations", use: invitations)
        matchmaking.get("latencies", use: known)
        matchmaking.put("latencies", use: report)
    }

    @Sendable private func active(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        guard let ticket = try await service.activeTicket(of: player) else {
            throw Problem.notFound("You have no active ticket.")
        }
        await service.touch(ticket)
        return try .json(try await replies.reply(ticket, to: player))
    }

    @Sendable private func invitations(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        return try .json(
            InvitationsReply(invitations: try await service.invitations(of: player).compactMap(Invitation.init)))
    }

    @Sendable private func known(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        return try .json(LatenciesReply(try await latencies.known(player)))
    }

    @Sendable private func report(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let body = try await request.decodeBody(LatenciesBody.self, context: context)
        let samples = body.latencies.map { (Region($0.key), $0.value) }
        let known = try await latencies.report(player, Dictionary(samples, uniquingKeysWith: { first, _ in first }))
        return try .json(LatenciesReply(known))
    }
}

private struct LatenciesBody: Decodable {
    /// Samples in ms, by region.
    let latencies: [String: [Double]]
}

private struct LatenciesReply: Encodable {
    /// In ms, by region.
    let latencies: [String: Double]

    init(_ known: [Region: Double]) {
        latencies = Dictionary(uniqueKeysWithValues: known.map { ($0.key.rawValue, $0.value) })
    }
}

private struct InvitationsReply: Encodable {
    let invitations: [Invitation]
}

private struct Invitation: Encodable {
    let ticketId: TicketID
    let mode: Mode
    let leader: PlayerID
    let members: [TicketReply.Member]
    let createdAt: Instant

    init?(_ ticket: Ticket) {
        guard let mode = ticket.id.pool?.mode, let leader = ticket.leader else { return nil }
        ticketId = ticket.id
        self.mode = mode
        self.leader = leader
        members = ticket.players.map {
            .init(playerId: $0, joined: ticket.hasJoined($0), accepted: false)
        }
        createdAt = ticket.queuedAt
    }
}

/// What is played, as clients need it to offer it: the limits that widen while tickets wait are the server's matter.
private struct ModesReply: Encodable {
    struct ModeReply: Encodable {
        let mode: Mode
        let teams: Int
        let teamSize: Int
        let partyMax: Int
        /// `together`: a match is played where latencies are low; `apart`: in the region that is asked for.
        let regions: RegionScope
        let roles: [Role]
        /// The attributes that rules judge by.
        let attributes: [String]
        let needsAcceptance: Bool
        let acceptSeconds: Double
        let waitSecondsMax: Double

        init(_ mode: Mode, _ rules: ModeRules) {
            self.mode = mode
            teams = rules.teams
            teamSize = rules.teamSize
            partyMax = rules.partyMax
            regions = rules.scope
            roles = rules.roles.map { Role(name: $0.name, count: $0.count, isRequired: $0.isRequired) }
            attributes = rules.attributes.map(\.name)
            needsAcceptance = rules.needsAcceptance
            acceptSeconds = rules.acceptSeconds
            waitSecondsMax = rules.waitSecondsMax
        }
    }

    struct Role: Encodable {
        let name: String
        let count: Int
        let isRequired: Bool
    }

    /// The version of the rules.
    let rules: String
    let regions: [Region]
    let modes: [ModeReply]

    init(_ rules: MatchmakingRules) {
        self.rules = rules.version
        regions = rules.regions
        modes = rules.modes.sorted { $0.key < $1.key }.map { ModeReply($0.key, $0.value) }
    }
}
