import GameModel
import Jobs
import Logging

/// The job that compares every provider's charges with the orders. A cron entry makes one a day.
public struct ReconcilePayments: Job {
    public static let kind = "store.reconcile"
    public static let queue = QueueName("reconcile")
    /// A comparison is repeated as a whole: attempts are few and far between.
    public static let options = JobOptions(
        maxAttempts: 8, backoff: .exponential(base: .seconds(30), cap: .seconds(1_800), jitter: 0.2),
        unique: Uniqueness("store.reconcile"))

    /// How far back charges and orders are compared.
    public let days: Int

    public init(days: Int) { self.days = days }

    public static func entry(schedule: String, days: Int) throws -> CronEntry {
        // A day's tick that nobody was there for is made up for: once, however many passed.
        try CronEntry(
            name: CronName("store.reconcile"), schedule: schedule, job: ReconcilePayments(days: days), missed: .once)
    }
}

/// Runs ``ReconcilePayments``: one provider after the other, settling what can be settled; one that is away doesn't
/// keep the others from being compared.
public struct ReconcilePaymentsHandler: Sendable {
    private let reconciler: Reconciler
    private let providers: [any PaymentProvider]
    private let clock: @Sendable () -> Instant
    private let onReport: @Sendable (ReconciliationReport) -> Void

    /// - Parameter onReport: told of each report, for metrics.
    public init(
        reconciler: Reconciler, providers: [any PaymentProvider],
        clock: @escaping @Sendable () -> Instant = { .now },
        onReport: @escaping @Sendable (ReconciliationReport) -> Void = { _ in }
    ) {
        self.reconciler = reconciler
        self.providers = providers
        self.clock = clock
        self.onReport = onReport
    }

    /// For the worker of the queue ``ReconcilePayments/queue``.
    public var handler: JobHandler {
        JobHandler.each(ReconcilePayments.self) { job, context in
            var failure: (any Error)?
            for provider in providers {
                do {
                    let since = clock() - .seconds(job.days * 86_400)
                    let report = try await reconciler.run(with: provider, since: since, settling: true)
                    onReport(report)
                    Self.log(report, context.logger)
                } catch {
                    context.logger.error(
                        "charges could not be compared with orders: \(error)",
                        metadata: ["provider": "\(provider.name)"])
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    private static let loggedMax = 20

    private static func log(_ report: ReconciliationReport, _ logger: Logger) {
        for difference in report.differences.prefix(loggedMax) {
            logger.warning(
                "the provider and an order differ: \(difference.detail)",
                metadata: [
                    "kind": "\(difference.kind.rawValue)", "order": "\(difference.orderId?.rawValue ?? "-")",
                    "charge": "\(difference.reference ?? "-")",
                ])
        }
        logger.log(
            level: report.found == 0 ? .info : .warning, "charges were compared with orders",
            metadata: [
                "provider": "\(report.provider)", "charges": "\(report.charges)", "orders": "\(report.orders)",
                "differences": "\(report.found)",
            ])
    }
}
