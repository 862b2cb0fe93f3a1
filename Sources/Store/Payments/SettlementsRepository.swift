import GRDB
import GameModel
import Records

/// How orders come to their ends: each step one transaction with the job's inbox row.
struct SettlementsRepository: Sendable {
    let file: StoreFile

    /// How an order is to end.
    enum Verdict: Sendable {
        case paid(Charge)
        case declined(code: String, reference: String?)
        case review(reason: String, reference: String?)

        var state: OrderState {
            switch self {
            case .paid: .paid
            case .declined: .declined
            case .review: .review
            }
        }

        var reason: String? {
            switch self {
            case .paid: nil
            case .declined(let code, _): code
            case .review(let reason, _): reason
            }
        }

        var reference: String? {
            switch self {
            case .paid(let charge): charge.reference
            case .declined(_, let reference), .review(_, let reference): reference
            }
        }
    }

    /// Marks an order as being verified before the provider is asked, and fences earlier attempts of its job off.
    ///
    /// - Returns: `nil` where there is nothing to verify: no such order, or it has its verdict. The job is settled
    /// then.
    func beginVerifying(
        _ id: OrderID, jobId: String, token: UInt64, at now: Instant
    ) async throws(StoreError) -> Order? {
        try await file.write { db in
            guard try Inbox.claim(jobId: jobId, token: token, in: db),
                let order = try OrdersRepository.order(id, in: db), order.state.isOpen
            else {
                try Outbox.settle(jobId: jobId, in: db)
                return nil
            }
            guard order.state == .pending else { return order }
            var verifying = order
            (verifying.state, verifying.updatedAt) = (.verifying, now)
            try OrdersRepository.update(verifying, from: order, in: db)
            return verifying
        }
    }

    /// Remembers the provider's name for the charge of an order that has no verdict yet.
    func note(reference: String, of id: OrderID, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            guard let order = try OrdersRepository.order(id, in: db), order.state.isOpen else { return }
            var noted = order
            (noted.providerReference, noted.updatedAt) = (reference, now)
            try OrdersRepository.update(noted, from: order, in: db)
        }
    }

    /// Writes an order's verdict, with what follows from it, once per job.
    ///
    /// - Returns: the state that the order has now.
    func conclude(
        _ id: OrderID, _ verdict: Verdict, jobId: String, token: UInt64, at now: Instant
    ) async throws(StoreError) -> OrderState? {
        try await file.write { db in
            guard try Inbox.apply(jobId: jobId, token: token, in: db),
                let order = try OrdersRepository.order(id, in: db), order.state.isOpen
            else {
                try Outbox.settle(jobId: jobId, in: db)
                return try OrdersRepository.order(id, in: db)?.state
            }
            var begun = order
            if order.state == .pending {
                begun.state = .verifying
                try OrdersRepository.update(begun, from: order, in: db)
            }
            var ended = begun
            ended.state = verdict.state
            ended.reason = verdict.reason
            ended.providerReference = verdict.reference ?? order.providerReference
            ended.updatedAt = now
            try OrdersRepository.update(ended, from: begun, in: db)
            if case .paid(let charge) = verdict {
                try OrderBooks.pay(ended, charge: charge, at: now, in: db)
            }
            if case .declined = verdict { try OrderBooks.release(ended, in: db) }
            try Outbox.settle(jobId: jobId, in: db)
            return ended.state
        }
    }
}
