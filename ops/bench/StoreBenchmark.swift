import Foundation
import GameModel
import Jobs
import Logging
import Records
import Redis
import ServiceLifecycle
import Store

/// Orders through to `paid`: placed by this process in `accounts.sqlite` with `synchronous=FULL`, relayed to a
/// redis-server of its own, verified by a worker of this process against the sandbox, a process of its own.
///
/// Beside it the same without what shares a flush: one order after another, so that each transaction is alone.
struct StoreBenchmark: Sendable {
    let executable: String
    let orders: Int
    /// Orders that are being placed at once, and verified at once.
    var concurrency = 256

    private struct NoRules: FraudRules {
        func judge(_ attempt: PurchaseAttempt) -> FraudVerdict { .allow }
    }

    func run(folder: String) async throws -> [BenchFigure] {
        let alone = max(200, orders / 20)
        let single = try await measure(folder + "/alone", orders: alone, concurrency: 1)
        let grouped = try await measure(folder + "/grouped", orders: orders, concurrency: concurrency)
        return [
            BenchFigure("orders placed, one transaction each", single.placed, "1/s"),
            BenchFigure("orders placed, group commit", grouped.placed, "1/s")
                .beside(single.placed, "one transaction each").atLeast(single.placed * 10),
            BenchFigure("orders through to paid, one transaction each", single.paid, "1/s"),
            BenchFigure("orders through to paid, group commit", grouped.paid, "1/s")
                .beside(single.paid, "one transaction each").atLeast(single.paid * 10),
            BenchFigure("  client's CPU per paid order", grouped.cpu, "µs"),
        ]
    }

    private struct Pace {
        /// Orders per second.
        let placed: Double
        let paid: Double
        /// Of this process per order, in µs: placing, relaying and verifying.
        let cpu: Double
    }

    private func measure(_ folder: String, orders: Int, concurrency: Int) async throws -> Pace {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let server = try BenchServer.start()
        let sandbox = try BenchChild.start(
            executable,
            ["sandbox", "--data", folder, "--set", "sandbox.port=0", "--log-level", "info"],
            output: folder + "/sandbox.log")
        let outcome: Result<Pace, any Error>
        do {
            let url = try await BenchChild.wait(for: "the sandbox") { () throws -> String? in
                let bytes = FileManager.default.contents(atPath: folder + "/sandbox.log") ?? Data()
                let said = String(decoding: bytes, as: UTF8.self).firstMatch(of: /url=(http:[^ ]+:[0-9]+)/)
                return said.map { String($0.1) }
            }
            outcome = .success(
                try await live(
                    folder, redis: server.url, sandbox: url, orders: orders,
                    concurrency: concurrency))
        } catch {
            outcome = .failure(error)
        }
        try sandbox.stop()
        try server.stop()
        return try outcome.get()
    }

    private func live(
        _ folder: String, redis url: String, sandbox: String, orders: Int, concurrency: Int
    ) async throws -> Pace {
        var logger = Logger(label: "muster.bench")
        logger.logLevel = .error
        let redis = RedisClient(configuration: try RedisConfiguration(url: url), logger: logger)
        let database = try RecordsDatabase.open(
            path: folder + "/accounts.sqlite", durability: .full,
            schemas: [StoreSchema.schema, Outbox.schema, ChangeLog.schema], logger: logger)
        let provider = StripeProvider(url: sandbox, secretKey: "sk_test_muster", connections: concurrency)
        let relay = OutboxRelay(database: database, redis: redis, kinds: [VerifyPayment.self], logger: logger)
        let repository = StoreRepository(database: database)
        var configuration = JobWorkerConfiguration()
        configuration.concurrency = concurrency
        let worker = JobWorker(
            queue: JobQueue(name: VerifyPayment.queue, redis: redis), configuration: configuration,
            handlers: [VerifyPaymentHandler(repository: repository, providers: [provider]).handler], logger: logger)
        let store = StoreService(repository: repository, fraud: NoRules(), nudge: { relay.nudge() })
        let pace = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await redis.run() }
            try await redis.waitUntilConnected(timeout: .seconds(10))
            group.addTask { try await relay.run() }
            group.addTask { try await worker.run() }
            let pace = try await trade(store, database, redis, orders: orders, concurrency: concurrency)
            group.cancelAll()
            return pace
        }
        try await provider.shutdown()
        try database.close()
        return pace
    }

    private func trade(
        _ store: StoreService, _ database: RecordsDatabase, _ redis: RedisClient, orders: Int, concurrency: Int
    ) async throws -> Pace {
        let before = try await CPUMeter.read(redis)
        let place = { @Sendable (number: Int) in
            _ = try await store.orders.place(
                Wish(productId: ProductID("potion-healing")), player: PlayerID(ULID().description),
                payment: .provider(nil, method: "pm_card_visa"), expected: nil, idempotencyKey: "bench-\(number)")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<orders {
                if number >= concurrency { try await group.next() }
                group.addTask { try await place(number) }
            }
            try await group.waitForAll()
        }
        let placed = ContinuousClock.now - before.instant
        // Each order's outbox row goes in the transaction that writes its verdict.
        let deadline = ContinuousClock.now + .seconds(300)
        while try await database.read({ try Outbox.openCount(in: $0) }) > 0 {
            guard ContinuousClock.now < deadline else { throw BenchError("orders have no verdict after 300 s") }
            try await Task.sleep(for: .milliseconds(20))
        }
        let after = try await CPUMeter.read(redis)
        let paid = try await store.orders.orders(OrderFilter(states: [.paid], limit: 100))
        guard !paid.isEmpty else { throw BenchError("no order was paid") }
        return Pace(
            placed: Double(orders) / placed.inSeconds, paid: Double(orders) / before.seconds(to: after),
            cpu: (after.client - before.client) / Double(orders))
    }
}
