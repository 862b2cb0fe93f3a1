import GameModel
import Jobs
import Logging

/// Has an order charged and writes the verdict: the one place where money is asked for and products are granted.
///
/// Promises: however often it runs, and however many run at once, the provider charges once (one idempotency key per
/// order) and the verdict is written once, with its ledger transfer and its entitlement, in one transaction. While
/// the provider gives no verdict, the job comes back. What doesn't fit is never granted: it goes to `review`. Past the
/// time-out nothing is charged any more: the truth is looked up, what is undecided is cancelled, and the order ends as
/// that demands.
public struct VerifyPaymentHandler: Sendable {
    /// How long an order may be charged, unless said otherwise.
    public static let timeOut: Duration = .seconds(23 * 3600)
    /// How long after the time-out a call that was made just before it may still bring a charge about: several times
    /// what one call may take.
    static let grace: Duration = .seconds(300)
    /// How old an order is when an outage is no longer taken at its word: Stripe repeats a saved failure for a day,
    /// also where it charged.
    static let doubt: Duration = .seconds(300)
    /// How long before a provider forgets an order's idempotency key it is charged for the last time: a call after it
    /// could charge a second time.
    static let margin: Duration = .seconds(3600)

    private let repository: StoreRepository
    private let providers: [String: any PaymentProvider]
    private let timeOut: Duration
    private let clock: @Sendable () -> Instant

    /// - Parameters:
    ///   - providers: those that may charge, each by its own name.
    ///   - timeOut: for how long after it was placed an order may be charged; an hour less than its provider's
    ///     ``PaymentProvider/keysKept`` at most.
    public init(
        repository: StoreRepository, providers: [any PaymentProvider],
        timeOut: Duration = VerifyPaymentHandler.timeOut, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.providers = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.timeOut = timeOut
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
        let order = try await repository.settlements.beginVerifying(job.orderId, attempt(context))
        guard let order else { return }
        guard let verdict = try await verdict(on: order, context.logger) else { throw Snooze(pause(for: order)) }
        try await conclude(order.orderId, verdict, context)
    }

    /// `nil` while there is none.
    private func verdict(on order: Order, _ logger: Logger) async throws -> SettlementRules.Verdict? {
        guard let provider = order.provider.flatMap({ providers[$0] }) else {
            return .review(
                reason: "no provider named '\(order.provider ?? "")' is configured", reference: order.providerReference)
        }
        do {
            let late = clock() - order.createdAt - timeOut(at: provider)
            guard late < .zero else { return try await verdict(on: order, provider, late: late) }
            return try await judged(try await final(try await asked(order, provider), provider), order)
        } catch PaymentError.refused(let code, let message) {
            return .review(reason: "\(code): \(message)", reference: order.providerReference)
        } catch let error as PaymentError {
            let level: Logger.Level = if case .unauthorized = error { .error } else { .warning }
            logger.log(level: level, "\(error)", metadata: ["order": "\(order.orderId)"])
            return nil
        }
    }

    /// A charge whose name is known is looked up: repeating the call that made it would repeat its first answer, for
    /// good. A name that the provider doesn't know (a webhook brought it) is passed over.
    private func asked(_ order: Order, _ provider: any PaymentProvider) async throws(PaymentError) -> ChargeOutcome {
        if let reference = order.providerReference, let outcome = try await provider.known(reference) { return outcome }
        guard let amount = order.money else {
            throw .refused(code: "not_money", message: "the order is not of a real currency")
        }
        let request = ChargeRequest(
            orderId: order.orderId, playerId: order.playerId, amount: amount, paymentMethod: order.paymentMethod)
        do {
            return try await provider.charge(request)
        } catch {
            guard case .unavailable = error, clock() - order.createdAt >= Self.doubt,
                provider.listingLag < Self.doubt, let charge = try await provider.listed(for: order)
            else { throw error }
            return .succeeded(charge)
        }
    }

