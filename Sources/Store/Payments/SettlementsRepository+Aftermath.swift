import GRDB
import GameModel
import Records

/// What comes after an order's verdict: refunds and chargebacks, booked as the difference between what the provider
/// tells and what the order knows.
extension SettlementsRepository {
    /// What was found out about an order's charge.
    struct Finding: Sendable {
        /// As the provider tells it; `nil` where it knows none.
        var charge: Charge?
        /// The provider's name for the refund that was made by this attempt.
        var refundName: String?
        /// Why the provider will not make the refund that was asked for.
        var refusal: String?
    }

    /// What became of a settlement.
    enum Settled: Sendable {
        /// Written, or there was nothing to write.
        case done(Order?)
        /// Somebody changed the order since it was read, so that the finding may be older than what it says: nothing
        /// was written.
        case moved
    }

    /// Fences earlier attempts of the job off, and reads the order.
    ///
    /// - Returns: `nil` where there is nothing to settle: no such order, one that the wallet paid, or the job's effect
    ///   is written. The job is settled then.
    func beginSettling(_ id: OrderID, _ attempt: Attempt) async throws(StoreError) -> Order? {
        try await file.write { db in
            guard try Inbox.claim(jobId: attempt.jobId, token: attempt.token, in: db),
                let order = try OrdersRepository.order(id, in: db), order.provider != nil
            else {
                try Outbox.settle(jobId: attempt.jobId, in: db)
                return nil
            }
            return order
        }
    }

    /// Books what was found, once per job, if the order is still as it was when the provider was asked.
    ///
    /// - Parameter seen: the order as ``beginSettling(_:_:)`` read it.
    func settle(_ seen: Order, with finding: Finding, _ attempt: Attempt) async throws(StoreError) -> Settled {
        try await file.write { db in
            guard let order = try OrdersRepository.order(seen.orderId, in: db) else { return .done(nil) }
            guard Self.isUnmoved(order, since: seen) else { return .moved }
            guard try Inbox.apply(jobId: attempt.jobId, token: attempt.token, in: db) else {
                try Outbox.settle(jobId: attempt.jobId, in: db)
                return .done(order)
            }
            let settled = try Self.settle(order, with: finding, at: attempt.at, in: db)
            try Outbox.settle(jobId: attempt.jobId, in: db)
            return .done(settled)
        }
    }

    /// Closes a job that will not run again; a refund that it was to make has to be asked for anew, by another job.
    func giveUpSettling(_ id: OrderID, reason: String, _ attempt: Attempt) async throws(StoreError) {
        try await file.write { db in
            try Outbox.settle(jobId: attempt.jobId, in: db)
            guard try Inbox.apply(jobId: attempt.jobId, token: attempt.token, in: db),
                let order = try OrdersRepository.order(id, in: db)
            else { return }
            var flagged = order
            flagged.flag = SettlementRules.flag(order.flag, adding: reason)
            (flagged.refundRequestedAt, flagged.updatedAt) = (nil, attempt.at)
            try OrdersRepository.update(flagged, from: order, in: db)
        }
    }

    // MARK: Inside the transaction

    private static func isUnmoved(_ order: Order, since seen: Order) -> Bool {
        order.state == seen.state && order.refunded == seen.refunded
            && order.refundRequestedAt == seen.refundRequestedAt && order.providerReference == seen.providerReference
    }

    private static func settle(
        _ order: Order, with finding: Finding, at now: Instant, in db: Database
    ) throws -> Order {
        var order = order
        if let charge = finding.charge {
            switch order.state {
            case .paid: order = try book(charge, of: order, refundName: finding.refundName, at: now, in: db)
            case .review: order = try look(at: charge, of: order, at: now, in: db)
            case .chargedBack where !charge.isDisputed && charge.reference == order.providerReference:
                let back = min(charge.refundedMinorUnits, charge.minorUnits)
                try OrderBooks.reverse(order, charge: charge, back: back, at: now, in: db)
                order = try flag(order, SettlementRules.note(on: order, of: charge), at: now, in: db)
            default: order = try flag(order, SettlementRules.note(on: order, of: charge), at: now, in: db)
            }
        }
        guard order.refundRequestedAt != nil else { return order }
        var answered = order
        (answered.refundRequestedAt, answered.updatedAt) = (nil, now)
        if order.state == .paid || order.state == .review {
            let note = finding.refusal.map { "refund refused: \($0)" } ?? missing(finding)
            answered.flag = SettlementRules.flag(order.flag, adding: note)
        }
        try OrdersRepository.update(answered, from: order, in: db)
        return answered
    }

