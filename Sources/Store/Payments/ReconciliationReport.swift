import GameModel

/// One thing that the provider and the orders tell differently.
public struct ReconciliationDifference: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A charge that no order of ours asked for.
        case chargeWithoutOrder
        /// A charge of an order that ended as declined, or is in review.
        case chargeNotBooked
        /// A paid order of which the provider knows no charge.
        case orderWithoutCharge
        case amountDiffers
        /// Refunded or disputed at the provider, and not here.
        case refundNotBooked
        /// Refunded here, and not at the provider.
        case refundNotMade
        case chargedTwice
        /// An order without a verdict for longer than the time-out.
        case orderOverdue
    }

    public let kind: Kind
    public let orderId: OrderID?
    /// The provider's charge.
    public let reference: String?
    /// In words, with amounts, and what to do.
    public let detail: String

    public init(kind: Kind, orderId: OrderID?, reference: String?, detail: String) {
        self.kind = kind
        self.orderId = orderId
        self.reference = reference
        self.detail = detail
    }
}

/// What a comparison found.
public struct ReconciliationReport: Sendable, Hashable, Codable {
    /// The most differences that a report carries; ``found`` counts them all.
    public static let differencesMax = 1_000

    public let provider: String
    /// Charges and orders from this moment on were compared.
    public let since: Instant
    public let startedAt: Instant
    public let endedAt: Instant
    public let charges: Int
    public let orders: Int
    /// How many differences there are.
    public let found: Int
    /// At most ``differencesMax`` of them.
    public let differences: [ReconciliationDifference]

    public init(
        provider: String, since: Instant, startedAt: Instant, endedAt: Instant, charges: Int, orders: Int, found: Int,
        differences: [ReconciliationDifference]
    ) {
        self.provider = provider
        self.since = since
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.charges = charges
        self.orders = orders
        self.found = found
        self.differences = differences
    }
}
