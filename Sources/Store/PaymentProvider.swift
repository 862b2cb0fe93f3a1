import GameModel

/// A company that charges cards for us.
///
/// Promise that every implementation keeps: two ``charge(_:)`` calls with one idempotency key charge at most once.
public protocol PaymentProvider: Sendable {
    /// What the ledger calls this provider: `stripe`.
    var name: String { get }
    /// Charges, or answers what an earlier call with the same idempotency key did.
    func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome
    /// What became of a charge.
    func charge(reference: String) async throws(PaymentError) -> ChargeOutcome
    /// One page of all charges, newest first; `after` is the reference that the page before ended with.
    func charges(after reference: String?) async throws(PaymentError) -> ChargePage
    /// Gives a charge back in full.
    func refund(reference: String, idempotencyKey: String) async throws(PaymentError)
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

/// A charge as the provider tells it.
public struct Charge: Sendable, Hashable {
    public let reference: String
    /// The order we said it was for; `nil` for one that is not ours.
    public let orderId: OrderID?
    public let minorUnits: Int64
    /// In upper case; possibly one that we don't sell in.
    public let currency: String

    public init(reference: String, orderId: OrderID?, minorUnits: Int64, currency: String) {
        self.reference = reference
        self.orderId = orderId
        self.minorUnits = minorUnits
        self.currency = currency
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
