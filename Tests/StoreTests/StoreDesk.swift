import GRDB
import GameModel
import Jobs
import Records
import Synchronization
import TestSupport

@testable import Store

/// A store on a SQLite file alone, with a clock that the test moves: what verifiers would write of an order's fate, the
/// test writes.
struct StoreDesk {
    static let player = PlayerID("01PLAYER")
    static let friend = PlayerID("01FRIEND")

    let store: StoreService
    let repository: StoreRepository
    let database: RecordsDatabase
    let clock: TestClock

    /// Opens a store that sells ``products``.
    static func open(
        fraud: any FraudRules = NoRules(), promotions: [Promotion] = [], _ body: (StoreDesk) async throws -> Void
    ) async throws {
        try await withRecords(schemas: StoreHouse.schemas) { database in
            let (repository, clock) = (StoreRepository(database: database), TestClock())
            let desk = StoreDesk(
                store: StoreService(
                    repository: repository, providers: ["stripe", "paypal"], fraud: fraud, clock: { clock.now }),
                repository: repository, database: database, clock: clock)
            try await desk.publish(CatalogDocument(products: products, promotions: promotions))
            try await body(desk)
        }
    }

    /// Makes a document the next version, whatever the draft holds.
    func publish(_ document: CatalogDocument) async throws {
        let now = clock.now
        try await database.write { db in
            let version = try CatalogRepository.published(in: db).version + 1
            try CatalogRepository.insertVersion(
                CatalogVersion(version: version, publishedAt: now, publishedBy: "test", note: "", document: document),
                in: db)
        }
    }

    // MARK: Orders

    func place(
        _ product: ProductID, quantity: Int = 1, by player: PlayerID = Self.player, for recipient: PlayerID? = nil,
        codes: [String] = [], payment: PaymentChoice = .provider(nil, method: "pm_card_visa"), expected: Int64? = nil,
        key: String = ULID().description
    ) async throws -> Order {
        try await store.orders.place(
            Wish(productId: product, quantity: quantity, codes: codes, recipient: recipient), player: player,
            payment: payment, expected: expected, idempotencyKey: key
        ).order
    }

    /// Places an order and has it charged.
    func buy(
        _ product: ProductID, quantity: Int = 1, by player: PlayerID = Self.player, for recipient: PlayerID? = nil
    ) async throws -> Order {
        try await settle(try await place(product, quantity: quantity, by: player, for: recipient), as: .paid)
    }

    func order(_ order: Order) async throws -> Order { try await store.orders.order(order.orderId) }

    /// Writes a verdict, as a verifier would.
    @discardableResult
    func settle(_ order: Order, as state: OrderState, reference: String? = nil) async throws -> Order {
        let now = clock.now
        try await database.write { db in
            guard let order = try OrdersRepository.order(order.orderId, in: db) else { return }
            var begun = order
            begun.state = .verifying
            try OrdersRepository.update(begun, from: order, in: db)
            var settled = begun
            settled.state = state
            settled.providerReference = reference ?? "pi_\(order.orderId)"
            settled.reason = state == .paid ? nil : "the test says so"
            settled.updatedAt = now
            try OrdersRepository.update(settled, from: begun, in: db)
            if state == .paid {
                let charge = Charge(
                    reference: "pi_\(order.orderId)", orderId: order.orderId, minorUnits: order.amount,
                    currency: order.unit)
                try OrderBooks.pay(settled, charge: charge, at: now, in: db)
            }
            if state == .declined { try OrderBooks.release(settled, in: db) }
            try Outbox.settle(jobId: VerifyPayment.jobId(of: order.orderId).rawValue, in: db)
        }
        return try await self.order(order)
    }

    /// Writes that money went back, as a verifier would.
    @discardableResult
    func giveBack(_ order: Order, _ amount: Int64? = nil, as kind: Transfer.Kind = .refund) async throws -> Order {
        let now = clock.now
        try await database.write { db in
            guard let order = try OrdersRepository.order(order.orderId, in: db) else { return }
            var given = order
            given.refunded += amount ?? order.amount - order.refunded
            let isTotal = given.refunded == order.amount
            if isTotal { given.state = kind == .chargeback ? .chargedBack : .refunded }
            given.refundRequestedAt = nil
            given.updatedAt = now
            given.flag = try OrderBooks.giveBack(
                order, amount: given.refunded - order.refunded, kind: kind, isTotal: isTotal,
                reference: "re_\(order.orderId)_\(given.refunded)", at: now, in: db)
            try OrdersRepository.update(given, from: order, in: db)
            try db.execute(
                sql: "DELETE FROM outbox WHERE job_id LIKE ?", arguments: ["settle-order.\(order.orderId).%"])
        }
        return try await self.order(order)
    }

    // MARK: What there is

    /// How many pieces of each product a player has.
    func owned(_ player: PlayerID = Self.player) async throws -> [ProductID: Int] {
        try await store.inventory.entitlements(of: player).reduce(into: [:]) {
            $0[$1.productId, default: 0] += $1.remaining
        }
    }

    func gems(_ player: PlayerID = Self.player) async throws -> Int64 {
        try await store.inventory.wallet(of: player).first { $0.currency == "gems" }?.amount ?? 0
    }

    /// The rules of the books that are broken.
    func broken() async throws -> [String] {
        try await StoreAudit(repository: repository, providers: []).run().filter { !$0.holds }
            .map { "\($0.rule): \($0.examples.joined(separator: ", "))" }
    }

    // MARK: What it sells

    static let knight = ProductID("skin-knight")
    static let giant = ProductID("skin-giant")
    static let potion = ProductID("potion")
    static let gems = ProductID("gems-500")
    static let bundle = ProductID("bundle")
    static let starter = ProductID("starter")

    static let products = [
        skin(knight), skin(giant),
        Product(
            productId: potion, name: "Potion", kind: .item, prices: [Money(minorUnits: 99, currency: .eur)],
            virtualPrices: [VirtualMoney(amount: 90, currency: "gems")], quantity: 3),
        Product(
            productId: gems, name: "500 gems", kind: .currencyPack, prices: [Money(minorUnits: 499, currency: .eur)],
            credit: VirtualMoney(amount: 500, currency: "gems")),
        Product(
            productId: bundle, name: "Bundle", kind: .bundle, prices: [Money(minorUnits: 999, currency: .eur)],
            parts: [
                Product.Part(productId: knight), Product.Part(productId: gems, quantity: 2),
                Product.Part(productId: potion, quantity: 2),
            ]),
        Product(
            productId: starter, name: "Starter", kind: .item, prices: [Money(minorUnits: 199, currency: .eur)],
            limitPerPlayer: 2),
    ]

    private static func skin(_ id: ProductID) -> Product {
        Product(
            productId: id, name: id.rawValue, kind: .skin, prices: [Money(minorUnits: 499, currency: .eur)],
            virtualPrices: [VirtualMoney(amount: 400, currency: "gems")])
    }
}

/// A clock that only the test moves.
final class TestClock: Sendable {
    private let time = Mutex(Instant(milliseconds: 1_900_000_000_000))

    var now: Instant { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Allows everything.
struct NoRules: FraudRules {
    func judge(_ attempt: PurchaseAttempt) -> FraudVerdict { .allow }
}
