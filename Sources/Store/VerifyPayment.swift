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
        maxAttempts: 1000, backoff: .exponential(base: .milliseconds(500), cap: .seconds(30), jitter: 0.2),
        maxCrashes: 1000)

    public let orderId: OrderID

    public init(orderId: OrderID) { self.orderId = orderId }

    /// One job per order: while it lives, a second one is not enqueued.
    public static func jobId(of order: OrderID) -> JobID { JobID("verify-payment.\(order)") }
}
