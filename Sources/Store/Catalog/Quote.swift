import GameModel

/// What a player wants to buy: the same for a quote and for an order.
public struct Wish: Sendable, Hashable, Codable {
    public static let quantityRange = 1...100
    public static let codesMax = 5

    public let productId: ProductID
    public let quantity: Int
    /// The currency to pay in, real (`EUR`) or virtual (`gems`); `nil`: the product's first price.
    public let unit: String?
    /// Codes of promotions, in upper case.
    public let codes: [String]
    /// The player it is a gift for; `nil`: the one who pays.
    public let recipient: PlayerID?

    public init(
        productId: ProductID, quantity: Int = 1, unit: String? = nil, codes: [String] = [],
        recipient: PlayerID? = nil
    ) {
        self.productId = productId
        self.quantity = quantity
        self.unit = unit
        self.codes = codes
        self.recipient = recipient
    }
}

/// One line of a quote: an amount, and in words where it comes from.
public struct QuoteLine: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// The list price, times the quantity.
        case list
        /// A promotion that was applied: its amount is negative.
        case promotion
        /// A promotion that was looked at and not applied; the text says why, and the amount is 0.
        case refused
        /// What was added so that the total is what the provider charges at least.
        case minimum
    }

    public let kind: Kind
    /// "20 % off: launch week", "code FROST-10 ended on 2026-11-01".
    public let text: String
    /// Minor units of the quote's unit.
    public let amount: Int64
    public let promotionId: String?

    public init(kind: Kind, text: String, amount: Int64, promotionId: String? = nil) {
        self.kind = kind
        self.text = text
        self.amount = amount
        self.promotionId = promotionId
    }
}

/// A price that explains itself: the lines add up to the total.
public struct Quote: Sendable, Hashable, Codable {
    public let productId: ProductID
    public let quantity: Int
    /// `EUR` or `gems`.
    public let unit: String
    /// Without promotions, in minor units.
    public let list: Int64
    /// What is charged, in minor units.
    public let total: Int64
    public let lines: [QuoteLine]
    /// The published catalog that it follows.
    public let catalogVersion: Int

    public init(
        productId: ProductID, quantity: Int, unit: String, list: Int64, total: Int64,
        lines: [QuoteLine],
        catalogVersion: Int
    ) {
        self.productId = productId
        self.quantity = quantity
        self.unit = unit
        self.list = list
        self.total = total
        self.lines = lines
        self.catalogVersion = catalogVersion
    }

    /// The promotions that made a difference.
    public var promotionIds: [String] {
        lines.filter { $0.kind == .promotion }.compactMap(\.promotionId)
    }
    /// The total as money; `nil` where it is of a virtual currency.
    public var money: Money? {
        Currency(rawValue: unit).map { Money(minorUnits: total, currency: $0) }
    }
}

/// How often promotions were used so far, as far as a quote needs it.
public struct PromotionUses: Sendable, Hashable {
    public let byPlayer: [String: Int]
    public let total: [String: Int]

    public init(byPlayer: [String: Int] = [:], total: [String: Int] = [:]) {
        self.byPlayer = byPlayer
        self.total = total
    }
}
