import GameModel

/// A player's right to a skin or to pieces of an item: one grant, with where it came from.
public struct Entitlement: Sendable, Hashable, Codable {
    public enum Source: String, Sendable, Hashable, Codable {
        case purchase, gift
        /// Given by a developer or operator, without an order.
        case grant
    }

    public let entitlementId: String
    public let productId: ProductID
    /// `nil` for a grant.
    public let orderId: OrderID?
    public let source: Source
    /// How many pieces were granted; 1 for a skin.
    public let quantity: Int
    /// How many are left: 0 when used up or taken back.
    public let remaining: Int
    public let grantedAt: Instant
    /// When a refund or a chargeback took it back.
    public let revokedAt: Instant?

    public init(
        entitlementId: String, productId: ProductID, orderId: OrderID?, source: Source, quantity: Int,
        remaining: Int, grantedAt: Instant, revokedAt: Instant?
    ) {
        self.entitlementId = entitlementId
        self.productId = productId
        self.orderId = orderId
        self.source = source
        self.quantity = quantity
        self.remaining = remaining
        self.grantedAt = grantedAt
        self.revokedAt = revokedAt
    }
}

/// One step in the life of an entitlement.
public struct EntitlementEvent: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable { case granted, consumed, revoked }

    public let entitlementId: String
    public let productId: ProductID
    public let kind: Kind
    /// Pieces: positive when granted, negative when consumed or revoked.
    public let change: Int
    /// The order, the match or the person behind it.
    public let reference: String
    public let at: Instant

    public init(
        entitlementId: String, productId: ProductID, kind: Kind, change: Int, reference: String,
        at: Instant
    ) {
        self.entitlementId = entitlementId
        self.productId = productId
        self.kind = kind
        self.change = change
        self.reference = reference
        self.at = at
    }
}