    private static func missing(_ finding: Finding) -> String? {
        guard let charge = finding.charge else { return "refund not made: the provider knows no charge" }
        return charge.isDisputed ? "refund not made: the player's bank took it back" : "refund not made in full"
    }

    /// Books what happened to the charge of a paid order.
    ///
    /// - Parameter refundName: the provider's name for the refund that was just made; the ledger's own reference is
    ///   made of the charge's and of the sum given back where it isn't known.
    static func book(
        _ charge: Charge, of order: Order, refundName: String?, at now: Instant, in db: Database
    ) throws -> Order {
        let aftermath = SettlementRules.aftermath(of: charge, for: order)
        guard aftermath != SettlementRules.Aftermath() else { return order }
        var booked = order
        booked.updatedAt = now
        booked.flag = SettlementRules.flag(order.flag, adding: aftermath.note)
        if aftermath.refund > 0 {
            booked.refunded += aftermath.refund
            let note = try OrderBooks.giveBack(
                order, amount: aftermath.refund, kind: .refund,
                isTotal: aftermath.isTotal && aftermath.chargeback == 0,
                reference: refundName ?? "\(charge.reference)/refunded/\(booked.refunded)",
                unit: charge.currency, at: now, in: db)
            booked.flag = SettlementRules.flag(booked.flag, adding: note)
        }
        if aftermath.chargeback > 0 {
            booked.refunded += aftermath.chargeback
            let note = try OrderBooks.giveBack(
                order, amount: aftermath.chargeback, kind: .chargeback, isTotal: true,
                reference: "\(charge.reference)/dispute", unit: charge.currency, at: now, in: db)
            booked.flag = SettlementRules.flag(booked.flag, adding: note)
        }
        if aftermath.isTotal {
            booked.state = aftermath.chargeback > 0 ? .chargedBack : .refunded
            booked.reason = reason(for: order, aftermath)
        }
        try OrdersRepository.update(booked, from: order, in: db)
        return booked
    }

    private static func reason(for order: Order, _ aftermath: SettlementRules.Aftermath) -> String {
        if aftermath.chargeback > 0 { return "charged back" }
        guard order.refundRequestedAt != nil, let asked = order.reason else { return "refunded at the provider" }
        return asked
    }

    /// An order in review has nothing booked: when all of its charge was given back, it is closed, and the ledger tells
    /// that the money came and went.
    private static func look(
        at charge: Charge, of order: Order, at now: Instant, in db: Database
    ) throws -> Order {
        guard charge.orderId == order.orderId else {
            return try flag(order, "the charge \(charge.reference) is not of this order", at: now, in: db)
        }
        let back = min(charge.refundedMinorUnits, charge.minorUnits)
        var looked = order
        (looked.providerReference, looked.updatedAt) = (charge.reference, now)
        if charge.isDisputed { looked.flag = SettlementRules.flag(order.flag, adding: "disputed while in review") }
        if back > 0, back < charge.minorUnits {
            // Nothing is booked of it yet: that is for the settlement of the order that it becomes.
            looked.flag = SettlementRules.flag(looked.flag, adding: "given back in part while in review")
        }
        if back == charge.minorUnits {
            (looked.state, looked.refunded) = (.refunded, back)
            try OrderBooks.book(charge, of: looked, at: now, in: db)
            // Nothing was granted, so that there is nothing to be used up.
            _ = try OrderBooks.giveBack(
                looked, amount: back, kind: .refund, isTotal: true, reference: "\(charge.reference)/refunded/\(back)",
                unit: charge.currency, at: now, in: db)
        }
        try OrdersRepository.update(looked, from: order, in: db)
        return looked
    }

    private static func flag(_ order: Order, _ note: String?, at now: Instant, in db: Database) throws -> Order {
        let flag = SettlementRules.flag(order.flag, adding: note)
        guard flag != order.flag else { return order }
        var flagged = order
        (flagged.flag, flagged.updatedAt) = (flag, now)
        try OrdersRepository.update(flagged, from: order, in: db)
        return flagged
    }
}

extension OrdersRepository {
    /// The order that a provider charged by this name.
    static func order(chargedAs reference: String, by provider: String, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM purchases WHERE provider_reference = ? AND provider = ? LIMIT 1")
        return try Row.fetchOne(statement, arguments: [reference, provider]).map(order)
    }
}
