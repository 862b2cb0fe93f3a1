import GameModel
import Records
import Redis

/// Checks that the leaderboards in Redis are what the ratings in SQLite say.
public struct LeaderboardAudit: Sendable {
    private let records: LeaderboardsRepository
    private let boards: RankedBoards

    public init(redis: RedisClient, database: RecordsDatabase) {
        records = LeaderboardsRepository(database: database)
        boards = RankedBoards(redis: redis)
    }

    /// One rule, held against every rating of every mode. A board that is not in Redis is no fault: SQLite answers.
    ///
    /// - Parameter time: how long a difference may last: an ingest that ended between the file and the boards leaves
    ///   what it owed to the next run of its job, or to the keeper of the boards.
    public func findings(within time: Duration = .zero) async throws -> [AuditFinding] {
        let deadline = ContinuousClock.now + time
        while true {
            let finding = try await finding()
            if finding.holds || ContinuousClock.now >= deadline { return [finding] }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func finding() async throws -> AuditFinding {
        var checked = 0
        var broken: [String] = []
        var absent: [String] = []
        let season = try await records.season(nil).season.number
        for mode in try await records.modes() {
            guard let page = try await boards.page(mode, season: season, from: 1, limit: 1) else {
                absent.append(mode.rawValue)
                continue
            }
            var players = 0
            var last = ""
            while true {
                let standings = try await records.standings(mode, after: last, limit: Leaderboards.readMax)
                players += standings.count
                broken += try await differences(standings, mode, season).map { "\(mode) \($0)" }
                guard standings.count == Leaderboards.readMax, let player = standings.last?.player else { break }
                last = player.rawValue
            }
            checked += players
            // More may have come meanwhile; fewer than there were at first can't be.
            if page.total > players {
                broken.append("\(mode): \(page.total - players) players that SQLite does not have")
            }
        }
        return AuditFinding(
            rule: "each rating of the season is on its leaderboard in Redis", checked: checked,
            failed: broken.count, examples: Array(broken.sorted().prefix(AuditFinding.examplesMax)),
            note: absent.isEmpty ? nil : "SQLite answers for \(absent.joined(separator: ", "))")
    }

    /// The players whose line on the board is another. A result that is applied at this moment is on its way there.
    private func differences(_ standings: [BoardStanding], _ mode: Mode, _ season: Int) async throws -> [String] {
        var suspects = standings
        for attempt in 0..<Self.attemptsMax where !suspects.isEmpty {
            if attempt > 0 { try await Task.sleep(for: Self.pause) }
            let lines = try await boards.lines(mode, season: season, of: suspects.map(\.player))
            suspects = zip(suspects, lines).filter { standing, line in
                // Newer than what was read before is right.
                guard let line else { return true }
                return line.games == standing.games ? line.rating != standing.rating : line.games < standing.games
            }.map(\.0)
        }
        return suspects.map(\.player.rawValue)
    }

    private static let attemptsMax = 5
    private static let pause = Duration.milliseconds(200)
}
