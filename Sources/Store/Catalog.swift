import Crypto
import Foundation
import GameModel
import Synchronization

/// What the store sells at a moment, with the prices of that moment.
public struct Catalog: Sendable {
    public struct Entry: Sendable, Hashable, Encodable {
        public let productId: ProductID
        public let name: String
        public let kind: ProductKind
        /// Without promotions.
        public let price: Money
        /// What an order placed now would be charged.
        public let finalPrice: Money
        public let promotion: LivePromotion?
    }

    public struct LivePromotion: Sendable, Hashable, Encodable {
        public let id: String
        public let percentOff: Int
        public let endsAt: Instant
    }

    public let products: [Entry]
    /// The same for the same content, another for another: the entity tag, without its quotes.
    public let version: String
    /// `{"products":[…]}`, as it is sent.
    public let json: [UInt8]

    init(products: [Product], promotions: [Promotion], at now: Instant) throws(StoreError) {
        self.products = products.map { product in
            let quote = Pricing.quote(product, promotions: promotions, at: now)
            return Entry(
                productId: product.productId, name: product.name, kind: product.kind, price: quote.listPrice,
                finalPrice: quote.finalPrice,
                promotion: quote.promotion.map {
                    LivePromotion(id: $0.promotionId, percentOff: $0.percentOff, endsAt: $0.endsAt)
                })
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            json = Array(try encoder.encode(["products": self.products]))
        } catch {
            throw .unavailable("the catalog can't be encoded: \(error)")
        }
        version = Hex.encode(SHA256.hash(data: json).prefix(12))
    }
}

/// The catalog of a process, read from the records at most once per second: prices change by the minute at best, and
/// an order is always priced from the records.
final class CatalogCache: Sendable {
    static let lifetime: Duration = .seconds(1)

    private let repository: CatalogRepository
    private let clock: @Sendable () -> Instant
    private let cached = Mutex<(catalog: Catalog, until: Instant)?>(nil)

    init(repository: CatalogRepository, clock: @escaping @Sendable () -> Instant) {
        self.repository = repository
        self.clock = clock
    }

    func catalog() async throws(StoreError) -> Catalog {
        let now = clock()
        if let hit = cached.withLock({ $0 }), now < hit.until, hit.until <= now + Self.lifetime { return hit.catalog }
        let (products, promotions) = try await repository.load(at: now)
        let catalog = try Catalog(products: products, promotions: promotions, at: now)
        cached.withLock { $0 = (catalog, now + Self.lifetime) }
        return catalog
    }

    /// The next reader sees what this process changed.
    func forget() { cached.withLock { $0 = nil } }
}
