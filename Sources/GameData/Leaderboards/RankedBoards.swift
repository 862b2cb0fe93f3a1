import GameModel
import Redis

/// The leaderboards in Redis: a sorted set for each mode and season, with what is needed to keep it right. They are a
/// copy of SQLite's ratings and may be lost at any time.
struct RankedBoards: Sendable {
    let redis: RedisClient

    /// How many players one call puts on a board.
    static let putMax = 250

    enum BeginReply: Sendable, Hashable { case begun, isWhole, othersFill }

    /// - Parameters:
    ///   - anew: also where the board is whole, or another fills it.
    ///   - patience: after how long without a sign of life another's filling is given up.
    func begin(
        _ mode: Mode, season: Int, token: String, anew: Bool, patience: Duration
    ) async throws(RedisError) -> BeginReply {
        let keys = GameDataKeys.board(mode, season: season)
        let reply = try await redis.run(
            Self.beginScript, keys: keys.all,
            arguments: [RedisArgument(token), anew ? "1" : "0", RedisArgument(patience.milliseconds)])
        switch reply.int {
        case 1: return .begun
        case 0: return .isWhole
        case -1: return .othersFill
        default: throw .unexpectedReply("board_begin: wanted 1, 0 or -1")
        }
    }

    /// Puts standings of one mode and season on its board; older ones than it has change nothing.
    /// - Parameter token: that of the filling that goes on; `nil` where standings changed.
    /// - Returns: how many were news; `nil` where there is no board, or the filling is not this one any more.
    func put(
        _ standings: some Collection<BoardStanding>, mode: Mode, season: Int, token: String? = nil
    ) async throws(RedisError) -> Int? {
        let keys = GameDataKeys.board(mode, season: season)
        var news = 0
        var rest = Array(standings)[...]
        while !rest.isEmpty {
            let reply = try await redis.run(
                Self.putScript, keys: keys.all,
                arguments: [RedisArgument(token ?? "")] + rest.prefix(Self.putMax).flatMap(Self.arguments),
                isSafeToRepeat: true)
            guard let changed = reply.int else { throw .unexpectedReply("board_put: wanted a number") }
            if changed < 0 { return nil }
            news += changed
            rest = rest.dropFirst(Self.putMax)
        }
        return news
    }

    /// - Returns: whether the board is whole: Redis may have forgotten the filling.
    func end(_ mode: Mode, season: Int, token: String) async throws(RedisError) -> Bool {
        let keys = GameDataKeys.board(mode, season: season)
        return try await redis.run(
            Self.endScript, keys: [keys.state], arguments: [RedisArgument(token)], isSafeToRepeat: true
        ).int == 1
    }

    func drop(_ mode: Mode, season: Int) async throws(RedisError) {
        let keys = GameDataKeys.board(mode, season: season).all
        _ = try await redis.send(RedisCommand(["UNLINK"] + keys.map { RedisArgument($0) }, isSafeToRepeat: true))
    }

    // MARK: Reading

    struct Line: Sendable, Hashable {
        var player: PlayerID
        var rating: Double
        var games: Int
    }

    struct Page: Sendable, Hashable {
        var total: Int
        /// The rank of the first line, from 1.
        var first: Int
        /// From 1; `nil` where no player was asked for, or they are not on the board.
        var rank: Int?
        var lines: [Line]
    }

    /// Lines from a rank on, which counts from 1; `nil` where the board is not whole.
    func page(_ mode: Mode, season: Int, from first: Int, limit: Int) async throws(RedisError) -> Page? {
        try await page(mode, season, ["", RedisArgument(first - 1), RedisArgument(limit)])
    }

    /// So many lines on either side of a player; `nil` where the board is not whole.
    func page(_ mode: Mode, season: Int, around player: PlayerID, lines: Int) async throws(RedisError) -> Page? {
        try await page(mode, season, [RedisArgument(player.rawValue), RedisArgument(lines), 0])
    }

    private func page(
        _ mode: Mode, _ season: Int, _ arguments: [RedisArgument]
    ) async throws(RedisError) -> Page? {
        let keys = GameDataKeys.board(mode, season: season)
        let reply = try await redis.run(
            Self.pageScript, keys: keys.all, arguments: arguments, isSafeToRepeat: true)
        guard let fields = reply.array else { throw .unexpectedReply("board_page: wanted a list") }
        if fields.isEmpty { return nil }
        guard fields.count >= 3, let total = fields[0].int, let first = fields[1].int, let rank = fields[2].int,
            fields.count % 3 == 0
        else { throw .unexpectedReply("board_page: wanted three numbers, then three fields for each line") }
        var lines: [Line] = []
        for index in stride(from: 3, to: fields.count, by: 3) {
            guard let player = fields[index].string, let score = fields[index + 1].double,
                let games = fields[index + 2].string?.split(separator: " ").first.flatMap({ Int($0) })
            else { throw .unexpectedReply("board_page: line \(index / 3)") }
            lines.append(Line(player: PlayerID(player), rating: 0 - score, games: games))
        }
        return Page(total: total, first: first + 1, rank: rank < 0 ? nil : rank + 1, lines: lines)
    }

    /// The lines of some players, in their order; `nil` for who is not on the board.
    func lines(_ mode: Mode, season: Int, of players: [PlayerID]) async throws(RedisError) -> [Line?] {
        let keys = GameDataKeys.board(mode, season: season)
        var found: [Line?] = []
        for start in stride(from: 0, to: players.count, by: Self.putMax) {
            let some = players[start..<min(start + Self.putMax, players.count)]
            let reply = try await redis.send(
                RedisCommand(
                    ["HMGET", RedisArgument(keys.players)] + some.map { RedisArgument($0.rawValue) },
                    isSafeToRepeat: true))
            guard let values = reply.array, values.count == some.count else {
                throw .unexpectedReply("HMGET: wanted \(some.count) values")
            }
            let words = values.map { $0.string?.split(separator: " ").map(String.init) ?? [] }
            let members = zip(some, words).map { player, words in "\(words.last ?? ""):\(player)" }
            let scores = try await redis.send(
                RedisCommand(
                    ["ZMSCORE", RedisArgument(keys.ranks)] + members.map { RedisArgument($0) }, isSafeToRepeat: true))
            guard let ratings = scores.array, ratings.count == some.count else {
                throw .unexpectedReply("ZMSCORE: wanted \(some.count) values")
            }
            for (player, (words, score)) in zip(some, zip(words, ratings)) {
                guard let games = words.first.flatMap({ Int($0) }), let score = score.double else {
                    found.append(nil)
                    continue
                }
                found.append(Line(player: player, rating: 0 - score, games: games))
            }
        }
        return found
    }

    // MARK: Words

    private static func arguments(_ standing: BoardStanding) -> [RedisArgument] {
        let reached = String(max(0, standing.reachedAt.milliseconds))
        return [
            RedisArgument(standing.player.rawValue), RedisArgument(0 - standing.rating),
            RedisArgument(String(repeating: "0", count: max(0, 15 - reached.count)) + reached),
            RedisArgument(standing.games),
        ]
    }

    private static let beginScript = RedisScript(name: "board_begin", bytes: PackageResources.board_begin_lua)
    private static let putScript = RedisScript(name: "board_put", bytes: PackageResources.board_put_lua)
    private static let endScript = RedisScript(name: "board_end", bytes: PackageResources.board_end_lua)
    private static let pageScript = RedisScript(name: "board_page", bytes: PackageResources.board_page_lua)
}
