import GRDB
import GameModel
import Logging
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Older files of the store")
struct StoreMigrationTests {
    /// The tables as they were before versions, wallets and refunds.
    private static let old = RecordsSchema(
        name: StoreSchema.schema.name, migrations: Array(StoreSchema.schema.migrations.prefix(3)))

    private static let rows = """
        INSERT INTO products (product_id, name, kind, price, currency, is_active, updated_at) VALUES
            ('skin-a', 'Skin A', 'skin', 999, 'EUR', 1, 10), ('skin-b', 'Skin B', 'skin', 500, 'JPY', 1, 11),
            ('skin-c', 'Skin C', 'skin', 300, 'GBP', 0, 12);
        INSERT INTO promotions (promotion_id, product_id, percent_off, starts_at, ends_at, updated_at) VALUES
            ('launch', 'skin-a', 30, 5, 2000000000000, 13), ('everything', NULL, 10, 5, 6, 14);
        INSERT INTO orders (order_id, player_id, product_id, state, amount, currency, list_price, promotion_id,
            payment_method, provider_reference, reason, idempotency_key, body_digest, created_at, updated_at) VALUES
            ('01PAID', 'ada', 'skin-a', 'paid', 699, 'EUR', 999, 'launch', 'pm_1', 'pi_1', NULL, 'k1', 'd1', 100, 110),
            ('02PLAIN', 'ada', 'skin-c', 'paid', 300, 'GBP', 300, NULL, 'pm_1', 'pi_2', NULL, 'k2', 'd2', 101, 111),
            ('03DECLINED', 'bob', 'skin-a', 'declined', 699, 'EUR', 999, 'launch', 'pm_2', 'pi_3', 'card_declined',
                'k1', 'd3', 102, 112),
            ('04REVIEW', 'bob', 'skin-b', 'review', 500, 'JPY', 500, NULL, 'pm_2', 'pi_4', 'wrong amount', 'k2', 'd4',
                103, 113),
            ('05PENDING', 'cleo', 'skin-a', 'pending', 999, 'EUR', 999, NULL, 'pm_3', NULL, NULL, 'k1', 'd5', 104, 104);
        INSERT INTO ledger (transfer_id, order_id, kind, debit, credit, amount, currency, provider_reference,
            created_at) VALUES
            ('t1', '01PAID', 'charge', 'provider:stripe', 'sales', 699, 'EUR', 'pi_1', 110),
            ('t2', '02PLAIN', 'charge', 'provider:stripe', 'sales', 300, 'GBP', 'pi_2', 111);
        INSERT INTO entitlements (player_id, product_id, order_id, granted_at) VALUES
            ('ada', 'skin-a', '01PAID', 110), ('ada', 'skin-c', '02PLAIN', 111);
        INSERT INTO webhook_events (event_id, type, order_id, received_at) VALUES
            ('evt_1', 'payment_intent.succeeded', '01PAID', 120), ('evt_2', 'customer.created', NULL, 121);
        """

