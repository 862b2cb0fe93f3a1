import CoreMetrics
import Metrics

/// What a worker counts; labels are the queue's name alone, so that their number is bounded.
struct WorkerMetrics: Sendable {
    let completed: Counter
    let retried: Counter
    let buried: Counter
    let released: Counter
    /// Settlements that Redis refused: the lease was lost first.
    let refused: Counter
    let lostLeases: Counter
    /// Jobs handed back because no handler of this worker knows their kind: a deployment is missing or late.
    let unknownKind: Counter
    let runSeconds: Timer

    init(queue: QueueName) {
        let labels = [("queue", queue.rawValue)]
        func counter(_ name: String) -> Counter { Counter(label: "jobs_\(name)_total", dimensions: labels) }
        completed = counter("completed")
        retried = counter("retried")
        buried = counter("buried")
        released = counter("released")
        refused = counter("settle_refused")
        lostLeases = counter("leases_lost")
        unknownKind = counter("unknown_kind")
        runSeconds = Timer(label: "jobs_run_seconds", dimensions: labels, preferredDisplayUnit: .seconds)
    }

    func count(_ verb: Settlement.Verb) {
        switch verb {
        case .complete: completed.increment()
        case .retry: retried.increment()
        case .bury: buried.increment()
        case .release: released.increment()
        }
    }
}
