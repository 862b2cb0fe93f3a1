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

    /// The one table of what may follow what.
    public var next: Set<OrderState> {
        switch self {
        case .pending: [.verifying]
        case .verifying: [.paid, .declined, .review]
        case .review: [.paid, .declined]
        case .paid: [.refunded, .chargedBack]
        case .declined, .refunded, .chargedBack: []
        }
    }

    /// Whether the provider's verdict is still to come.
    public var isOpen: Bool { self == .pending || self == .verifying }
}

/// One purchase of one player: the price is that of the moment it was placed.
public struct Order: Sendable, Hashable {
    public let orderId: OrderID
    public let playerId: PlayerID
    public let productId: ProductID
    public let state: OrderState
    /// What is charged.
    public let amount: Money
    public let listPrice: Money
    public let promotionId: String?
    /// The provider's token for the player's means of payment.
    public let paymentMethod: String
    /// The provider's name for the charge, once known.
    public let providerReference: String?
    /// Why it was declined or needs a review: the provider's code or our own.
    public let reason: String?
    public let createdAt: Instant
    public let updatedAt: Instant

    /// The order as it was answered when it was placed: what a repeated request gets.
    public var asPlaced: Order {
        Order(
            orderId: orderId, playerId: playerId, productId: productId, state: .pending, amount: amount,
            listPrice: listPrice, promotionId: promotionId, paymentMethod: paymentMethod, providerReference: nil,
            reason: nil, createdAt: createdAt, updatedAt: createdAt)
    }
}

/// A player's right to a product.
public struct Entitlement: Sendable, Hashable, Codable {
    public let productId: ProductID
    public let orderId: OrderID
    public let grantedAt: Instant
}
