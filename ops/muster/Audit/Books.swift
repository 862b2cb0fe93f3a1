import APIWorker
import Accounts
import Fleet
import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Records
import Redis
import Store

/// The books of a data folder, the queues in Redis that belong to them, and the payment providers that charged.
struct Books: Sendable {
    private let accounts: RecordsDatabase
    private let data: RecordsDatabase
    /// `nil` where no ingest has stored any here.
    private let events: EventsRepository?
    /// Whom to ask which charges there were.
    private let payments: PaymentSettings?
    /// By which there are pools, regions, and queues of allocations.
    private let rules: MatchmakingRules

    /// Opens the files; a folder without them is refused, not filled with empty ones.
    ///
    /// - Parameter payments: without them, the rules about charges are left out.
    init(folder: String, rules: MatchmakingRules, payments: PaymentSettings?) throws {
        try Self.requireFiles(in: folder)
        let logger = Logger(label: "audit", factory: { _ in SwiftLogNoOpLogHandler() })
        accounts = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas, logger: logger)
        data = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: logger)
        events = try EventsCommand.hasEvents(folder) ? EventsCommand.open(folder) : nil
        self.payments = payments
        self.rules = rules
    }

    /// Says which file is missing, before anything else is looked for.
    static func requireFiles(in folder: String) throws {
        for name in ["accounts.sqlite", "data.sqlite"]
        where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            throw CommandFailure(
                "There is no \(name) in \(folder).", nextStep: "Name the data folder: --data FOLDER.")
        }
    }

    /// Waits until no order and no result is open any more, and no job still has to put a result on the boards and end
    /// its match; the answer is what still is after the time given, in words.
    func settle(_ redis: RedisClient, within time: Duration) async throws -> String? {
        let deadline = ContinuousClock.now + time
        while true {
            let orders = try await accounts.read { db in try Outbox.openCount(in: db) }
            let results = try await data.read { db in try Outbox.openCount(in: db) }
            let jobs = try await JobQueue(name: RecordMatchResult.queue, redis: redis).counts()
            let ending = jobs.waiting + jobs.later + jobs.leased + jobs.blocked
            if orders == 0, results == 0, ending == 0 { return nil }
            guard ContinuousClock.now < deadline else {
                return "\(orders) orders, \(results) results, \(ending) matches to be ended"
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Every rule of every room.
    /// - Parameter time: how long the boards in Redis may differ from the ratings.
    func audit(_ redis: RedisClient, within time: Duration) async throws -> AuditReport {
        let matchmaking = MatchmakingAudit(service: MatchmakingService(redis: redis, rules: rules))
        var sections = [
            AuditSection(
                room: "accounts",
                findings: try await AccountsAudit(repository: AccountsRepository(database: accounts)).run()),
            AuditSection(room: "store", findings: try await store()),
            AuditSection(
                room: "game data",
                findings: try await GameDataAudit(database: data).findings()
                    + LeaderboardAudit(redis: redis, database: data).findings(within: time)),
            AuditSection(room: "matchmaking", findings: try await matchmaking.run()),
            AuditSection(room: "fleet", findings: try await fleet(redis)),
            AuditSection(room: "jobs", findings: [try await jobs(redis)]),
        ]
        if let events {
            let findings = try await EventsAudit(events: events, redis: redis).findings()
            sections.append(AuditSection(room: "events", findings: findings))
        }
        return AuditReport(at: Instant.now.milliseconds, sections: sections)
    }

    /// The store's rules, those about charges only where there is a provider to ask.
    private func store() async throws -> [AuditFinding] {
        let repository = StoreRepository(database: accounts)
        guard let payments else { return try await StoreAudit(repository: repository, providers: []).run() }
        let providers = PaymentProviders(payments)
        let findings: Result<[AuditFinding], any Error>
        do {
            findings = .success(try await StoreAudit(repository: repository, providers: providers.all).run())
        } catch {
            findings = .failure(error)
        }
        try await providers.shutdown()
        do {
            return try findings.get()
        } catch let error as PaymentError {
            throw CommandFailure(
                "The charges can't be checked: \(error)",
                nextStep: "Start the providers (\(payments)), or leave their rules out: muster audit --no-provider.")
        }
    }

    /// The fleet's own rules, and that between it and the data service.
    private func fleet(_ redis: RedisClient) async throws -> [AuditFinding] {
        let fleet = FleetService(redis: redis)
        let findings = try await FleetAudit(fleet: fleet, regions: rules.regions).findings()
        return findings + [try await overdue(fleet)]
    }

    /// A match that was placed is played, reported or abandoned within its mode's longest match.
    private func overdue(_ fleet: FleetService) async throws -> AuditFinding {
        let now = Instant.now
        let repository = MatchesRepository(database: data)
        let open = try await repository.placed(before: now)
        let late = open.filter { record in
            let longest = rules.modes[record.mode].map { Duration.seconds($0.matchSecondsMax) } ?? .seconds(3_600)
            return now.milliseconds - record.placedAt.milliseconds > (longest + Self.placedMargin).milliseconds
        }
        var broken: [String] = []
        for (region, matches) in Dictionary(grouping: late, by: \.region) {
            let held = try await fleet.allocated(matches.map(\.matchId), in: region)
            broken += matches.map(\.matchId).filter { !held.contains($0) }.map(\.rawValue)
        }
        return AuditFinding(
            rule: "no match is placed for longer than one can last without an instance that holds it",
            checked: open.count, failed: broken.count, examples: broken.sorted())
    }

    /// Time that the allocator has to find and end a match that nobody plays.
    private static let placedMargin = Duration.seconds(120)

    /// Each queue's counters agree with what is in it.
    private func jobs(_ redis: RedisClient) async throws -> AuditFinding {
        var broken: [String] = []
        let queues = Queues.all(of: rules)
        for queue in queues {
            let counts = try await JobQueue(name: queue, redis: redis).counts()
            guard !counts.isBalanced else { continue }
            broken.append("\(queue): \(counts.enqueued) enqueued, \(counts.accounted) accounted for")
        }
        return AuditFinding(
            rule: "jobs enqueued = completed + alive + dead + cancelled + purged + shed, in each queue",
            checked: queues.count, failed: broken.count, examples: broken)
    }
}
