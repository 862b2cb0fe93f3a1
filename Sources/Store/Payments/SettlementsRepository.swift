import GRDB
import GameModel
import Records

/// How orders come to their verdicts: each step one transaction with the job's inbox row.
struct SettlementsRepository: Sendable {
    typealias Verdict = SettlementRules.Verdict

    let file: StoreFile

    /// One attempt of a job, as the inbox knows it.
    struct Attempt: Sendable {
        let jobId: String
        /// Rises with every attempt of the job.
        let token: UInt64
        let at: Instant
    }

    /// Marks an order as being verified before the provider is asked, and fences earlier attempts of its job off.
    ///
    /// - Returns: `nil` where there is nothing to verify: no such order, or it has its verdict. The job is settled
    /// then.
    func beginVerifying(_ id: OrderID, _ attempt: Attempt) async throws(StoreError) -> Order? {
        try await file.write { db in
            guard try Inbox.claim(jobId: attempt.jobId, token: attempt.token, in: db),
                let order = try OrdersRepository.order(id, in: db), order.state.isOpen
            else {
                try Outbox.settle(jobId: attempt.jobId, in: db)
                return nil
            }
            guard order.state == .pending else { return order }
            var verifying = order
            (verifying.state, verifying.updatedAt) = (.verifying, attempt.at)
            try OrdersRepository.update(verifying, from: order, in: db)
            return verifying
        }
    }

    /// Remembers the provider's name for the charge of an order that has no verdict yet.
    func note(reference: String, of id: OrderID, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            guard let order = try OrdersRepository.order(id, in: db), order.state.isOpen,
                order.providerReference != reference
            else { return }
            var noted = order
            (noted.providerReference, noted.updatedAt) = (reference, now)
            try OrdersRepository.update(noted, from: order, in: db)
        }
    }

    /// Writes an order's verdict, with what follows from it, once per job. A charge that was given back already makes
    /// the order paid and given back, in this one transaction.
    ///
    /// - Returns: the order as it is now; `nil` where there is none.
    func conclude(_ id: OrderID, _ verdict: Verdict, _ attempt: Attempt) async throws(StoreError) -> Order? {
        try await file.write { db in
            guard try Inbox.apply(jobId: attempt.jobId, token: attempt.token, in: db),
                let order = try OrdersRepository.order(id, in: db), order.state.isOpen
            else {
                try Outbox.settle(jobId: attempt.jobId, in: db)
                return try OrdersRepository.order(id, in: db)
            }
            let ended = try Self.end(try Self.begun(order, at: attempt.at, in: db), verdict, at: attempt.at, in: db)
            if ended.state.isSettled { try Self.forgetMeans(of: id, in: db) }
            try Outbox.settle(jobId: attempt.jobId, in: db)
            return ended
        }
    }

    /// A job of an order whose attempts never began is given up from `pending`.
    private static func begun(_ order: Order, at now: Instant, in db: Database) throws -> Order {
        guard order.state == .pending else { return order }
        var begun = order
        (begun.state, begun.updatedAt) = (.verifying, now)
        try OrdersRepository.update(begun, from: order, in: db)
        return begun
    }

    private static func end(
        _ order: Order, _ verdict: Verdict, at now: Instant, in db: Database
    ) throws -> Order {
        var ended = order
        ended.updatedAt = now
        switch try unobstructed(verdict, order, in: db) {
        case .paid(let charge):
            (ended.state, ended.reason, ended.providerReference) = (.paid, nil, charge.reference)
            try OrdersRepository.update(ended, from: order, in: db)
            try OrderBooks.pay(ended, charge: charge, at: now, in: db)
            return try book(charge, of: ended, refundName: nil, at: now, in: db)
        case .declined(let code, let reference):
            (ended.state, ended.reason) = (.declined, code)
            ended.providerReference = reference ?? order.providerReference
            try OrdersRepository.update(ended, from: order, in: db)
            try OrderBooks.release(ended, in: db)
            return ended
        case .review(let reason, let reference):
            (ended.state, ended.reason) = (.review, reason)
            ended.providerReference = reference ?? order.providerReference
            try OrdersRepository.update(ended, from: order, in: db)
            return ended
        }
    }

    /// The player's account was deleted meanwhile: the means of payment was only kept for this verdict.
    private static func forgetMeans(of id: OrderID, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "UPDATE purchases SET payment_method = '' WHERE order_id = ? AND body_digest = ''")
        try statement.execute(arguments: [id.rawValue])
    }

    /// What can't be granted any more, because the owner came to it in another way meanwhile, is for a person.
    private static func unobstructed(_ verdict: Verdict, _ order: Order, in db: Database) throws -> Verdict {
        guard case .paid(let charge) = verdict,
            let obstacle = try OrderBooks.obstacle(order, charge: charge, in: db)
        else { return verdict }
        return .review(reason: obstacle, reference: charge.reference)
    }
}
