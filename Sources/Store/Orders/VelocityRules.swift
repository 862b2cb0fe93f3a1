import GameModel

/// The built-in rules against fraud: how often and for how much one player may buy.
///
/// Each number is the most that is allowed; an order that would go past it is refused until enough of those before it
/// are old enough.
public struct VelocityRules: FraudRules, Equatable {
    public var ordersPerMinute = 10
    public var ordersPerHour = 60
    /// Stolen cards are tried out until one works.
    public var declinedPerHour = 10
    /// How many times ``Currency/minimumCharge`` of any one currency: 1,000 EUR, and about as much in the others.
    public var spentPerDay: Int64 = 2_000

    public init() {}

    public func judge(_ attempt: PurchaseAttempt) -> FraudVerdict {
        if attempt.declinedLastHour >= declinedPerHour {
            return .refuse(
                reason: "\(attempt.declinedLastHour) orders were declined within an hour", retryAfter: .seconds(3600))
        }
        if attempt.ordersLastMinute >= ordersPerMinute {
            return .refuse(
                reason: "one player may place \(ordersPerMinute) orders within a minute", retryAfter: .seconds(60))
        }
        if attempt.ordersLastHour >= ordersPerHour {
            return .refuse(
                reason: "one player may place \(ordersPerHour) orders within an hour", retryAfter: .seconds(3600))
        }
        let most = spentPerDay(in: attempt.quote.unit)
        let (spent, overflows) = attempt.spentLastDay.addingReportingOverflow(attempt.quote.total)
        if overflows || spent > most {
            return .refuse(
                reason: "one player may spend \(most) \(attempt.quote.unit) (minor units) within a day",
                retryAfter: .seconds(24 * 3600))
        }
        return .allow
    }

    /// In minor units of a currency.
    func spentPerDay(in unit: String) -> Int64 {
        let (most, overflows) = spentPerDay.multipliedReportingOverflow(
            by: Currency(rawValue: unit)?.minimumCharge ?? 50)
        return overflows ? .max : most
    }
}
