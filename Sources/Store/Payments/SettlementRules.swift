import GameModel

/// What a charge, as the provider tells it, means for its order: functions of the two, without effects.
///
/// Money is never guessed: what doesn't fit the order goes to a person, as `review` or as a flag.
enum SettlementRules {
    /// The reason of an order that got no verdict in time.
    static let timedOut = "timed_out"
    static let flagCharactersMax = 1_000

    /// How an order is to end.
    enum Verdict: Sendable, Hashable {
        case paid(Charge)
        case declined(code: String, reference: String?)
        case review(reason: String, reference: String?)
    }

    /// What happened to a charge after it was made, as far as the order doesn't know it yet. In minor units of the
    /// charge's currency.
    struct Aftermath: Sendable, Hashable {
        var refund: Int64 = 0
        var chargeback: Int64 = 0
        /// Whether nothing of the price is left.
        var isTotal = false
        /// For a person.
        var note: String?
    }

    /// The verdict on an order that was charged.
    static func verdict(on order: Order, of charge: Charge) -> Verdict {
        guard charge.orderId == order.orderId else {
            return .review(
                reason: "the charge is for another order: \(charge.orderId?.rawValue ?? "none")",
                reference: charge.reference)
        }
        guard let money = order.money, charge.isExactly(money) else {
            return .review(
                reason: "charged \(words(charge)), not \(order.money?.description ?? "\(order.amount) \(order.unit)")",
                reference: charge.reference)
        }
        return .paid(charge)
    }

    /// Whether a review's reason tells that the charge is the order's price: it was compared, and something else is in
    /// the way (``OrderBooks/obstacle(_:charge:in:)``).
    static func isPriceCharged(_ reason: String?) -> Bool {
        reason.map { $0.contains(" owns ") || $0.contains(" is in the books already") } ?? false
    }

    /// What is to be booked for a paid order.
    static func aftermath(of charge: Charge, for order: Order) -> Aftermath {
        let back = min(charge.refundedMinorUnits, charge.minorUnits)
        var aftermath = Aftermath(refund: max(0, back - order.refunded))
        if back < order.refunded { aftermath.note = lessGivenBack(back, order) }
        let left = charge.minorUnits - max(back, order.refunded)
        if charge.isDisputed, left > 0 { aftermath.chargeback = left }
        aftermath.isTotal = left == 0 || aftermath.chargeback > 0
        return aftermath
    }

    /// What a person should know of an order that ended: nothing of it is booked any more.
    static func note(on order: Order, of charge: Charge) -> String? {
        let back = min(charge.refundedMinorUnits, charge.minorUnits)
        switch order.state {
        case .refunded:
            if charge.isDisputed { return "disputed after it was refunded" }
            return back < order.refunded ? lessGivenBack(back, order) : nil
        case .chargedBack:
            return charge.isDisputed || back >= order.refunded ? nil : "the dispute was won: the money came back"
        case .declined:
            return back == charge.minorUnits
                ? "charged after it was declined, and given back" : "charged \(words(charge)) after it was declined"
        case .pending, .verifying, .paid, .review: return nil
        }
    }

    /// A flag with one more note; each stands in it once.
    static func flag(_ flag: String?, adding note: String?) -> String? {
        guard let note else { return flag }
        guard let flag else { return String(note.prefix(flagCharactersMax)) }
        return flag.contains(note) ? flag : String("\(flag); \(note)".prefix(flagCharactersMax))
    }

    /// `4.99 EUR`.
    static func words(_ charge: Charge) -> String {
        guard let currency = Currency(rawValue: charge.currency) else {
            return "\(charge.minorUnits) \(charge.currency) (minor units)"
        }
        return Money(minorUnits: charge.minorUnits, currency: currency).description
    }

    private static func lessGivenBack(_ back: Int64, _ order: Order) -> String {
        "the provider gave back \(back), \(order.refunded) \(order.unit) (minor units) are booked"
    }
}
