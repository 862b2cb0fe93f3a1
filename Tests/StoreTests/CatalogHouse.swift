import Foundation
import GRDB
import GameModel
import Records
import Synchronization
import TestSupport
import Testing

@testable import Store

/// A store with a clock that the test moves, and a draft that holds what a test needs.
struct CatalogHouse {
    static let developer = "01DEVELOPER"
    static let player = PlayerID("01PLAYER")
    static let start = Instant(milliseconds: 1_800_000_000_000)
    static let schemas = [StoreSchema.schema, Outbox.schema, ChangeLog.schema]

    let store: StoreService
    let repository: StoreRepository
    let database: RecordsDatabase
    let clock = Clock()

    final class Clock: Sendable {
        private let instant = Mutex(CatalogHouse.start)

        var now: Instant { instant.withLock { $0 } }
        func advance(_ duration: Duration) { instant.withLock { $0 = $0 + duration } }
    }

    private init(database: RecordsDatabase) {
        self.database = database
        repository = StoreRepository(database: database)
        store = Self.process(repository, clock)
    }

    /// Another process with the same records.
    func another() -> StoreService { Self.process(StoreRepository(database: database), clock) }

    static func open(_ body: (CatalogHouse) async throws -> Void) async throws {
        try await withRecords(schemas: schemas) { try await body(CatalogHouse(database: $0)) }
    }

    private static func process(_ repository: StoreRepository, _ clock: Clock) -> StoreService {
        StoreService(repository: repository, pictureURL: { "https://cdn.example/\($0)" }, clock: { clock.now })
    }

    /// Puts a document in the place of all that is sold, and publishes it.
    @discardableResult
    func publish(_ products: [Product], _ promotions: [Promotion] = []) async throws -> CatalogVersion {
        let document = CatalogDocument(products: products, promotions: promotions)
        try await store.editor.replaceDraft(with: document, by: Self.developer)
        return try await store.editor.publish(note: "", by: Self.developer)
    }

    /// What players' clients read.
    func shown(by store: StoreService? = nil) async throws -> Shown {
        let catalog = try await (store ?? self.store).catalog.catalog()
        return try JSONDecoder().decode(Shown.self, from: Data(catalog.json))
    }

    /// The edits so far, oldest first.
    func changes() async throws -> [ChangeLog.Change] {
        try await database.read { try ChangeLog.changes(limit: 100, in: $0) }.reversed()
    }

    /// Orders of the potion, each by another player.
    func order(_ times: Int = 1, codes: [String] = []) async throws {
        for _ in 0..<times {
            let player = PlayerID(ULID().description)
            _ = try await store.orders.place(
                Wish(productId: ProductID("potion"), codes: codes), player: player,
                payment: .provider(nil, method: "pm_card_visa"), expected: nil, idempotencyKey: "key")
        }
    }

    func execute(_ sql: String) async throws {
        try await database.write { try $0.execute(sql: sql) }
    }

    /// As if a developer had uploaded it.
    func storePicture(_ key: String, isStored: Bool = true) async throws {
        try await execute(
            """
            INSERT INTO pictures (picture_key, content_type, bytes, is_stored, created_by, created_at)
            VALUES ('\(key)', 'image/png', 100, \(isStored ? 1 : 0), 'test', 0)
            """)
    }

    static func potion(_ id: String = "potion", price: Int64 = 999, picture: String? = nil) -> Product {
        Product(
            productId: ProductID(id), name: id.capitalized, kind: .item,
            prices: [Money(minorUnits: price, currency: .eur)],
            virtualPrices: [VirtualMoney(amount: 900, currency: "gems")], quantity: 3, picture: picture)
    }

    /// A promotion that holds from now for a minute.
    static func sale(
        _ id: String = "sale", _ percent: Int = 25, on products: [String] = [], code: String? = nil,
        limitTotal: Int? = nil
    ) -> Promotion {
        Promotion(
            promotionId: id, name: id, productIds: products.map { ProductID($0) }, percentOff: percent, code: code,
            startsAt: start, endsAt: start + .seconds(60),
            limitTotal: limitTotal)
    }
}

/// The players' JSON, as a client of ours would read it.
struct Shown: Decodable {
    struct Entry: Decodable {
        struct Price: Decodable {
            let minorUnits: Int64
            let currency: String
            let finalMinorUnits: Int64
        }
        struct VirtualPrice: Decodable {
            let amount: Int64
            let currency: String
            let finalAmount: Int64
        }
        struct LivePromotion: Decodable {
            let id: String
            let name: String
            let endsAt: Int64
        }
        let productId: String
        let kind: String
        let prices: [Price]
        let virtualPrices: [VirtualPrice]
        let quantity: Int
        let picture: String?
        let promotion: LivePromotion?
    }
    let version: Int
    let products: [Entry]

    subscript(product: String) -> Entry? { products.first { $0.productId == product } }
}
