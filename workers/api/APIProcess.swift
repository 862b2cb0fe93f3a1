import API
import Accounts
import Fleet
import GameData
import GameModel
import Hummingbird
import Jobs
import Logging
import Matchmaking
import NIOCore
import Records
import Redis
import ServiceLifecycle
import Store
import Telemetry

/// `muster api`: answers the HTTP API.
///
/// Any number of these share a data folder and a Redis, each on a port of its own behind a load balancer. Stopped by
/// SIGTERM it takes no more connections, lets the requests under way finish, and then closes the files.
public struct APIProcess: Sendable {
    private let configuration: APIConfiguration
    private let logger: Logger

    public init(configuration: APIConfiguration, logger: Logger? = nil) {
        self.configuration = configuration
        self.logger = logger ?? Log.logger("api")
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        let parts = try parts { _ in }
        try await ProcessHost.run(services: parts.services, logger: logger)
    }

    /// What the process is made of.
    public struct Parts: Sendable {
        /// In the order of their start; they stop in reverse: what requests wait for, HTTP, the files last.
        public let services: [any Service]
        /// What is answered, as `GET /v1/players/{id}`.
        public let routes: [String]
    }

    /// Opens the files and puts everything together; nothing runs yet.
    ///
    /// - Parameter onListening: told the port once HTTP is answered: the kernel's choice where 0 was asked for.
    public func parts(onListening: @escaping @Sendable (Int) -> Void) throws -> Parts {
        try configuration.validate()
        let folder = configuration.dataFolder
        let accounts = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas, logger: logger)
        let data = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: logger)
        let events = try RecordsDatabase.open(
            path: "\(folder)/events.sqlite", durability: .normal, schemas: [EventsSchema.schema], logger: logger)
        var address = try RedisConfiguration(url: configuration.redisURL)
        // A player is better told to try again than kept waiting for a Redis that is away.
        address.commandTimeout = configuration.redisPatience
        let redis = RedisClient(configuration: address, logger: logger)
        let rules = try RulesFile.follow(configuration.rulesFile, logger: logger)
        let watcher = TicketWatcher(redis: redis, book: rules.book, logger: logger)
        let orders = OutboxRelay(
            database: accounts, redis: redis, kinds: [VerifyPayment.self, SettleOrder.self], logger: logger)
        let results = OutboxRelay(database: data, redis: redis, kinds: [RecordMatchResult.self], logger: logger)
        let ring = try KeyRing(folder: "\(folder)/keys", logger: logger)
        let webhooks = PaymentWebhooks(configuration.payments)
        var dependencies = try dependencies(
            accounts: accounts, data: data, redis: redis, book: rules.book, watcher: watcher, orders: orders,
            results: results, ring: ring, webhooks: webhooks)
        dependencies.rememberedLatencies = remembered(EventTotalsRepository(database: events))
        let built = APIRoutes.build(dependencies)
        let application = Application(
            router: built.router, server: APIRoutes.server(),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), backlog: Self.backlog),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) }, logger: logger)
        return Parts(
            services: [
                RecordsCloser(databases: [accounts, data, events]), WebhooksCloser(webhooks: webhooks), redis, ring,
            ] + rules.services + [
                ProcessRegistry(redis: redis, role: "api", version: Self.version, logger: logger),
                orders, results, application,
                // Stops before HTTP does: those who wait for a ticket are let go, so that their requests can end.
                watcher,
            ],
            routes: built.routes)
    }
}

extension APIProcess {
    /// How many connections may wait to be accepted: a crowd that arrives at once is to wait, not to be refused.
    static let backlog = 4096
    /// What the process calls itself in the registry.
    static let version = "0.1.0"

    /// The mean round trips that ingest makes of events. A queue does not wait for a file that can't be read.
    private func remembered(_ totals: EventTotalsRepository) -> @Sendable (PlayerID) async -> [Region: Double] {
        { [logger] player in
            do {
                return try await totals.regions(of: player).compactMapValues(\.averageLatencyMs)
            } catch {
                logger.warning("latencies not remembered", metadata: ["player": "\(player)", "error": "\(error)"])
                return [:]
            }
        }
    }

    private func dependencies(
        accounts: RecordsDatabase, data: RecordsDatabase, redis: RedisClient, book: RulesBook,
        watcher: TicketWatcher, orders: OutboxRelay, results: OutboxRelay, ring: KeyRing, webhooks: PaymentWebhooks
    ) throws -> APIDependencies {
        let tokens = TokenIssuer(ring: ring)
        let passwords = try PasswordHasher(
            parameters: ScryptParameters(
                logN: configuration.scryptLogN, r: configuration.scryptR, p: configuration.scryptP), logger: logger)
        let storeRepository = StoreRepository(database: accounts)
        let pictures = try configuration.pictures.open(
            dataFolder: configuration.dataFolder, repository: storeRepository)
        let readiness = Readiness()
        readiness.register("redis") { redis.isConnected ? .ready : .notReady("no connection") }
        var limits = AccountLimits()
        limits.creations = configuration.creationsPerHour > 0 ? configuration.creationsPerHour : .max
        var dependencies = APIDependencies(
            accounts: AccountService(
                repository: AccountsRepository(database: accounts), passwords: passwords, tokens: tokens,
                limits: limits, accessLifetime: configuration.accessLifetime),
            tokens: tokens,
            store: StoreService(
                repository: storeRepository, providers: configuration.payments.providerNames,
                pictureURL: { pictures.service.url(of: $0) ?? $0 },
                nudge: { orders.nudge() }),
            webhooks: WebhookReceiver(repository: storeRepository, verifiers: webhooks.verifiers) { orders.nudge() },
            storeChanges: ChangeLogRepository(database: accounts), gameChanges: ChangeLogRepository(database: data),
            pictures: pictures.service, pictureFolder: pictures.folder,
            matchmaking: MatchmakingService(redis: redis, book: book, logger: logger), watcher: watcher,
            latencies: PlayerLatencies(redis: redis, book: book),
            histories: MatchmakingHistoryRepository(database: data),
            fleet: FleetService(redis: redis), players: PlayersRepository(database: data),
            matches: MatchesRepository(database: data), ratings: RatingHistoryRepository(database: data),
            seasons: SeasonsRepository(database: data),
            boards: Leaderboards(redis: redis, database: data), balance: BalanceRepository(database: data),
            events: EventLog(redis: redis), readiness: readiness, metrics: .shared
        ) { results.nudge() }
        dependencies.limits = configuration.limits
        dependencies.proxies = try configuration.proxies()
        return dependencies
    }
}
