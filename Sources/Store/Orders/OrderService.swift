import GameModel

/// Takes orders, tells what became of them, and has them given back.
///
/// Promises: an accepted order is on disk together with the job that has it charged, so it gets its verdict whatever
/// becomes of Redis; a repeated request with its idempotency key places one order; what can be owned once is sold once.
public struct OrderService: Sendable {
    /// How many orders one page may have.
    public static let listedRange = 1...500

    let repository: StoreRepository
    let providers: [String]
    let fraud: any FraudRules
    let nudge: @Sendable () -> Void
    let clock: @Sendable () -> Instant

    /// An order, and whether the request that asked for it had come before.
    public struct Placed: Sendable {
        public let order: Order
        public let isRepeated: Bool
    }

    /// Accepts an order at the price of this moment. Returns once the order and its verification are on disk; one that
    /// the wallet pays is paid then.
    ///
    /// The rules look at the owner, who is the recipient of a gift: what they have, what is on its way to them, and how
    /// often they may get it. Promotions, the wallet and the rules against fraud look at the player who pays.
    ///
    /// - Parameters:
    ///   - expected: the total that the player saw; another price is refused with the new quote.
    ///   - idempotencyKey: the player's own name for this purchase: repeated with the same body, it gets the first
    ///     answer.
    /// - Throws: in this order, where several apply: ``StoreError/invalidField(name:reason:)``,
    ///   ``StoreError/idempotencyMismatch``, ``StoreError/unknownProduct(_:)``, ``StoreError/notSold(_:reason:)``,
    ///   ``StoreError/codeRefused(_:reason:)``, ``StoreError/priceChanged(_:)``, ``StoreError/alreadyOwned(_:by:)``,
    ///   ``StoreError/orderOpen(_:_:)``, ``StoreError/limitReached(_:limit:)``,
    ///   ``StoreError/insufficientFunds(needed:held:)`` or ``StoreError/tooManyOrders(reason:retryAfter:)``.
    public func place(
        _ wish: Wish, player: PlayerID, payment: PaymentChoice, expected: Int64?, idempotencyKey: String
    ) async throws(StoreError) -> Placed {
        try StoreRules.idempotencyKey(idempotencyKey)
        try Self.check(wish, by: player)
        let (provider, method) = try named(payment)
        let now = clock()
        var random = SystemRandomNumberGenerator()
        let request = OrderRequest(
            orderId: OrderID(ULID(at: now, using: &random).description), wish: wish, player: player,
            provider: provider, paymentMethod: method, expected: expected, idempotencyKey: idempotencyKey,
            digest: Self.digest(wish, payment, expected), at: now)
        switch try await repository.placements.place(request, fraud: fraud) {
        case .placed(let order):
            if order.provider != nil { nudge() }
            return Placed(order: order, isRepeated: false)
        case .repeated(let order):
            return Placed(order: order.asPlaced, isRepeated: true)
        }
    }

    /// Throws ``StoreError/unknownOrder(_:)`` for another player's order, too.
    public func order(_ id: OrderID, of player: PlayerID) async throws(StoreError) -> Order {
        let order = try await order(id)
        guard order.playerId == player else { throw .unknownOrder(id) }
        return order
    }

    /// For operators: anyone's order.
    public func order(_ id: OrderID) async throws(StoreError) -> Order {
        guard let order = try await repository.orders.order(id) else { throw .unknownOrder(id) }
        return order
    }

    /// Orders, newest first. A filter's player is the one who paid.
    public func orders(_ filter: OrderFilter) async throws(StoreError) -> [Order] {
        try StoreRules.number(filter.limit, in: Self.listedRange, field: "limit")
        return try await repository.orders.orders(filter)
    }

    /// The transfers of an order, oldest first.
    public func transfers(of order: OrderID) async throws(StoreError) -> [Transfer] {
        try await repository.orders.transfers(of: order)
    }

