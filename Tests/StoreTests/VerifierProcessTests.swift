import Configuration
import GameModel
import Jobs
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import Store
@testable import VerifierWorker

@Suite("The verifier process")
struct VerifierProcessTests {
    @Test("its settings are read by their names, and one that can't be is refused by its name")
    func settings() throws {
        func read(_ variables: [String: String]) -> VerifierConfiguration {
            VerifierConfiguration(
                reader: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables)))
        }
        try read([:]).validate()
        #expect(read([:]) == VerifierConfiguration())
        let good = read([
            "MUSTER_PAYMENTS_ORDER_TIMEOUT_HOURS": "2", "MUSTER_PAYMENTS_RECONCILE_CRON": "@hourly",
            "MUSTER_PAYMENTS_RECONCILE_DAYS": "30",
        ])
        try good.validate()
        #expect(good.orderTimeOut == .seconds(7_200) && good.reconcileCron == "@hourly" && good.reconcileDays == 30)
        #expect(read(["MUSTER_PAYMENTS_RECONCILE_CRON": "off"]).reconcileCron == nil)
        for (name, value, words) in [
            ("ORDER_TIMEOUT_HOURS", "24", "muster.payments.order-timeout-hours is 24, and must be 1 to 23"),
            ("ORDER_TIMEOUT_HOURS", "0", "muster.payments.order-timeout-hours is 0, and must be 1 to 23"),
            ("RECONCILE_DAYS", "400", "muster.payments.reconcile-days is 400, and must be 1 to 366"),
            ("RECONCILE_CRON", "61 4 * * *", "muster.payments.reconcile-cron is '61 4 * * *': the minute can't be"),
        ] {
            let error = #expect(throws: VerifierConfigurationError.self) {
                try read(["MUSTER_PAYMENTS_\(name)": value]).validate()
            }
            #expect(error?.description.hasPrefix(words) == true, "\(String(describing: error))")
        }
    }

    @Test("it charges, refunds what is asked for, and compares charges with orders when its clock says so")
    func wholeLife() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        try await withRecords(schemas: StoreHouse.schemas) { database in
            let (repository, provider) = (StoreRepository(database: database), FaultyProvider())
            let store = StoreService(repository: repository)
            let redis = RedisClient(configuration: try server.configuration(), logger: StoreHouse.quiet())
            var configuration = VerifierConfiguration()
            configuration.reconcileCron = "0 0 1 1 *"
            let process = VerifierProcess(configuration: configuration, logger: StoreHouse.quiet())
            let services = try process.services(redis: redis, database: database, providers: [provider])
            try await withServices(services) {
                let placed = try await store.orders.place(
                    Wish(productId: StoreHouse.skin), player: StoreHouse.player,
                    payment: .provider(nil, method: "pm"), expected: nil, idempotencyKey: "k")
                let id = placed.order.orderId
                try await eventually("it is paid") { try await store.orders.order(id).state == .paid }
                _ = try await store.orders.requestRefund(id, reason: "a mistake", by: "test")
                try await eventually("it is refunded") { try await store.orders.order(id).state == .refunded }
                let table = CronTable(queue: JobQueue(name: ReconcilePayments.queue, redis: redis))
                let name = CronName("store.reconcile")
                try await eventually("it is in the cron table") { try await table.list().map(\.name) == [name] }
                _ = try await table.runNow(name)
                let reconciler = Reconciler(repository: repository)
                try await eventually("it was compared") { try await reconciler.reports(limit: 2).count == 1 }
                let report = try #require(try await reconciler.reports(limit: 1).first)
                #expect(report.charges == 1 && report.orders == 1 && report.found == 0)
            }
        }
    }

    @Test("with its clock off, nothing is scheduled")
    func off() async throws {
        try await withRedis { redis, _ in
            try await withRecords(schemas: StoreHouse.schemas) { database in
                var configuration = VerifierConfiguration()
                configuration.reconcileCron = nil
                let process = VerifierProcess(configuration: configuration, logger: StoreHouse.quiet())
                let services = try process.services(redis: redis, database: database, providers: [FaultyProvider()])
                #expect(!services.contains { $0 is CronScheduler })
            }
        }
    }
}
