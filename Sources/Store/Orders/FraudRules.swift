import GameModel

/// What is known of a player at the moment of a purchase for money.
public struct PurchaseAttempt: Sendable, Hashable {
    public let player: PlayerID
    public let quote: Quote
    public let isGift: Bool
    /// Orders for money in the last minute, hour and day, whatever became of them.
    public let ordersLastMinute: Int
    public let ordersLastHour: Int
    public let ordersLastDay: Int
    public let declinedLastHour: Int
    /// Minor units of the quote's unit, in the last day, of orders that were not declined.
    public let spentLastDay: Int64

    public init(
        player: PlayerID, quote: Quote, isGift: Bool, ordersLastMinute: Int, ordersLastHour: Int,
        ordersLastDay: Int,
        declinedLastHour: Int, spentLastDay: Int64
    ) {
        self.player = player
        self.quote = quote
        self.isGift = isGift
        self.ordersLastMinute = ordersLastMinute
        self.ordersLastHour = ordersLastHour
        self.ordersLastDay = ordersLastDay
        self.declinedLastHour = declinedLastHour
        self.spentLastDay = spentLastDay
    }
}

public enum FraudVerdict: Sendable, Hashable {
    case allow
    /// The order is not taken; the player may try again after a while.
    case refuse(reason: String, retryAfter: Duration)
}

/// The hook for a studio's own rules against fraud: asked in the transaction that would place an order for money, so
/// it must answer from what it is given, without waiting for anything.
public protocol FraudRules: Sendable {
    func judge(_ attempt: PurchaseAttempt) -> FraudVerdict
}
