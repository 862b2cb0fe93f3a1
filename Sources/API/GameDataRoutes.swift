import GameData
import GameModel
import HTTPTypes
import Hummingbird

/// Matches and patches, to read. Any valid token may read all of them.
struct GameDataRoutes: Sendable {
    let players: PlayersRepository
    let matches: MatchesRepository
    let balance: BalanceRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/matches/{id}", use: match)
        router.get("/v1/data/patches/current", use: currentPatch)
        router.get("/v1/data/patches/{n}", use: patch)
        // The same under the names that they had at first.
        router.get("/v1/patches/current", use: currentPatch)
        router.get("/v1/patches/{n}", use: patch)
    }

    @Sendable func match(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity()
        let id = try context.parameter("id", as: MatchID.self)
        guard let match = try await matches.match(id) else { throw Problem.notFound("There is no match \(id).") }
        let names = try await players.displayNames(match.roster.map(\.playerId))
        return try .tagged(MatchReply(match, names: names), for: request)
    }

    @Sendable func currentPatch(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity()
        // Which patch is current may change at any time: after that long a cache has to ask, and is told 304.
        return try Self.reply(
            request, try await balance.current(), caching: "public, max-age=\(Self.currentSeconds)")
    }

    @Sendable func patch(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity()
        let version = PatchVersion(try context.integerParameter("n"))
        guard let patch = try await balance.patch(version) else {
            throw Problem.notFound("There is no patch \(version).")
        }
        return try Self.reply(request, patch, caching: "public, max-age=31536000, immutable")
    }

    /// How long a cache may say which patch is current. Matches are placed by what the file says.
    private static let currentSeconds = 5

    /// A patch with its entity tag; 304 without a body where the client has it.
    private static func reply(_ request: Request, _ patch: Patch, caching: String) throws -> Response {
        let tag = "\"patch-\(patch.patch)\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: caching]
        guard !request.isKnown(tag) else { return Response(status: .notModified, headers: headers) }
        return try .json(patch, headers: headers)
    }
}

// MARK: Replies

/// A match as players see it: without tickets.
private struct MatchReply: Encodable {
    struct Seat: Encodable {
        var playerId: PlayerID
        var displayName: String
        var character: String
        var rating: Double
    }

    var matchId: MatchID
    var mode: Mode
    var region: Region
    var instanceId: InstanceID
    var patch: PatchVersion
    var state: MatchRecord.State
    var placedAt: Instant
    var reportedAt: Instant?
    var endedAt: Instant?
    var reason: String?
    var teams: [[Seat]]
    var result: MatchResult?

    init(_ match: MatchRecord, names: [PlayerID: String]) {
        matchId = match.matchId
        mode = match.mode
        region = match.region
        instanceId = match.instanceId
        patch = match.patch
        state = match.state
        placedAt = match.placedAt
        reportedAt = match.reportedAt
        endedAt = match.endedAt
        reason = match.reason
        result = match.result
        teams = match.teams.map { team in
            team.map { seat in
                Seat(
                    playerId: seat.playerId, displayName: names[seat.playerId] ?? seat.playerId.rawValue,
                    character: seat.character, rating: seat.rating)
            }
        }
    }
}
