import GameData
import GameModel
import HTTPTypes
import Hummingbird

/// Leaderboards by mode and season, and the seasons. Any valid token may read all of them.
struct LeaderboardRoutes: Sendable {
    let boards: Leaderboards
    let seasons: SeasonsRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/leaderboards/{mode}", use: board)
        router.get("/v1/leaderboards/{mode}/me", use: aroundMe)
        router.get("/v1/seasons", use: list)
    }

    @Sendable func board(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity()
        let mode = try context.parameter("mode", as: Mode.self)
        let first = try request.query("from", default: 1, in: 1...Leaderboards.rankMax)
        let limit = try request.query("top", default: 100, in: 1...Leaderboards.limitMax)
        return try .tagged(
            LeaderboardReply(
                try await boards.page(mode, season: request.query("season"), from: first, limit: limit)),
            for: request)
    }

    @Sendable func aroundMe(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let mode = try context.parameter("mode", as: Mode.self)
        let lines = try request.query("around", default: 5, in: 0...Leaderboards.aroundMax)
        let page = try await boards.page(mode, season: request.query("season"), around: player, lines: lines)
        guard page.rank != nil else {
            throw Problem.notFound("You are not on the board of \(mode) in \(page.season): no rated match yet.")
        }
        return try .tagged(LeaderboardReply(page), for: request)
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity()
        let all = try await seasons.all()
        return try .tagged(Seasons(current: all.last?.name, seasons: all), for: request)
    }
}

// MARK: Replies

private struct LeaderboardReply: Encodable {
    var mode: Mode
    var season: String
    /// How many players are on the board.
    var total: Int
    /// The rank of who asks; absent where nobody was asked for.
    var rank: Int?
    var entries: [LeaderboardEntry]

    init(_ page: LeaderboardPage) {
        mode = page.mode
        season = page.season
        total = page.total
        rank = page.rank
        entries = page.entries
    }
}

private struct Seasons: Encodable {
    var current: String?
    var seasons: [Season]
}
