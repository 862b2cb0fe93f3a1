import Store

extension StoreError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .invalidField(let name, let reason): .invalidField(name, "This value is not right: \(reason).")
        case .unknownProduct(let product): .notFound("There is no product \(product).")
        case .unknownPromotion(let promotion): .notFound("There is no promotion \(promotion).")
        case .unknownVersion(let version): .notFound("There is no catalog version \(version).")
        case .unknownPicture(let key): .notFound("There is no picture \(key).")
        case .notSold(let product, let reason): .conflict("\(product) is not for sale: \(reason).")
        case .unknownOrder(let order): .notFound("There is no order \(order) of yours.")
        case .alreadyOwned(let product, let origin): .conflict("\(product) is owned already, by \(origin).")
        case .orderOpen(let product, let order):
            .conflict("Your order \(order) for \(product) has no verdict yet. Wait for it.")
        case .limitReached(let product, let limit):
            .conflict("\(product) can be bought \(limit) times by one player.")
        case .codeRefused(let code, let reason): .invalidField("codes", "The code \(code) does not hold: \(reason).")
        case .priceChanged(let quote): .priceChanged(quote)
        case .insufficientFunds(let needed, let held): .conflict("The wallet holds \(held) of \(needed).")
        case .insufficientItems(let product, let held): .conflict("\(held) pieces of \(product) are left.")
        case .tooManyOrders(let reason, let retryAfter): .tooManyRequests("\(reason).", retryAfter: retryAfter)
        case .orderState(let order, let state, let reason):
            .conflict("Order \(order) is \(state.rawValue): \(reason).")
        case .invalidDraft(let problems):
            .conflict("The draft can't be published: \(problems.joined(separator: "; ")).")
        case .idempotencyMismatch:
            .idempotencyMismatch("This Idempotency-Key came before with another body. Take a new key for a new order.")
        case .badSignature(let reason): .unauthorized("The webhook's signature is not valid: \(reason).")
        case .malformedEvent(let reason): .malformedJSON("The body is not an event: \(reason).")
        case .unavailable: .unavailable("The store is busy. Try again shortly.")
        }
    }
}
