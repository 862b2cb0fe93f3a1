import GRDB
import GameModel
import Jobs
import Records

/// What people decide about orders: refunds, and the end of a review. Each is in the change log, in the same
/// transaction.
struct DecisionsRepository: Sendable {
    let file: StoreFile

    /// Who decides what, why and when.
    struct Decision: Sendable {
        let order: OrderID
        let reason: String
        let editor: String
        let at: Instant
    }

    func requestRefund(_ decision: Decision) async throws(StoreError) -> Order {
        try await file.write { db in
            let order = try Self.order(decision.order, in: db)
            if order.state == .refunded || order.refundRequestedAt != nil { return order }
            var asked = order
            (asked.reason, asked.updatedAt) = (decision.reason, decision.at)
            switch order.state {
            case .paid where order.provider == nil:
                asked.state = .refunded
                asked.refunded = order.amount
                asked.flag = try OrderBooks.giveBack(
                    order, amount: order.amount, kind: .unspend, isTotal: true, reference: order.orderId.rawValue,
                    at: decision.at, in: db)
            case .paid,
                .review where order.providerReference != nil:
                asked.refundRequestedAt = decision.at
                try Self.oweRefund(order, at: decision.at, in: db)
            case .review:
                throw StoreError.orderState(
                    order.orderId, order.state, reason: "no charge of it is known, so there is nothing to give back")
            default:
                throw StoreError.orderState(
                    order.orderId, order.state,
                    reason: "a refund needs a paid order, or one in review that was charged")
            }
            try OrdersRepository.update(asked, from: order, in: db)
            try Self.note(decision, "order.refund", before: order, after: asked, in: db)
            return asked
        }
    }

    func resolve(_ decision: Decision, as state: OrderState, charged: Money?) async throws(StoreError) -> Order {
        try await file.write { db in
            let order = try Self.order(decision.order, in: db)
            guard order.state == .review else {
                throw StoreError.orderState(order.orderId, order.state, reason: "only one in review can be resolved")
            }
            guard order.refundRequestedAt == nil else {
                throw StoreError.orderState(order.orderId, order.state, reason: "its refund was asked for already")
            }
            var resolved = order
            (resolved.state, resolved.reason, resolved.updatedAt) = (state, decision.reason, decision.at)
            try OrdersRepository.update(resolved, from: order, in: db)
            if state == .paid {
                try OrderBooks.pay(resolved, charge: Self.charge(of: order, charged, in: db), at: decision.at, in: db)
            } else {
                try OrderBooks.release(resolved, in: db)
                // A charge of it that the provider has all the same goes back to the player.
                if order.provider != nil {
                    try Outbox.insert(
                        SettleOrder.owed(for: order.orderId, cause: "declined", at: decision.at), in: db)
                }
            }
            try Self.note(decision, "order.resolve", before: order, after: resolved, in: db)
            return resolved
        }
    }

    // MARK: Inside a transaction

    /// The charge that a person found at the provider.
    private static func charge(of order: Order, _ charged: Money?, in db: Database) throws -> Charge {
        guard let reference = order.providerReference, let price = order.money else {
            throw StoreError.orderState(
                order.orderId, order.state, reason: "no charge of it is known: it can only be declined")
        }
        guard charged != nil || SettlementRules.isPriceCharged(order.reason) else {
            throw StoreError.invalidField(
                name: "charged",
                reason: "expected what the provider charged, which may not be the price \(price); got nothing")
        }
        let amount = charged ?? price
        let charge = Charge(
            reference: reference, orderId: order.orderId, minorUnits: amount.minorUnits,
            currency: amount.currency.rawValue)
        if let obstacle = try OrderBooks.obstacle(order, charge: charge, in: db) {
            throw StoreError.orderState(order.orderId, order.state, reason: "\(obstacle): have it given back instead")
        }
        return charge
    }

    /// A refund that was refused can be asked for again: that is another job, for the first one had its effect.
    private static func oweRefund(_ order: Order, at now: Instant, in db: Database) throws {
        let first = SettleOrder.jobId(of: order.orderId, cause: "refund").rawValue
        let cause = try Inbox.isApplied(jobId: first, in: db) ? "refund-\(now.milliseconds)" : "refund"
        try Outbox.insert(SettleOrder.owed(for: order.orderId, cause: cause, at: now), in: db)
    }

    private static func order(_ id: OrderID, in db: Database) throws -> Order {
        guard let order = try OrdersRepository.order(id, in: db) else { throw StoreError.unknownOrder(id) }
        return order
    }

    private static func note(
        _ decision: Decision, _ action: String, before: Order, after: Order, in db: Database
    ) throws {
        let isWaiting = after.refundRequestedAt != nil
        try ChangeLog.append(
            ChangeLog.Change(
                at: decision.at.milliseconds, by: decision.editor, action: action, subject: "order \(before.orderId)",
                before: [before.state.rawValue, before.reason].compactMap(\.self).joined(separator: ": "),
                after: "\(isWaiting ? "refund asked for" : after.state.rawValue): \(decision.reason)"), in: db)
    }
}
