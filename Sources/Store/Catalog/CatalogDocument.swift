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

/// One product or promotion that differs between two catalogs.
public struct CatalogChange: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable { case added, changed, removed }

    public let kind: Kind
    /// `product skin-ember-knight` or `promotion launch-week`.
    public let subject: String
    /// The fields that differ, each as `name: before → after`; empty for what was added or removed.
    public let fields: [String]

    public init(kind: Kind, subject: String, fields: [String] = []) {
        self.kind = kind
        self.subject = subject
        self.fields = fields
    }
}
