import GameModel

/// One thing that the provider and the orders tell differently.
public struct ReconciliationDifference: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
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
    public let provider: String
    /// Charges and orders from this moment on were compared.
    public let since: Instant
    public let startedAt: Instant
    public let endedAt: Instant
    public let charges: Int
    public let orders: Int
    public let differences: [ReconciliationDifference]

    public init(
        provider: String, since: Instant, startedAt: Instant, endedAt: Instant, charges: Int,
        orders: Int,
        differences: [ReconciliationDifference]
    ) {
        self.provider = provider
        self.since = since
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.charges = charges
        self.orders = orders
        self.differences = differences
    }
}

/// Compares a provider's charges with the orders: daily, and on demand.
public struct Reconciler: Sendable {
    let repository: StoreRepository
    let clock: @Sendable () -> Instant

    public init(repository: StoreRepository, clock: @escaping @Sendable () -> Instant = { .now }) {
        self.repository = repository
        self.clock = clock
    }

    /// Compares, keeps the report, and answers it. Changes no order; with `settling`, owes a ``SettleOrder`` for each
    /// difference that asking the provider again can settle.
    ///
    /// Throws ``StoreError`` and ``PaymentError``.
    public func run(
        with provider: any PaymentProvider, since: Instant, settling: Bool
    ) async throws -> ReconciliationReport {
        throw StoreError.unavailable("not built yet")
    }

    /// The newest reports, without their differences' details left out.
    public func reports(limit: Int) async throws(StoreError) -> [ReconciliationReport] {
        throw .unavailable("not built yet")
    }
}
