import GameModel

/// All that is sold, as developers edit, publish, export and import it.
public struct CatalogDocument: Sendable, Hashable, Codable {
    public var products: [Product]
    public var promotions: [Promotion]

    public init(products: [Product] = [], promotions: [Promotion] = []) {
        self.products = products
        self.promotions = promotions
    }
}

/// A published catalog: from its moment on, what players see and orders are priced by. Never changed.
public struct CatalogVersion: Sendable, Hashable, Codable {
    /// 1, 2, 3…
    public let version: Int
    public let publishedAt: Instant
    public let publishedBy: String
    public let note: String
    public let document: CatalogDocument

    public init(
        version: Int, publishedAt: Instant, publishedBy: String, note: String, document: CatalogDocument
    ) {
        self.version = version
        self.publishedAt = publishedAt
        self.publishedBy = publishedBy
        self.note = note
        self.document = document
    }
}
