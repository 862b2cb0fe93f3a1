import GameModel

/// Takes orders, tells what became of them, and has them given back.
///
/// Promises: an accepted order is on disk together with the job that has it charged, so it gets its verdict whatever
/// becomes of Redis; a repeated request with its idempotency key places one order; what can be owned once is sold once.
public struct OrderService: Sendable {
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
    /// - Parameters:
    ///   - expected: the total that the player saw; another price is refused with the new quote.
    ///   - idempotencyKey: the player's own name for this purchase: repeated with the same body, it gets the first
    ///     answer.
    public func place(
        _ wish: Wish, player: PlayerID, payment: PaymentChoice, expected: Int64?, idempotencyKey: String
    ) async throws(StoreError) -> Placed {
        throw .unavailable("not built yet")
    }

    /// Throws ``StoreError/unknownOrder(_:)`` for another player's order, too.
    public func order(_ id: OrderID, of player: PlayerID) async throws(StoreError) -> Order {
        throw .unavailable("not built yet")
    }

    /// For operators: anyone's order.
    public func order(_ id: OrderID) async throws(StoreError) -> Order {
        throw .unavailable("not built yet")
    }

    /// Orders, newest first.
    public func orders(_ filter: OrderFilter) async throws(StoreError) -> [Order] {
        throw .unavailable("not built yet")
    }

    /// The transfers of an order, oldest first.
    public func transfers(of order: OrderID) async throws(StoreError) -> [Transfer] {
        throw .unavailable("not built yet")
    }

    /// Has a paid order (or one in review that was charged) given back: at once where the wallet paid, else by a job
    /// that is on disk when this returns. Asked again, it answers the same order.
    ///
    /// Throws ``StoreError/orderState(_:_:reason:)`` for an order that can't be given back.
    public func requestRefund(_ id: OrderID, reason: String, by editor: String)
        async throws(StoreError) -> Order
    {
        throw .unavailable("not built yet")
    }

    /// A person's verdict on an order in review: `paid` grants it (what the provider charged is what is booked),
    /// `declined` closes it without.
    public func resolve(
        _ id: OrderID, as state: OrderState, reason: String, by editor: String
    ) async throws(StoreError) -> Order {
        throw .unavailable("not built yet")
    }

    /// Takes out of a player's orders what names a person: tokens of means of payment, idempotency keys. The orders,
    /// their amounts and the ledger stay.
    public func anonymise(_ player: PlayerID) async throws(StoreError) {
        throw .unavailable("not built yet")
    }
}
