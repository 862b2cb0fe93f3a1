import GameModel

/// The built-in rules against fraud: how often and for how much one player may buy.
public struct VelocityRules: FraudRules, Equatable {
    public var ordersPerMinute = 10
    public var ordersPerHour = 60
    /// Stolen cards are tried out until one works.
    public var declinedPerHour = 10
    /// Minor units of any one currency.
    public var spentPerDay: Int64 = 100_000

    public init() {}

    public func judge(_ attempt: PurchaseAttempt) -> FraudVerdict { .allow }
}
