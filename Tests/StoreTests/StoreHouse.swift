import GameModel
import Jobs
import Logging
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import Store

/// A store as it runs: SQLite, Redis, the outbox's relay, and as many verifiers as asked for, beside a faulty provider.
struct StoreHouse {
    static let player = PlayerID("01PLAYER")
    static let skin = ProductID("skin-moss-giant")
    /// Of `accounts.sqlite`, without the accounts.
    static let schemas = [StoreSchema.schema, Outbox.schema, ChangeLog.schema]

    let store: StoreService
    let repository: StoreRepository
    let database: RecordsDatabase
    /// What charges, unless another provider was given.
    let provider = FaultyProvider()
    let charging: any PaymentProvider
    let redis: RedisClient
    let server: RedisServer

    private init(
        store: StoreService, repository: StoreRepository, database: RecordsDatabase,
        charging: (any PaymentProvider)?, redis: RedisClient, server: RedisServer
    ) {
        self.store = store
        self.repository = repository
        self.database = database
        self.charging = charging ?? provider
        self.redis = redis
        self.server = server
    }

    var queue: JobQueue { JobQueue(name: VerifyPayment.queue, redis: redis) }

    /// Runs the body beside a relay and verifiers; all of them end with it.
    static func open(
        verifiers: Int = 1, charging: (any PaymentProvider)? = nil, _ body: (StoreHouse) async throws -> Void
    ) async throws {
        try await withRedis { redis, server in
            try await withRecords(schemas: Self.schemas) { database in
                let logger = quiet()
                let relay = OutboxRelay(
                    database: database, redis: redis, kinds: [VerifyPayment.self, SettleOrder.self],
                    logger: logger)
                let repository = StoreRepository(database: database)
                let house = StoreHouse(
                    store: StoreService(
                        repository: repository, providers: [charging?.name ?? "stripe"], nudge: { relay.nudge() }),
                    repository: repository, database: database, charging: charging, redis: redis, server: server)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await relay.run() }
                    for _ in 0..<verifiers { group.addTask { try await house.worker().run() } }
                    try await body(house)
                    group.cancelAll()
                    // What a cancelled service throws is of no interest.
                    while await group.nextResult() != nil {}
                }
            }
        }
    }

    func worker() -> JobWorker {
        let verification = VerifyPaymentHandler(repository: repository, providers: [charging])
        let settlement = SettleOrderHandler(repository: repository, providers: [charging])
        var configuration = JobWorkerConfiguration()
        // However slow the machine is, no lease runs out and has a provider asked once more than a test counts.
        configuration.leaseDuration = .seconds(120)
        return JobWorker(
            queue: queue, configuration: configuration, handlers: [verification.handler, settlement.handler],
            logger: Self.quiet())
    }

    /// Places an order that the provider charges.
    func place(
        _ product: ProductID = Self.skin, quantity: Int = 1, by player: PlayerID = Self.player,
        for recipient: PlayerID? = nil, codes: [String] = [], paymentMethod: String = "pm_card_visa",
        key: String = ULID().description
    ) async throws -> Order {
        let wish = Wish(productId: product, quantity: quantity, codes: codes, recipient: recipient)
        return try await store.orders.place(
            wish, player: player, payment: .provider(nil, method: paymentMethod), expected: nil, idempotencyKey: key
        ).order
    }

    /// Places an order and waits for its verdict.
    func buy(
        _ product: ProductID = Self.skin, quantity: Int = 1, by player: PlayerID = Self.player,
        for recipient: PlayerID? = nil
    ) async throws -> Order {
        try await verdict(on: try await place(product, quantity: quantity, by: player, for: recipient))
    }

    /// Waits for an order's verdict.
    func verdict(on order: Order, within limit: Duration = .seconds(90)) async throws -> Order {
        try await eventually(within: limit, "order \(order.orderId) has its verdict") {
            try await !store.orders.order(order.orderId).state.isOpen
        }
        return try await store.orders.order(order.orderId)
    }

    /// The books are in order, and nothing is owed any more.
    func expectSettled(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for finding in try await StoreAudit(repository: repository, providers: [charging]).run() {
            #expect(finding.holds, "\(finding)", sourceLocation: sourceLocation)
        }
        #expect(try await database.read { try Outbox.openCount(in: $0) } == 0, sourceLocation: sourceLocation)
    }

    static func quiet() -> Logger {
        var logger = Logger(label: "test.store")
        logger.logLevel = .critical
        return logger
    }
}