    /// A decline that can't turn into a charge any more: a payment that waits for the player is cancelled first.
    private func final(
        _ outcome: ChargeOutcome, _ provider: any PaymentProvider
    ) async throws(PaymentError) -> ChargeOutcome {
        guard case .declined(_, let reference?) = outcome else { return outcome }
        do {
            try await provider.cancel(reference: reference)
            return outcome
        } catch {
            // It was decided in that moment, or can't be undone.
            guard case .refused = error else { throw error }
            return try await provider.known(reference) ?? outcome
        }
    }

    /// The end of an order whose time is over, as the truth demands; nothing is charged any more.
    private func verdict(
        on order: Order, _ provider: any PaymentProvider, late: Duration
    ) async throws -> SettlementRules.Verdict? {
        switch try await provider.outcome(of: order) {
        case .undecided(let reference):
            do {
                try await provider.cancel(reference: reference)
                return .declined(code: SettlementRules.timedOut, reference: reference)
            } catch PaymentError.refused(let code, let message) {
                // It was decided in that moment, or it can't be undone.
                guard let outcome = try await provider.known(reference),
                    let verdict = try await judged(outcome, order)
                else {
                    return .review(
                        reason: "not decided in time, and can't be cancelled: \(code): \(message)", reference: reference
                    )
                }
                return verdict
            }
        case .some(let outcome): return try await judged(outcome, order)
        case nil:
            guard late >= Self.grace + provider.listingLag else { return nil }
            return .declined(code: SettlementRules.timedOut, reference: order.providerReference)
        }
    }

    private func judged(_ outcome: ChargeOutcome, _ order: Order) async throws -> SettlementRules.Verdict? {
        switch outcome {
        case .succeeded(let charge): return SettlementRules.verdict(on: order, of: charge)
        case .declined(let code, let reference): return .declined(code: code, reference: reference)
        case .undecided(let reference):
            try await repository.settlements.note(reference: reference, of: order.orderId, at: clock())
            return nil
        }
    }

    /// The longer the provider leaves an order waiting, the longer the pause: a quarter of its age, 0.5 to 30 seconds,
    /// and a minute past the time-out, when each look may go through many charges.
    ///
    /// Pauses are spread by ± 20 %, so that a provider that comes back is not asked by all orders at once.
    private func pause(for order: Order) -> Duration {
        let age = clock() - order.createdAt
        let end = order.provider.flatMap { providers[$0] }.map { timeOut(at: $0) } ?? timeOut
        let seconds = age < end ? min(max(age.inSeconds / 4, 0.5), 30) : 60
        return .milliseconds(Int64(seconds * Double.random(in: 800...1200)))
    }

    private func timeOut(at provider: any PaymentProvider) -> Duration {
        min(timeOut, provider.keysKept - Self.margin)
    }

    private func attempt(_ context: JobContext) -> SettlementsRepository.Attempt {
        SettlementsRepository.Attempt(jobId: context.id.rawValue, token: context.token, at: clock())
    }

    private func conclude(_ id: OrderID, _ verdict: SettlementRules.Verdict, _ context: JobContext) async throws {
        guard let order = try await repository.settlements.conclude(id, verdict, attempt(context)) else { return }
        let isUnusual = order.state == .review || order.flag != nil
        context.logger.log(
            level: isUnusual ? .warning : .debug, isUnusual ? "an order needs a review" : "order verified",
            metadata: [
                "order": "\(id)", "state": "\(order.state.rawValue)", "reason": "\(order.reason ?? "-")",
                "flag": "\(order.flag ?? "-")",
            ])
    }

    /// The job will not run again: a person has to find out whether the order was charged.
    private func giveUp(_ job: VerifyPayment?, _ context: JobContext, _ bury: Bury) async throws {
        let named = context.id.rawValue.dropFirst(VerifyPayment.jobId(of: OrderID("")).rawValue.count)
        guard let order = job?.orderId ?? OrderID(rawValue: String(named)) else { return }
        try await conclude(
            order, .review(reason: "the verification was given up: \(bury.message)", reference: nil), context)
    }
}
