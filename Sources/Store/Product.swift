import GameModel

/// What a product is, and with it how often one player may own it.
public enum ProductKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// A look for a character: owned once, for good.
    case skin
}

/// A thing that can be bought, at its price without promotions.
public struct Product: Sendable, Hashable, Codable {
    public static let nameCharacters = 1...80
    /// Minor units. The lowest is what card schemes charge at least, the highest is eight digits (Stripe).
    public static let priceMinorUnits: ClosedRange<Int64> = 50...99_999_999

    public let productId: ProductID
    public let name: String
    public let kind: ProductKind
    public let price: Money
    /// Whether it is for sale. What players own stays theirs.
    public let isActive: Bool

    private enum CodingKeys: String, CodingKey { case productId, name, kind, price, isActive = "active" }

    public init(productId: ProductID, name: String, kind: ProductKind, price: Money, isActive: Bool = true) {
        self.productId = productId
        self.name = name
        self.kind = kind
        self.price = price
        self.isActive = isActive
    }

    /// Throws ``StoreError/invalidField(name:reason:)`` for the first field that is out of range.
    func validate() throws(StoreError) {
        try StoreRules.name(productId.rawValue, field: "productId")
        guard Self.nameCharacters.contains(name.count), StoreRules.isVisible(name) else {
            throw .invalidField(name: "name", reason: "expected 1 to 80 visible characters")
        }
        guard Self.priceMinorUnits.contains(price.minorUnits) else {
            let range = "\(Self.priceMinorUnits.lowerBound) to \(Self.priceMinorUnits.upperBound)"
            throw .invalidField(
                name: "price.minorUnits", reason: "expected \(range) minor units, got \(price.minorUnits)")
        }
    }
}

/// A discount for a while: on one product, or on all of them.
public struct Promotion: Sendable, Hashable, Codable {
    /// At least a tenth of the price stays, so that every final price can be charged.
    public static let percentOffRange = 1...90

    public let promotionId: String
    /// `nil` where it holds for every product.
    public let productId: ProductID?
    /// Of the list price.
    public let percentOff: Int
    /// The first moment at which it holds.
    public let startsAt: Instant
    /// The first moment at which it no longer holds.
    public let endsAt: Instant

    public init(promotionId: String, productId: ProductID?, percentOff: Int, startsAt: Instant, endsAt: Instant) {
        self.promotionId = promotionId
        self.productId = productId
        self.percentOff = percentOff
        self.startsAt = startsAt
        self.endsAt = endsAt
    }

    /// Throws ``StoreError/invalidField(name:reason:)`` for the first field that is out of range.
    func validate() throws(StoreError) {
        try StoreRules.name(promotionId, field: "promotionId")
        guard Self.percentOffRange.contains(percentOff) else {
            throw .invalidField(name: "percentOff", reason: "expected 1 to 90 percent, got \(percentOff)")
        }
        guard startsAt.milliseconds >= 0 else {
            throw .invalidField(name: "startsAt", reason: "expected Unix milliseconds, got \(startsAt.milliseconds)")
        }
        guard startsAt < endsAt else {
            throw .invalidField(name: "endsAt", reason: "expected a time after startsAt")
        }
    }
}
