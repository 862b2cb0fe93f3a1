import GameModel

/// What can go wrong in the store, in terms of what the caller can do about it.
public enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A field or header is out of its range; the reason says what would be right.
    case invalidField(name: String, reason: String)
    case unknownProduct(ProductID)
    case unknownPromotion(String)
    case unknownVersion(Int)
    case unknownPicture(String)
    /// Known, and not for sale at this moment: the reason says why.
    case notSold(ProductID, reason: String)
    /// No such order, or another player's.
    case unknownOrder(OrderID)
    /// The owner has this product already, by this order or grant.
    case alreadyOwned(ProductID, by: String)
    /// An order for this product, which can be owned once, has no verdict yet: wait for that one.
    case orderOpen(ProductID, OrderID)
    /// The owner bought it as often as one player may.
    case limitReached(ProductID, limit: Int)
    /// A code that came with the order doesn't hold: the reason says why.
    case codeRefused(String, reason: String)
    /// The price is another one than the order expected: this is the quote of now.
    case priceChanged(Quote)
    /// The wallet holds less than the price.
    case insufficientFunds(needed: VirtualMoney, held: Int64)
    /// Fewer pieces are left than were to be consumed.
    case insufficientItems(ProductID, held: Int)
    /// Too many purchases by this player: a rule against fraud or a rate limit.
    case tooManyOrders(reason: String, retryAfter: Duration)
    /// The idempotency key came before with another body: send a new key.
    case idempotencyMismatch
    /// The order's state doesn't allow what was asked: the reason says what would.
    case orderState(OrderID, OrderState, reason: String)
    /// The draft can't be published: each line names a product or promotion and what is wrong with it.
    case invalidDraft([String])
    /// The webhook was not signed by the payment provider, or too long ago.
    case badSignature(String)
    /// The webhook was signed, but is no event of the provider's.
    case malformedEvent(String)
    /// The records, the pictures or the provider can't be reached at the moment: try again.
    case unavailable(String)

    public var description: String {
        switch self {
        case .invalidField(let name, let reason): "\(name): \(reason)"
        case .unknownProduct(let product): "there is no product \(product)"
        case .unknownPromotion(let promotion): "there is no promotion \(promotion)"
        case .unknownVersion(let version): "there is no catalog version \(version)"
        case .unknownPicture(let key): "there is no picture \(key)"
        case .notSold(let product, let reason): "\(product) is not for sale: \(reason)"
        case .unknownOrder(let order): "there is no order \(order)"
        case .alreadyOwned(let product, let origin): "\(product) is owned already, by \(origin)"
        case .orderOpen(let product, let order): "order \(order) for \(product) has no verdict yet"
        case .limitReached(let product, let limit):
            "\(product) can be bought \(limit) times by one player"
        case .codeRefused(let code, let reason): "code \(code): \(reason)"
        case .priceChanged(let quote): "the price is now \(quote.total) \(quote.unit) (minor units)"
        case .insufficientFunds(let needed, let held): "the wallet holds \(held) of \(needed)"
        case .insufficientItems(let product, let held): "\(held) pieces of \(product) are left"
        case .tooManyOrders(let reason, _): reason
        case .idempotencyMismatch: "this Idempotency-Key was used with another body"
        case .orderState(let order, let state, let reason):
            "order \(order) is \(state.rawValue): \(reason)"
        case .invalidDraft(let problems):
            "the draft can't be published: " + problems.joined(separator: "; ")
        case .badSignature(let reason): "the webhook's signature is not valid: \(reason)"
        case .malformedEvent(let reason): "the webhook is no event: \(reason)"
        case .unavailable(let reason): "the store can't be reached: \(reason)"
        }
    }
}
