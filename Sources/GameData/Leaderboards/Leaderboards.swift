import GameModel
import Records
import Redis

/// The best players of each mode and season.
///
/// Ratings are SQLite's. Redis has a copy of the current season's in sorted sets, where a rank takes O(log n); while a
/// board is not there (Redis was wiped, a season began) SQLite answers, and ``fill(_:anew:)`` makes it again. A past
/// season's boards are read from SQLite, for they change no more.
public struct Leaderboards: Sendable {
    private let records: LeaderboardsRepository
    private let boards: RankedBoards
    private let players: PlayersRepository

    public init(redis: RedisClient, database: RecordsDatabase) {
        records = LeaderboardsRepository(database: database)
        boards = RankedBoards(redis: redis)
        players = PlayersRepository(database: database)
    }

    /// The most lines of one page.
    public static let limitMax = 1_000
    /// How deep a page may begin.
    public static let rankMax = 1_000_000
    /// The most lines on either side of a player.
    public static let aroundMax = 100

    // MARK: Reading

    /// Lines of a board, the best first.
    /// - Parameters:
    ///   - season: the season's name; the current one where absent.
    ///   - first: the rank of the first line, 1 to ``rankMax``.
    ///   - limit: 1 to ``limitMax``.
    /// - Throws: `GameDataError.invalid` naming `season`, where there was none of that name, `from` or `top`.
    public func page(
        _ mode: Mode, season name: String? = nil, from first: Int = 1, limit: Int
    ) async throws -> LeaderboardPage {
        guard (1...Self.limitMax).contains(limit) else {
            throw GameDataError.invalid(field: "top", detail: "\(limit) is not in 1 to \(Self.limitMax)")
        }
        guard (1...Self.rankMax).contains(first) else {
            throw GameDataError.invalid(field: "from", detail: "\(first) is not in 1 to \(Self.rankMax)")
        }
        let (season, isCurrent) = try await records.season(name)
        if isCurrent,
            let page = try await fromRedis({ () async throws(RedisError) in
                try await boards.page(mode, season: season.number, from: first, limit: limit)
            })
        {
            return try await Self.page(page, mode: mode, season: season, names: players)
        }
        let past = isCurrent ? nil : season.number
        return LeaderboardPage(
            mode: mode, season: season.name, total: try await records.total(mode, pastSeason: past), rank: nil,
            entries: try await records.lines(mode, pastSeason: past, from: first, limit: limit), source: .sqlite)
    }

    /// A player's rank, and who stands around them.
    /// - Parameter lines: how many on either side, 0 to ``aroundMax``.
    /// - Returns: no rank and no lines where the player is not on the board.
    /// - Throws: `GameDataError.invalid` naming `season` or `around`.
    public func page(
        _ mode: Mode, season name: String? = nil, around player: PlayerID, lines: Int
    ) async throws -> LeaderboardPage {
        guard (0...Self.aroundMax).contains(lines) else {
            throw GameDataError.invalid(field: "around", detail: "\(lines) is not in 0 to \(Self.aroundMax)")
        }
        let (season, isCurrent) = try await records.season(name)
        if isCurrent,
            let page = try await fromRedis({ () async throws(RedisError) in
                try await boards.page(mode, season: season.number, around: player, lines: lines)
            })
        {
            return try await Self.page(page, mode: mode, season: season, names: players)
        }
        let past = isCurrent ? nil : season.number
        var page = LeaderboardPage(
            mode: mode, season: season.name, total: try await records.total(mode, pastSeason: past), rank: nil,
            entries: [], source: .sqlite)
        guard let rank = try await records.rank(of: player, mode, pastSeason: past) else { return page }
        let first = max(1, rank - lines)
        page.rank = rank
        page.entries = try await records.lines(mode, pastSeason: past, from: first, limit: rank + lines - first + 1)
        return page
    }

