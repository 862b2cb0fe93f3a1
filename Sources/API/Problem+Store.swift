import Store

extension StoreError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .invalidField(let name, let reason): .invalidField(name, "This value is not right: \(reason).")
        case .unknownProduct(let product): .notFound("There is no product \(product).")
        case .unknownOrder(let order): .notFound("There is no order \(order) of yours.")
        case .alreadyOwned(let product, let order): .conflict("You own \(product) already, by order \(order).")
        case .orderOpen(let product, let order):
            .conflict("Your order \(order) for \(product) has no verdict yet. Wait for it.")
        case .idempotencyMismatch:
            .idempotencyMismatch("This Idempotency-Key came before with another body. Take a new key for a new order.")
        case .badSignature(let reason): .unauthorized("The webhook's signature is not valid: \(reason).")
        case .malformedEvent(let reason): .malformedJSON("The body is not an event: \(reason).")
        case .unavailable: .unavailable("The store is busy. Try again shortly.")
        }
    }
}
