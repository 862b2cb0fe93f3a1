import GameModel

/// A company that charges cards for us.
///
/// Promise that every implementation keeps: two ``charge(_:)`` calls with one idempotency key charge at most once, and
/// two ``refund(_:)`` calls with one key refund at most once.
public protocol PaymentProvider: Sendable {
    /// What the ledger calls this provider: `stripe`, `paypal`.
    var name: String { get }
    /// How long it knows the idempotency key of a charge again: an order older than that is not charged any more.
    var keysKept: Duration { get }
    /// How long after it was made a charge may be missing in ``charges(since:after:)``.
    var listingLag: Duration { get }
    /// Charges, or answers what an earlier call with the same idempotency key did.
    func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome
    /// What became of a charge, refunds and disputes included.
    func charge(reference: String) async throws(PaymentError) -> ChargeOutcome
    /// One page of the charges made since a moment; `after` is the ``ChargePage/next`` of the page before.
    func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage
    /// Gives money back, in part or in full.
    func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome
    /// Sees to it that an undecided charge never happens. Throws ``PaymentError/refused(code:message:)`` where it did.
    func cancel(reference: String) async throws(PaymentError)
}

extension PaymentProvider {
    /// A day, as Stripe's (docs.stripe.com/api/idempotent_requests).
    public var keysKept: Duration { .seconds(86_400) }
    /// None: a listing shows what was charged before it.
    public var listingLag: Duration { .zero }
}

/// Reads a provider's webhooks: the part that an API process needs, without the key that charges.
public protocol WebhookVerifier: Sendable {
    /// The provider's name.
    var name: String { get }
    /// The event in a webhook whose signature is good, over the bytes as they came.
    ///
    /// - Parameter headers: by their names in lower case.
    /// - Throws: ``StoreError/badSignature(_:)``, ``StoreError/malformedEvent(_:)`` or ``StoreError/unavailable(_:)``.
    func event(headers: [String: String], body: [UInt8], at now: Instant) async throws(StoreError)
        -> ProviderEvent
}

/// An event of a provider's, as far as the store reads it. What it says is a hint to ask the provider, never a fact.
public struct ProviderEvent: Sendable, Hashable {
    /// The provider's own id: each event is taken once.
    /// What it tells of.
    public enum Subject: Sendable, Hashable {
        /// How the charging itself went.
        case verdict
        /// What came after it, a refund or a dispute; or what it tells of is not known.
        case aftermath
    }

    public let id: String
    public let type: String
    /// The charge that it is about; `nil` where it is about none.
    public let reference: String?
    /// The order that the provider says it is for.
    public let orderId: OrderID?
    public let subject: Subject

    public init(id: String, type: String, reference: String?, orderId: OrderID?, subject: Subject = .aftermath) {
        self.id = id
        self.type = type
        self.reference = reference
        self.orderId = orderId
        self.subject = subject
    }
}

/// What is to be charged for an order.
public struct ChargeRequest: Sendable, Hashable {
    public let orderId: OrderID
    public let playerId: PlayerID
    public let amount: Money
    /// The provider's token for the player's means of payment.
    public let paymentMethod: String

    /// The order's id: whoever asks again for this order asks for the same charge.
    public var idempotencyKey: String { orderId.rawValue }

    public init(orderId: OrderID, playerId: PlayerID, amount: Money, paymentMethod: String) {
        self.orderId = orderId
        self.playerId = playerId
        self.amount = amount
        self.paymentMethod = paymentMethod
    }
}

/// What is to be given back.
public struct RefundRequest: Sendable, Hashable {
    /// The charge.
    public let reference: String
    public let orderId: OrderID
    public let amount: Money
    /// Which asking for a refund of the order this is: one after a refusal has another name.
    public let attempt: String

    /// One refund for each asking and amount: a second call asks for the same one, and neither an earlier refusal nor a
    /// part that was given back meanwhile makes a provider repeat its old answer. All that is left is always asked
    /// for, so that two keys can't give more back than was charged.
    public var idempotencyKey: String {
        "refund-\(orderId)-\(amount.minorUnits)-\(attempt)"
    }

    public init(reference: String, orderId: OrderID, amount: Money, attempt: String = "first") {
        self.reference = reference
        self.orderId = orderId
        self.amount = amount
        self.attempt = attempt
    }
}

/// A charge as the provider tells it.
public struct Charge: Sendable, Hashable {
    public let reference: String
    /// The order we said it was for; `nil` for one that is not ours.
    public let orderId: OrderID?
    public let minorUnits: Int64
    /// In upper case; possibly one that we don't sell in.
    public let currency: String
    /// What was given back so far.
    public let refundedMinorUnits: Int64
    /// Whether the player's bank took the money back, or asks to, and we did not win.
    public let isDisputed: Bool

    public init(
        reference: String, orderId: OrderID?, minorUnits: Int64, currency: String,
        refundedMinorUnits: Int64 = 0,
        isDisputed: Bool = false
    ) {
        self.reference = reference
        self.orderId = orderId
        self.minorUnits = minorUnits
        self.currency = currency
        self.refundedMinorUnits = refundedMinorUnits
        self.isDisputed = isDisputed
    }

    public func isExactly(_ amount: Money) -> Bool {
        minorUnits == amount.minorUnits && currency == amount.currency.rawValue
    }
}

/// The provider's verdict.
public enum ChargeOutcome: Sendable, Hashable {
    case succeeded(Charge)
    /// Not charged, and will not be: `code` is the provider's.
    case declined(code: String, reference: String?)
    /// Not decided yet: ask by reference later.
    case undecided(reference: String)
}

/// What became of a refund.
public enum RefundOutcome: Sendable, Hashable {
    /// `reference` is the provider's name for the refund.
    case succeeded(reference: String)
    /// On its way: ask for the charge later.
    case undecided(reference: String)
    /// It will not happen: `code` is the provider's.
    case refused(code: String)
}

/// Some of the provider's charges.
public struct ChargePage: Sendable {
    /// Those that succeeded.
    public let succeeded: [Charge]
    /// What to ask the next page after; `nil` on the last one.
    public let next: String?

    public init(succeeded: [Charge], next: String?) {
        self.succeeded = succeeded
        self.next = next
    }
}

/// Why the provider gave no verdict.
public enum PaymentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Unreachable, too slow, or broken at its end. It may have charged: ask again with the same idempotency key.
    case unavailable(String)
    /// It doesn't take our secret key: an operator has to look; asking again is safe.
    case unauthorized(String)
    /// It understood and refused for a reason that asking again won't change.
    case refused(code: String, message: String)

    public var description: String {
        switch self {
        case .unavailable(let reason): "the payment provider is not available: \(reason)"
        case .unauthorized(let reason): "the payment provider doesn't accept the secret key: \(reason)"
        case .refused(let code, let message): "the payment provider refused (\(code)): \(message)"
        }
    }
}