    /// Has a paid order (or one in review that was charged) given back: at once where the wallet paid, else by a job
    /// that is on disk when this returns. Asked again, it answers the same order.
    ///
    /// - Parameter reason: for the change log and the order, 1 to 200 characters.
    /// - Throws: ``StoreError/orderState(_:_:reason:)`` for an order that can't be given back.
    public func requestRefund(_ id: OrderID, reason: String, by editor: String)
        async throws(StoreError) -> Order
    {
        try StoreRules.line(reason, field: "reason")
        let order = try await repository.decisions.requestRefund(
            DecisionsRepository.Decision(order: id, reason: reason, editor: editor, at: clock()))
        if order.refundRequestedAt != nil { nudge() }
        return order
    }

    /// A person's verdict on an order in review: `paid` grants it, `declined` closes it without.
    ///
    /// - Parameter charged: what the provider charged, as the person saw it there, and what is booked for `paid`;
    ///   `nil`: the order's price, where the review's reason tells that it was charged.
    /// - Throws: ``StoreError/invalidField(name:reason:)`` where `charged` is needed and missing;
    ///   ``StoreError/orderState(_:_:reason:)`` where the order is not in review, or can't be granted: no
    ///   charge of it is known, or its owner has it.
    public func resolve(
        _ id: OrderID, as state: OrderState, reason: String, charged: Money? = nil, by editor: String
    ) async throws(StoreError) -> Order {
        guard state == .paid || state == .declined else {
            throw .invalidField(name: "state", reason: "expected paid or declined, got '\(state.rawValue)'")
        }
        guard charged.map({ $0.minorUnits > 0 }) ?? true else {
            throw .invalidField(name: "charged", reason: "expected more than 0, got \(charged?.minorUnits ?? 0)")
        }
        try StoreRules.line(reason, field: "reason")
        let resolved = try await repository.decisions.resolve(
            DecisionsRepository.Decision(order: id, reason: reason, editor: editor, at: clock()), as: state,
            charged: charged)
        if resolved.state == .declined { nudge() }
        return resolved
    }

    /// Takes out of a player's orders what names a person: tokens of means of payment, idempotency keys. The orders,
    /// their amounts and the ledger stay. An order without a verdict keeps its means of payment until it is settled.
    public func anonymise(_ player: PlayerID) async throws(StoreError) {
        try await repository.orders.anonymise(player)
    }

    // MARK: What is asked for

    private static func check(_ wish: Wish, by player: PlayerID) throws(StoreError) {
        try StoreRules.number(wish.quantity, in: Wish.quantityRange, field: "quantity")
        guard wish.codes.count <= Wish.codesMax else {
            throw .invalidField(
                name: "codes", reason: "expected at most \(Wish.codesMax), got \(wish.codes.count)")
        }
        guard wish.recipient != player else {
            throw .invalidField(
                name: "recipient",
                reason: "expected another player, got the one who pays: leave it out to buy for oneself"
            )
        }
    }

    /// The provider's name (`nil`: the wallet) and its token.
    private func named(_ payment: PaymentChoice) throws(StoreError) -> (provider: String?, method: String) {
        guard case .provider(let name, let method) = payment else { return (nil, "") }
        try StoreRules.paymentMethod(method)
        guard let provider = name ?? providers.first, providers.contains(provider) else {
            throw .invalidField(
                name: "provider",
                reason: "expected one of \(providers.joined(separator: ", ")), got '\((name ?? "").prefix(80))'")
        }
        return (provider, method)
    }

    /// Of all that makes one purchase another: a key that comes with another digest is refused.
    private static func digest(_ wish: Wish, _ payment: PaymentChoice, _ expected: Int64?) -> String {
        let paid: [String] =
            switch payment {
            case .wallet: ["wallet"]
            case .provider(let name, let method): ["provider", name ?? "", method]
            }
        return FieldDigest.of(
            [
                wish.productId.rawValue, String(wish.quantity), wish.unit ?? "", wish.recipient?.rawValue ?? "",
                expected.map(String.init) ?? "", String(wish.codes.count),
            ] + wish.codes + paid)
    }
}
