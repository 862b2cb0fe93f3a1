import GameModel

/// Where an order stands.
public enum OrderState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Accepted and safe on disk; the provider was not asked yet.
    case pending
    /// The provider is being asked.
    case verifying
    case paid
    case declined
    /// The provider's answer doesn't fit the order: a person decides, nothing is granted meanwhile.
    case review
    case refunded
    case chargedBack = "charged_back"

    /// The one table of what may follow what. Orders paid from the wallet are paid at once.
    public var next: Set<OrderState> {
        switch self {
        case .pending: [.verifying, .paid]
        case .verifying: [.paid, .declined, .review]
        case .review: [.paid, .declined, .refunded]
        case .paid: [.refunded, .chargedBack]
        case .declined, .refunded, .chargedBack: []
        }
    }

    /// Whether the provider's verdict is still to come.
    public var isOpen: Bool { self == .pending || self == .verifying }
    /// Whether nothing follows but a refund or a chargeback.
    public var isSettled: Bool { !isOpen && self != .review }
}

/// One purchase of one player: the price is that of the moment it was placed.
public struct Order: Sendable, Hashable {
    public let orderId: OrderID
    /// Who pays.
    public let playerId: PlayerID
    /// Who gets it, where it is a gift.
    public let recipient: PlayerID?
    public let productId: ProductID
    public let quantity: Int
    public var state: OrderState
    /// What is charged, line by line.
    public let quote: Quote
    /// The provider that charges; `nil` where the wallet pays.
    public let provider: String?
    /// The provider's token for the player's means of payment; empty where the wallet pays or it was anonymised.
    public let paymentMethod: String
    /// The provider's name for the charge, once known.
    public var providerReference: String?
    /// What the provider gave back so far, in minor units.
    public var refunded: Int64
    /// Why it was declined, needs a review or was given back: the provider's code or our own.
    public var reason: String?
    /// What a person should know besides: `used up before the refund`.
    public var flag: String?
    /// When a refund was asked for, that the provider has not made yet.
    public var refundRequestedAt: Instant?
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        orderId: OrderID, playerId: PlayerID, recipient: PlayerID?, productId: ProductID, quantity: Int,
        state: OrderState, quote: Quote, provider: String?, paymentMethod: String,
        providerReference: String? = nil,
        refunded: Int64 = 0, reason: String? = nil, flag: String? = nil,
        refundRequestedAt: Instant? = nil,
        createdAt: Instant, updatedAt: Instant
    ) {
        self.orderId = orderId
        self.playerId = playerId
        self.recipient = recipient
        self.productId = productId
        self.quantity = quantity
        self.state = state
        self.quote = quote
        self.provider = provider
        self.paymentMethod = paymentMethod
        self.providerReference = providerReference
        self.refunded = refunded
        self.reason = reason
        self.flag = flag
        self.refundRequestedAt = refundRequestedAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// Who gets what was bought.
    public var owner: PlayerID { recipient ?? playerId }
    /// What is charged, in minor units of ``unit``.
    public var amount: Int64 { quote.total }
    /// `EUR` or `gems`.
    public var unit: String { quote.unit }
    /// What the provider is to charge; `nil` where the wallet pays.
    public var money: Money? { quote.money }

    /// The order as it was answered when it was placed: what a repeated request gets.
    public var asPlaced: Order {
        var order = self
        order.state = provider == nil ? .paid : .pending
        (order.providerReference, order.reason, order.flag, order.refundRequestedAt) = (
            nil, nil, nil, nil
        )
        (order.refunded, order.updatedAt) = (0, createdAt)
        return order
    }
}

/// How an order is to be paid.
public enum PaymentChoice: Sendable, Hashable {
    /// By a provider (`nil`: the store's first) with its token for the player's means of payment. Never card data.
    case provider(String?, method: String)
    /// From the player's wallet, at once.
    case wallet
}

/// Which orders an operator wants to see, newest first; what is `nil` does not narrow.
public struct OrderFilter: Sendable, Hashable {
    public var states: Set<OrderState>?
    public var player: PlayerID?
    public var productId: ProductID?
    /// Only orders older than this one: the next page.
    public var before: OrderID?
    public var limit: Int

    public init(
        states: Set<OrderState>? = nil, player: PlayerID? = nil, productId: ProductID? = nil,
        before: OrderID? = nil, limit: Int = 50
    ) {
        self.states = states
        self.player = player
        self.productId = productId
        self.before = before
        self.limit = limit
    }
}
