import GameModel

/// What a product is, and with it what a purchase of it gives.
public enum ProductKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// A look for a character: owned once, for good.
    case skin
    /// A thing that is used up: owned in any number.
    case item
    /// Virtual currency for the wallet.
    case currencyPack = "currency_pack"
    /// Several other products together.
    case bundle
}

/// An amount of a virtual currency, in whole units.
public struct VirtualMoney: Sendable, Hashable, Codable, CustomStringConvertible {
    public let amount: Int64
    /// 1 to 16 lower-case letters: `gems`. Real currencies are in upper case, so a unit tells which it is.
    public let currency: String

    public init(amount: Int64, currency: String) {
        self.amount = amount
        self.currency = currency
    }

    public var description: String { "\(amount) \(currency)" }
}

/// A thing that can be bought, with its prices before promotions.
public struct Product: Sendable, Hashable, Codable {
    /// One of the products of a bundle.
    public struct Part: Sendable, Hashable, Codable {
        public let productId: ProductID
        public let quantity: Int

        public init(productId: ProductID, quantity: Int = 1) {
            self.productId = productId
            self.quantity = quantity
        }

        /// Only the id must be there.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                productId: try fields.decode(ProductID.self, forKey: .productId),
                quantity: try fields.decodeIfPresent(Int.self, forKey: .quantity) ?? 1)
        }
    }

    public static let nameCharacters = 1...80
    public static let descriptionCharacters = 0...2_000
    public static let partsMax = 20
    public static let quantityRange = 1...1_000
    /// Minor units, at most eight digits (Stripe).
    public static let priceMax: Int64 = 99_999_999

    public let productId: ProductID
    public let name: String
    public let description: String
    public let kind: ProductKind
    /// At most one per currency; none where it is not sold for money.
    public let prices: [Money]
    /// At most one per virtual currency.
    public let virtualPrices: [VirtualMoney]
    /// How many pieces one purchase of an item gives; 1 for every other kind.
    public let quantity: Int
    /// What a currency pack puts into the wallet; `nil` for every other kind.
    public let credit: VirtualMoney?
    /// The products of a bundle, themselves no bundles; empty for every other kind.
    public let parts: [Part]
    /// The most purchases of one player, over all time; a skin's is always 1.
    public let limitPerPlayer: Int?
    /// The first moment at which it is sold; `nil`: no such bound.
    public let availableFrom: Instant?
    /// The first moment at which it is no longer sold; `nil`: no such bound.
    public let availableUntil: Instant?
    /// The key of its picture.
    public let picture: String?
    /// Whether it is for sale. What players own stays theirs.
    public let isActive: Bool

    enum CodingKeys: String, CodingKey, CaseIterable {
        case productId, name, description, kind, prices, virtualPrices, quantity, credit, parts,
            limitPerPlayer
        case availableFrom, availableUntil, picture
        case isActive = "active"
    }

    public init(
        productId: ProductID, name: String, description: String = "", kind: ProductKind,
        prices: [Money],
        virtualPrices: [VirtualMoney] = [], quantity: Int = 1, credit: VirtualMoney? = nil,
        parts: [Part] = [],
        limitPerPlayer: Int? = nil, availableFrom: Instant? = nil, availableUntil: Instant? = nil,
        picture: String? = nil, isActive: Bool = true
    ) {
        self.productId = productId
        self.name = name
        self.description = description
        self.kind = kind
        self.prices = prices
        self.virtualPrices = virtualPrices
        self.quantity = quantity
        self.credit = credit
        self.parts = parts
        self.limitPerPlayer = limitPerPlayer
        self.availableFrom = availableFrom
        self.availableUntil = availableUntil
        self.picture = picture
        self.isActive = isActive
    }

    /// Only the id, the name and the kind must be there; the rest is as the initialiser has it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            productId: try fields.decode(ProductID.self, forKey: .productId),
            name: try fields.decode(String.self, forKey: .name),
            description: try fields.decodeIfPresent(String.self, forKey: .description) ?? "",
            kind: try fields.decode(ProductKind.self, forKey: .kind),
            prices: try fields.decodeIfPresent([Money].self, forKey: .prices) ?? [],
            virtualPrices: try fields.decodeIfPresent([VirtualMoney].self, forKey: .virtualPrices) ?? [],
            quantity: try fields.decodeIfPresent(Int.self, forKey: .quantity) ?? 1,
            credit: try fields.decodeIfPresent(VirtualMoney.self, forKey: .credit),
            parts: try fields.decodeIfPresent([Part].self, forKey: .parts) ?? [],
            limitPerPlayer: try fields.decodeIfPresent(Int.self, forKey: .limitPerPlayer),
            availableFrom: try fields.decodeIfPresent(Instant.self, forKey: .availableFrom),
            availableUntil: try fields.decodeIfPresent(Instant.self, forKey: .availableUntil),
            picture: try fields.decodeIfPresent(String.self, forKey: .picture),
            isActive: try fields.decodeIfPresent(Bool.self, forKey: .isActive) ?? true)
    }

    /// Whether it is sold at a moment.
    public func isSold(at now: Instant) -> Bool {
        isActive && availableFrom.map { $0 <= now } ?? true && availableUntil.map { now < $0 } ?? true
    }
}
