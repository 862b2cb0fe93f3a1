import GameModel
import Jobs
import Logging

/// Has an order charged and writes the verdict: the one place where money is asked for and products are granted.
///
/// Promises: however often it runs, and however many run at once, the provider charges once (one idempotency key per
/// order) and the verdict is written once, with its ledger transfer and its entitlement, in one transaction. While
/// the provider gives no verdict, the job comes back. What doesn't fit is never granted: it goes to `review`.
public struct VerifyPaymentHandler: Sendable {
    /// How long the provider is asked about an order. It remembers idempotency keys for 24 hours: a call after that
    /// could charge a second time, so a person decides instead.
    static let askedFor: Duration = .seconds(23 * 3600)

    private let repository: StoreRepository
    private let provider: any PaymentProvider
    private let clock: @Sendable () -> Instant

    public init(
        repository: StoreRepository, provider: any PaymentProvider,
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.provider = provider
        self.clock = clock
    }

    /// For the worker of the queue ``VerifyPayment/queue``.
    public var handler: JobHandler {
        JobHandler.each(
            VerifyPayment.self,
            onBury: { job, context, bury in try await giveUp(job, context, bury) },
            { job, context in try await verify(job, context) })
    }

    private func verify(_ job: VerifyPayment, _ context: JobContext) async throws {
        let order = try await repository.settlements.beginVerifying(
            job.orderId, jobId: context.id.rawValue, token: context.token, at: clock())
        guard let order else { return }
        try await conclude(order.orderId, try await verdict(on: order, context.logger), context)
    }

    private func verdict(on order: Order, _ logger: Logger) async throws
        -> SettlementsRepository.Verdict
    {
        do {
            guard clock() - order.createdAt < Self.askedFor else {
                return .review(
                    reason: "the provider gave no verdict in time", reference: order.providerReference)
            }
            switch try await outcome(of: order) {
            case .succeeded(let charge):
                guard charge.orderId == order.orderId else {
                    return .review(reason: "the charge is for another order", reference: charge.reference)
                }
                return .paid(charge)
            case .declined(let code, let reference):
                return .declined(code: code, reference: reference)
            case .undecided(let reference):
                try await repository.settlements.note(reference: reference, of: order.orderId, at: clock())
                throw Snooze(pause(for: order))
            }
        } catch PaymentError.refused(let code, let message) {
            return .review(reason: "\(code): \(message)", reference: nil)
        } catch let error as PaymentError {
            let level: Logger.Level = if case .unauthorized = error { .error } else { .warning }
            logger.log(level: level, "\(error)", metadata: ["order": "\(order.orderId)"])
            throw Snooze(pause(for: order))
        }
    }

    /// The longer the provider leaves an order waiting, the longer the pause: a quarter of its age, 0.5 to 30 seconds.
    ///
    /// Pauses are spread by ± 20 %, so that a provider that comes back is not asked by all orders at once.
    private func pause(for order: Order) -> Duration {
        let age = (clock() - order.createdAt).inSeconds
        return .milliseconds(Int64(min(max(age / 4, 0.5), 30) * Double.random(in: 800...1200)))
    }

    /// A charge whose name is known is looked up: repeating the call that made it would repeat its first answer, for
    /// good.
    private func outcome(of order: Order) async throws(PaymentError) -> ChargeOutcome {
        if let reference = order.providerReference {
            return try await provider.charge(reference: reference)
        }
        guard let amount = order.money else {
            throw .refused(code: "not_money", message: "the order is not of a real currency")
        }
        return try await provider.charge(
            ChargeRequest(
                orderId: order.orderId, playerId: order.playerId, amount: amount,
                paymentMethod: order.paymentMethod))
    }

    private func conclude(
        _ order: OrderID, _ verdict: SettlementsRepository.Verdict, _ context: JobContext
    ) async throws {
        let state = try await repository.settlements.conclude(
            order, verdict, jobId: context.id.rawValue, token: context.token, at: clock())
        guard state == .review else {
            context.logger.debug(
                "order verified", metadata: ["order": "\(order)", "state": "\(state?.rawValue ?? "-")"])
            return
        }
        context.logger.warning(
            "an order needs a review",
            metadata: ["order": "\(order)", "reason": "\(verdict.reason ?? "amount")"])
    }

    /// The job will not run again: a person has to find out whether the order was charged.
    private func giveUp(_ job: VerifyPayment?, _ context: JobContext, _ bury: Bury) async throws {
        let named = context.id.rawValue.dropFirst(VerifyPayment.jobId(of: OrderID("")).rawValue.count)
        guard let order = job?.orderId ?? OrderID(rawValue: String(named)) else { return }
        try await conclude(
            order, .review(reason: "the verification was given up: \(bury.message)", reference: nil),
            context)
    }
}
