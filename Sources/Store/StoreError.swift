import GameModel

/// What can go wrong in the store, in terms of what the caller can do about it.
public enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A field or header is out of its range; the reason says what would be right.
    case invalidField(name: String, reason: String)
    case unknownProduct(ProductID)
    /// No such order, or another player's.
    case unknownOrder(OrderID)
    /// The player owns this product already, by this order.
    case alreadyOwned(ProductID, by: OrderID)
    /// An order of the player for this product has no verdict yet: wait for that one.
    case orderOpen(ProductID, OrderID)
    /// The idempotency key came before with another body: send a new key.
    case idempotencyMismatch
    /// The webhook was not signed by the payment provider, or too long ago.
    case badSignature(String)
    /// The webhook was signed, but is no event of the provider's.
    case malformedEvent(String)
    /// The records can't be read or written at the moment: try again.
    case unavailable(String)

    public var description: String {
        switch self {
        case .invalidField(let name, let reason): "\(name): \(reason)"
        case .unknownProduct(let product): "there is no product \(product)"
        case .unknownOrder(let order): "there is no order \(order)"
        case .alreadyOwned(let product, let order): "\(product) is owned already, by order \(order)"
        case .orderOpen(let product, let order): "order \(order) for \(product) has no verdict yet"
        case .idempotencyMismatch: "this Idempotency-Key was used with another body"
        case .badSignature(let reason): "the webhook's signature is not valid: \(reason)"
        case .malformedEvent(let reason): "the webhook is no event: \(reason)"
        case .unavailable(let reason): "the store can't be reached: \(reason)"
        }
    }
}