    /// Runs the body with a file that the first release made, as the present one opens it.
    private func withUpgraded(_ body: (RecordsDatabase) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let logger = Logger(label: "test.store")
        let path = folder.file("accounts.sqlite")
        let before = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: [Self.old, Outbox.schema], logger: logger)
        try await before.write { db in
            try db.execute(sql: Self.rows)
            try Outbox.insert(VerifyPayment.owed(for: OrderID("05PENDING"), at: Instant(milliseconds: 104)), in: db)
        }
        try before.close()
        for _ in 0..<2 {
            let after = try RecordsDatabase.open(
                path: path, durability: .normal, schemas: CatalogHouse.schemas, logger: logger)
            try await body(after)
            try after.close()
        }
    }

    @Test("what was sold is the first published version, and the draft")
    func catalog() async throws {
        try await withUpgraded { database in
            let store = StoreService(
                repository: StoreRepository(database: database), clock: { Instant(milliseconds: 1_000) })
            let version = try await store.editor.version(1)
            #expect(version.publishedBy == "migration")
            #expect(
                version.document.products == [
                    Product(
                        productId: ProductID("skin-a"), name: "Skin A", kind: .skin,
                        prices: [Money(minorUnits: 999, currency: .eur)]),
                    Product(
                        productId: ProductID("skin-b"), name: "Skin B", kind: .skin,
                        prices: [Money(minorUnits: 500, currency: .jpy)]),
                    Product(
                        productId: ProductID("skin-c"), name: "Skin C", kind: .skin,
                        prices: [Money(minorUnits: 300, currency: .gbp)], isActive: false),
                ])
            #expect(version.document.promotions.map(\.promotionId) == ["everything", "launch"])
            #expect(version.document.promotions.map(\.percentOff) == [10, 30])
            #expect(version.document.promotions.map(\.productIds) == [[], [ProductID("skin-a")]])
            #expect(try await store.editor.draft() == version.document)
            #expect(try await store.editor.problems() == [])
            let quote = try await store.catalog.quote(Wish(productId: ProductID("skin-a")), player: PlayerID("dee"))
            #expect(quote.total == 699 && quote.catalogVersion == 1)
        }
    }

    @Test("orders keep their states, prices and references")
    func orders() async throws {
        try await withUpgraded { database in
            let orders = StoreService(repository: StoreRepository(database: database)).orders
            let all = try await orders.orders(OrderFilter())
            #expect(all.map(\.orderId.rawValue) == ["05PENDING", "04REVIEW", "03DECLINED", "02PLAIN", "01PAID"])
            #expect(all.map(\.state) == [.pending, .review, .declined, .paid, .paid])
            let paid = try #require(all.last)
            #expect(paid.playerId == PlayerID("ada") && paid.owner == PlayerID("ada") && paid.quantity == 1)
            #expect(paid.money == Money(minorUnits: 699, currency: .eur) && paid.providerReference == "pi_1")
            #expect(paid.provider == "stripe" && paid.paymentMethod == "pm_1" && paid.refunded == 0 && paid.flag == nil)
            #expect(paid.createdAt == Instant(milliseconds: 100) && paid.updatedAt == Instant(milliseconds: 110))
            #expect(paid.quote.list == 999 && paid.quote.promotionIds == ["launch"])
            #expect(paid.quote.lines.map(\.amount) == [999, -300])
            #expect(all[3].quote.lines.map(\.amount) == [300])
            #expect(all[2].reason == "card_declined")
        }
    }

    @Test("the ledger, its balances and what players own are there, and the books are right")
    func books() async throws {
        try await withUpgraded { database in
            let repository = StoreRepository(database: database)
            let store = StoreService(repository: repository)
            let transfers = try await store.orders.transfers(of: OrderID("01PAID"))
            #expect(transfers.map(\.kind) == [.charge] && transfers.map(\.amount) == [699])
            let balances = try await database.read { db in
                try Row.fetchAll(db, sql: "SELECT * FROM balances ORDER BY account, unit")
                    .map { "\($0["account"] as String) \($0["amount"] as Int64) \($0["unit"] as String)" }
            }
            #expect(
                balances == ["provider:stripe 699 EUR", "provider:stripe 300 GBP", "sales -699 EUR", "sales -300 GBP"])
            let owned = try await store.inventory.skins(of: [PlayerID("ada"), PlayerID("bob")])
            #expect(owned[PlayerID("ada")].map(Set.init) == [ProductID("skin-a"), ProductID("skin-c")])
            #expect(owned[PlayerID("bob"), default: []].isEmpty)
            let events = try await database.read { db in
                try String.fetchAll(
                    db, sql: "SELECT provider || ' ' || event_id FROM provider_events ORDER BY event_id")
            }
            #expect(events == ["stripe evt_1", "stripe evt_2"])
            for finding in try await StoreAudit(repository: repository, providers: []).run() {
                #expect(finding.holds, "\(finding)")
            }
        }
    }

    @Test("who owned a skin before can't buy it again, and a key that was used answers its order")
    func goingOn() async throws {
        try await withUpgraded { database in
            let orders = StoreService(
                repository: StoreRepository(database: database), clock: { Instant(milliseconds: 1_000) }
            ).orders
            let wish = Wish(productId: ProductID("skin-a"))
            await #expect(throws: StoreError.alreadyOwned(ProductID("skin-a"), by: "01PAID")) {
                try await orders.place(
                    wish, player: PlayerID("ada"), payment: .provider(nil, method: "pm"), expected: nil,
                    idempotencyKey: "new")
            }
            await #expect(throws: StoreError.orderOpen(ProductID("skin-a"), OrderID("05PENDING"))) {
                try await orders.place(
                    wish, player: PlayerID("cleo"), payment: .provider(nil, method: "pm"), expected: nil,
                    idempotencyKey: "new")
            }
        }
    }

    @Test("a product that can't be moved stops the upgrade, and nothing is lost")
    func unknownProduct() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (path, logger) = (folder.file("accounts.sqlite"), Logger(label: "test.store"))
        let before = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: [Self.old, Outbox.schema], logger: logger)
        try await before.write { db in
            try db.execute(sql: Self.rows)
            try db.execute(sql: "UPDATE products SET currency = 'XAU' WHERE product_id = 'skin-c'")
        }
        try before.close()
        #expect(throws: (any Error).self) {
            try RecordsDatabase.open(
                path: path, durability: .normal, schemas: CatalogHouse.schemas, logger: logger)
        }
        let after = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: [Outbox.schema], logger: logger)
        let left = try await after.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM products") }
        #expect(left == 3)
        try after.close()
    }

    @Test("the tables of the first release are gone")
    func tables() async throws {
        try await withUpgraded { database in
            let left = try await database.read { db in
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT name FROM sqlite_master WHERE type = 'table' AND name IN
                        ('products', 'promotions', 'orders', 'ledger', 'entitlements', 'webhook_events')
                        """)
            }
            #expect(left == [])
        }
    }
}
