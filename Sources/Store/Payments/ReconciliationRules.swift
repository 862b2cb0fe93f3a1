import GameModel

/// Whether a charge and its order tell the same: functions of the two, without effects.
enum ReconciliationRules {
    /// An order with what the ledger holds of it.
    struct Entry: Sendable, Hashable {
        let orderId: OrderID
        let provider: String?
        let state: OrderState
        /// The provider's name for the charge.
        let reference: String?
        let createdAt: Instant
        /// What the ledger holds as charged, in minor units of ``unit``: 0 where it holds no charge.
        let charged: Int64
        /// The ledger's currency of the charge; the order's where it holds none.
        let unit: String
        /// What went back by the ledger, refunds and chargebacks, in minor units.
        let returned: Int64
        /// Whether a job is owed that will ask the provider about it.
        let isUnderWay: Bool
    }

    typealias Difference = ReconciliationDifference

    /// What differs between a charge that the provider listed and its order; `nil` where nothing does, or the order is
    /// still under way.
    static func difference(_ charge: Charge, _ entry: Entry?, by provider: String) -> Difference? {
        guard let entry, entry.provider == provider else { return stranger(charge, entry) }
        guard !entry.state.isOpen, !entry.isUnderWay else { return nil }
        let kept = charge.isDisputed ? 0 : charge.minorUnits - charge.refundedMinorUnits
        if let reference = entry.reference, reference != charge.reference {
            guard kept > 0 else { return nil }
            return difference(
                .chargedTwice, charge, entry,
                "\(SettlementRules.words(charge)) charged once more: the order's own charge is \(reference). "
                    + "Give this one back at the provider.")
        }
        switch entry.state {
        case .pending, .verifying: return nil
        case .declined, .review: return unbooked(charge, entry, kept: kept)
        case .paid, .refunded, .chargedBack: return booked(charge, entry, kept: kept)
        }
    }

    /// A paid order whose charge the provider doesn't know.
    static func missing(_ entry: Entry) -> Difference {
        Difference(
            kind: .orderWithoutCharge, orderId: entry.orderId, reference: entry.reference,
            detail: "\(entry.charged) \(entry.unit) (minor units) are booked, and the provider knows no such charge. "
                + "See whether the provider's account is the right one.")
    }

    static func overdue(_ entry: Entry, at now: Instant) -> Difference {
        let hours = Int((now - entry.createdAt).inSeconds / 3600)
        return Difference(
            kind: .orderOverdue, orderId: entry.orderId, reference: entry.reference,
            detail: "no verdict for \(hours) hours. See whether a verifier runs and reaches the provider.")
    }

    private static func stranger(_ charge: Charge, _ entry: Entry?) -> Difference {
        let whose =
            if let entry { "order \(entry.orderId), which \(entry.provider ?? "the wallet") pays" } else {
                charge.orderId.map { "order \($0), which is not ours" } ?? "no order"
            }
        return Difference(
            kind: .chargeWithoutOrder, orderId: charge.orderId, reference: charge.reference,
            detail: "\(SettlementRules.words(charge)) charged for \(whose). "
                + "Find out whose it is, or give it back at the provider.")
    }

    private static func unbooked(_ charge: Charge, _ entry: Entry, kept: Int64) -> Difference? {
        if kept > 0 {
            let step =
                entry.state == .declined
                ? "Settling gives it back." : "Resolve the order, or ask for its refund."
            return difference(
                .chargeNotBooked, charge, entry,
                "\(SettlementRules.words(charge)) charged, and the order is \(entry.state.rawValue). \(step)")
        }
        guard entry.state == .review, charge.refundedMinorUnits >= charge.minorUnits else { return nil }
        return difference(
            .refundNotBooked, charge, entry, "given back while the order was in review. Settling closes the order.")
    }

    private static func booked(_ charge: Charge, _ entry: Entry, kept: Int64) -> Difference? {
        guard entry.charged == charge.minorUnits, entry.unit == charge.currency else {
            return difference(
                .amountDiffers, charge, entry,
                "\(SettlementRules.words(charge)) charged, \(entry.charged) \(entry.unit) (minor units) booked. "
                    + "See which one is right, and correct the other by a refund.")
        }
        let returned = charge.minorUnits - max(0, kept)
        guard returned != entry.returned else { return nil }
        let words = "\(returned) \(charge.currency) (minor units) went back, \(entry.returned) are booked"
        return returned > entry.returned
            ? difference(.refundNotBooked, charge, entry, "\(words). Settling books them.")
            : difference(.refundNotMade, charge, entry, "\(words). Give it back at the provider, or grant it again.")
    }

    private static func difference(
        _ kind: Difference.Kind, _ charge: Charge, _ entry: Entry, _ detail: String
    ) -> Difference {
        Difference(kind: kind, orderId: entry.orderId, reference: charge.reference, detail: detail)
    }
}