    /// What Redis answers; `nil` where it has no whole board or does not answer: then SQLite does.
    private func fromRedis(
        _ body: () async throws(RedisError) -> RankedBoards.Page?
    ) async throws(RedisError) -> RankedBoards.Page? {
        do throws(RedisError) {
            return try await body()
        } catch  where error.isOutage {
            return nil
        }
    }

    private static func page(
        _ page: RankedBoards.Page, mode: Mode, season: Season, names players: PlayersRepository
    ) async throws -> LeaderboardPage {
        let names = try await players.displayNames(page.lines.map(\.player))
        return LeaderboardPage(
            mode: mode, season: season.name, total: page.total, rank: page.rank,
            entries: page.lines.enumerated().map { index, line in
                LeaderboardEntry(
                    rank: page.first + index, playerId: line.player,
                    displayName: names[line.player] ?? line.player.rawValue, rating: line.rating, games: line.games)
            }, source: .redis)
    }

    // MARK: Keeping them right

    /// Puts the players of some matches on the boards as SQLite has them now. A board that is not in Redis stays so.
    public func put(playersOf matches: [MatchID]) async throws {
        try await put(try await records.standings(of: matches))
    }

    private func put(_ standings: [BoardStanding]) async throws {
        for group in Dictionary(grouping: standings, by: { BoardName(mode: $0.mode, season: $0.season) }) {
            _ = try await boards.put(group.value, mode: group.key.mode, season: group.key.season)
        }
    }

    private struct BoardName: Hashable {
        let mode: Mode
        let season: Int
    }

    /// The modes that have a board: those that anyone has a rating in.
    public func modes() async throws -> [Mode] { try await records.modes() }

    public enum FillReply: Sendable, Hashable {
        /// With so many players.
        case filled(Int)
        /// It was whole already.
        case isWhole
        /// Another process fills it.
        case othersFill
        /// Redis forgot it meanwhile, or another began anew: fill it again.
        case forgotten
    }

    /// Fills the board of the current season from SQLite; results that are applied meanwhile are on it too.
    /// - Parameter anew: also where it is whole, or where another process fills it.
    public func fill(_ mode: Mode, anew: Bool = false) async throws -> FillReply {
        let season = try await records.season(nil).season.number
        let token = ULID().description
        switch try await boards.begin(mode, season: season, token: token, anew: anew, patience: Self.patience) {
        case .isWhole: return .isWhole
        case .othersFill: return .othersFill
        case .begun: break
        }
        var count = 0
        var last = ""
        while true {
            let standings = try await records.standings(mode, after: last, limit: Self.readMax)
            // A season that has begun meanwhile has a board of its own.
            let own = standings.filter { $0.season == season }
            guard own.count == standings.count else { return .forgotten }
            let put = try await boards.put(own, mode: mode, season: season, token: token)
            guard put != nil else { return .forgotten }
            count += standings.count
            guard standings.count == Self.readMax, let player = standings.last?.player else { break }
            last = player.rawValue
        }
        guard try await boards.end(mode, season: season, token: token) else { return .forgotten }
        if season > 0 { try await boards.drop(mode, season: season - 1) }
        return .filled(count)
    }

    /// Where a sweep over all standings is.
    public struct Sweep: Sendable {
        fileprivate var last: BoardStanding?

        public init() {}

        public var isAtStart: Bool { last == nil }
    }

    /// Puts the next ``readMax`` standings of SQLite on the boards: what Redis has lost of them (a replica that took
    /// over a little behind) is right again after one round over all.
    /// - Returns: where to go on; a new one after the last.
    public func sweep(_ sweep: Sweep) async throws -> Sweep {
        let standings = try await records.standings(after: sweep.last, limit: Self.readMax)
        try await put(standings)
        var next = Sweep()
        if standings.count == Self.readMax { next.last = standings.last }
        return next
    }

    static let readMax = 1_000
    /// How long a filling may be silent before another process takes over.
    static let patience = Duration.seconds(15)
}
