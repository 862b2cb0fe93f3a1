import GameModel
import Jobs
import Logging

/// Asks the provider what became of an order's charge after its verdict, and books the difference to what the order
/// knows; makes a refund that was asked for here.
///
/// Promises: what is booked is what the provider says now, never what an event or an earlier answer said, so that
/// events may come twice and in any order; a refund is made once (one idempotency key per asking); a refund that the
/// provider refuses leaves the order paid, with a flag. A charge that turns up for an order that was declined goes
/// back to the player. Nothing is written when the order was changed while the provider was asked: it is asked again.
public struct SettleOrderHandler: Sendable {
    private let repository: StoreRepository
    private let providers: [String: any PaymentProvider]
    private let clock: @Sendable () -> Instant

    /// - Parameter providers: each by its own name.
    public init(
        repository: StoreRepository, providers: [any PaymentProvider],
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.providers = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.clock = clock
    }

    /// For the worker of the queue ``SettleOrder/queue``.
    public var handler: JobHandler {
        JobHandler.each(
            SettleOrder.self,
            onBury: { job, context, bury in try await giveUp(job, context, bury) },
            { job, context in try await settle(job, context) })
    }

    private func settle(_ job: SettleOrder, _ context: JobContext) async throws {
        let order = try await repository.settlements.beginSettling(job.orderId, attempt(context))
        guard let order else { return }
        // Its own job brings the verdict about.
        guard !order.state.isOpen else { throw Snooze(pause(since: order.createdAt, atMost: 30)) }
        guard let provider = order.provider.flatMap({ providers[$0] }) else {
            context.logger.error(
                "an order waits for a provider that is not configured",
                metadata: ["order": "\(order.orderId)", "provider": "\(order.provider ?? "")"])
            throw Snooze(.seconds(60))
        }
        guard let finding = await finding(on: order, for: job, provider, context.logger) else {
            throw Snooze(pause(since: order.refundRequestedAt ?? order.updatedAt, atMost: 300))
        }
        switch try await repository.settlements.settle(order, with: finding, attempt(context)) {
        case .moved: throw Snooze(.milliseconds(Int64.random(in: 50...200)))
        case .done(let settled): report(settled, since: order, finding, context.logger)
        }
    }

    /// `nil` where the provider is away, or has not decided yet.
    private func finding(
        on order: Order, for job: SettleOrder, _ provider: any PaymentProvider, _ logger: Logger
    ) async -> SettlementsRepository.Finding? {
        do {
            switch try await provider.outcome(of: order) {
            case .succeeded(let charge): return try await refunded(charge, order, job, provider)
            case .undecided: return nil
            case .declined, nil: return SettlementsRepository.Finding()
            }
        } catch {
            let level: Logger.Level = if case .unauthorized = error { .error } else { .warning }
            logger.log(level: level, "\(error)", metadata: ["order": "\(order.orderId)"])
            return nil
        }
    }

    /// Makes the refund that is due, and looks at the charge again: what is booked is the charge, not the answer.
    private func refunded(
        _ charge: Charge, _ order: Order, _ job: SettleOrder, _ provider: any PaymentProvider
    ) async throws(PaymentError) -> SettlementsRepository.Finding? {
        guard let amount = due(charge, order) else { return SettlementsRepository.Finding(charge: charge) }
        var finding = SettlementsRepository.Finding()
        switch try await refund(
            RefundRequest(
                reference: charge.reference, orderId: order.orderId, amount: amount,
                attempt: Self.attemptName(of: order, job)), by: provider)
        {
        case .succeeded(let name): finding.refundName = name
        case .undecided: return nil
        case .refused(let code): finding.refusal = code
        }
        guard case .succeeded(let now) = try await provider.charge(reference: charge.reference) else { return nil }
        finding.charge = now
        let isBack = now.refundedMinorUnits > charge.refundedMinorUnits || now.isDisputed
        // Made, but not yet to be seen.
        guard isBack || finding.refusal != nil else { return nil }
        // Refused because somebody gave it back in this moment: that is no refusal.
        if isBack { finding.refusal = nil }
        return finding
    }

    /// The asking that a refund answers: a person's, by its time, or for a declined order this very job, so that a
    /// later one tries again what failed.
    private static func attemptName(of order: Order, _ job: SettleOrder) -> String {
        order.refundRequestedAt.map { String($0.milliseconds) } ?? String(FieldDigest.of([job.cause]).prefix(16))
    }

    /// What is to be given back: all that is left of a charge whose refund was asked for, or whose order was declined.
    /// What the player's bank took back is not given back as well.
    private func due(_ charge: Charge, _ order: Order) -> Money? {
        let isWanted = order.refundRequestedAt != nil && (order.state == .paid || order.state == .review)
        let left = charge.minorUnits - charge.refundedMinorUnits
        guard isWanted || order.state == .declined, charge.orderId == order.orderId, left > 0, !charge.isDisputed else {
            return nil
        }
        return Currency(rawValue: charge.currency).map { Money(minorUnits: left, currency: $0) }
    }

    private func refund(
        _ request: RefundRequest, by provider: any PaymentProvider
    ) async throws(PaymentError) -> RefundOutcome {
        do {
            return try await provider.refund(request)
        } catch {
            guard case .refused(let code, _) = error else { throw error }
            return .refused(code: code)
        }
    }

    private func report(
        _ settled: Order?, since order: Order, _ finding: SettlementsRepository.Finding, _ logger: Logger
    ) {
        guard let settled else { return }
        let isUnusual = settled.flag != order.flag || settled.state == .chargedBack && order.state == .paid
        logger.log(
            level: isUnusual ? .warning : .info, isUnusual ? "an order needs a look" : "order settled",
            metadata: [
                "order": "\(order.orderId)", "state": "\(settled.state.rawValue)",
                "refunded": "\(settled.refunded)", "flag": "\(settled.flag ?? "-")",
            ])
    }

    /// A quarter of the time that it waits already, from 0.5 s on; spread by ± 20 %.
    private func pause(since begin: Instant, atMost seconds: Double) -> Duration {
        let wait = min(max((clock() - begin).inSeconds / 4, 0.5), seconds)
        return .milliseconds(Int64(wait * Double.random(in: 800...1200)))
    }

    private func attempt(_ context: JobContext) -> SettlementsRepository.Attempt {
        SettlementsRepository.Attempt(jobId: context.id.rawValue, token: context.token, at: clock())
    }

    /// The job will not run again: a person has to look at the order.
    private func giveUp(_ job: SettleOrder?, _ context: JobContext, _ bury: Bury) async throws {
        guard let job else { return }
        let reason = "its settlement was given up: \(bury.message)"
        try await repository.settlements.giveUpSettling(job.orderId, reason: reason, attempt(context))
        context.logger.error("\(reason)", metadata: ["order": "\(job.orderId)"])
    }
}
