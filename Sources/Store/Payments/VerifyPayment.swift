import GameModel
import Jobs
import Records

/// The job that has an order charged and writes its verdict. Owed by the outbox from the moment the order is accepted.
public struct VerifyPayment: Job {
    public static let kind = "store.verify-payment"
    public static let queue = QueueName("verify")
    /// Attempts are for faults of our own; while the provider is away the handler snoozes, which uses none up. Workers
    /// may die as often: an order is money, and never given up because of a machine.
    public static let options = JobOptions(
        maxAttempts: 1000,
        backoff: .exponential(base: .milliseconds(500), cap: .seconds(30), jitter: 0.2),
        maxCrashes: 1000)

    public let orderId: OrderID

    public init(orderId: OrderID) { self.orderId = orderId }

    /// One job per order: while it lives, a second one is not enqueued.
    public static func jobId(of order: OrderID) -> JobID { JobID("verify-payment.\(order)") }

    static func owed(for order: OrderID, at now: Instant) throws -> OutboxEntry {
        let job = try EncodedJob(VerifyPayment(orderId: order), id: jobId(of: order))
        return OutboxEntry(
            jobId: job.id.rawValue, queue: queue.rawValue, kind: job.kind, payload: job.payload,
            createdAt: now.milliseconds)
    }
}

/// The job that asks the provider what became of an order's charge, and books it: a refund that was asked for here, one
/// made at the provider, a chargeback. It also makes a refund that was asked for.
public struct SettleOrder: Job {
    public static let kind = "store.settle-order"
    public static let queue = VerifyPayment.queue
    public static let options = VerifyPayment.options
    public let orderId: OrderID
    /// What made it necessary: `refund`, the id of a provider's event, or a reconciliation.
    public let cause: String

    public init(orderId: OrderID, cause: String) {
        self.orderId = orderId
        self.cause = cause
    }

    public static func jobId(of order: OrderID, cause: String) -> JobID { JobID("settle-order.\(order).\(cause)") }

    /// - Parameter cause: each is settled once: a refund that is asked for again after one was refused has another.
    static func owed(for order: OrderID, cause: String, at now: Instant) throws -> OutboxEntry {
        let job = try EncodedJob(
            SettleOrder(orderId: order, cause: cause), id: jobId(of: order, cause: cause))
        return OutboxEntry(
            jobId: job.id.rawValue, queue: queue.rawValue, kind: job.kind, payload: job.payload,
            createdAt: now.milliseconds)
    }
}
