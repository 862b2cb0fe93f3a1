import Accounts
import Fleet
import GameData
import GameModel
import HTTPTypes
import Hummingbird
import Matchmaking

/// What an instance asks while a match of its runs: players for the seats of those who left. Needs a token of role
/// `instance` that speaks for the instance of the match.
public struct BackfillRoutes: Sendable {
    private let matches: MatchesRepository
    private let matchmaking: MatchmakingService

    public init(matches: MatchesRepository, matchmaking: MatchmakingService) {
        self.matches = matches
        self.matchmaking = matchmaking
    }

    /// Adds the routes under the group given, which is that of `/v1`.
    public func add(to group: RouterGroup<APIContext>) {
        group.post("fleet/matches/{id}/backfill", use: request)
        group.delete("fleet/matches/{id}/backfill", use: cancel)
    }

    private struct Body: Decodable {
        /// Open seats of each team.
        let open: [Int]
        /// All who left the match so far.
        let left: [PlayerID]?
    }

    @Sendable private func request(_ request: Request, _ context: APIContext) async throws -> Response {
        let (id, placed) = try await namedMatch(context)
        let body = try await request.decodeBody(Body.self, context: context)
        for (index, count) in body.open.enumerated() where !(0...ModeRules.playersPerMatchMax).contains(count) {
            throw Problem.invalidField("open[\(index)]", "\(count) seats can't be open.")
        }
        guard let record = placed else { throw Problem.notFound("There is no match \(id).") }
        guard body.open.count == record.teams.count, body.open.contains(where: { $0 > 0 }) else {
            throw Problem.invalidField("open", "Expected \(record.teams.count) numbers of seats, one above 0 at least.")
        }
        guard record.state == .placed else {
            throw Problem.conflict("Match \(id) is over: it is \(record.state.rawValue).")
        }
        let ticket = try await matchmaking.requestBackfill(id, open: body.open, left: Set(body.left ?? []))
        return try .json(BackfillReply(matchId: id, ticketId: ticket.id, state: ticket.state))
    }

    @Sendable private func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
        let (id, placed) = try await namedMatch(context)
        guard placed != nil else { throw Problem.notFound("There is no match \(id).") }
        try await matchmaking.cancelBackfill(id)
        return .empty()
    }

    /// The match of the path, where the token speaks for the instance it is placed on.
    private func namedMatch(_ context: APIContext) async throws -> (MatchID, MatchRecord?) {
        let identity = try context.requireIdentity(role: .instance)
        let id = try context.parameter("id", as: MatchID.self)
        let record = try await matches.match(id)
        if let record { try FleetRoutes.hold(identity, speaksFor: record.instanceId) }
        return (id, record)
    }
}

private struct BackfillReply: Encodable {
    let matchId: MatchID
    let ticketId: TicketID
    /// `proposed` where players are on their way just now.
    let state: TicketState
}
