import ArgumentParser
import Bench
import Jobs

/// `muster bench worker`: a worker process whose jobs leave a row each in a SQLite ledger, to try faults on.
struct BenchWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run a worker that notes each attempt and effect in a ledger, to try faults on.",
        discussion: """
            Runs the jobs of kind bench.ledger of one queue until it is told to stop. Any number of them may share a \
            queue and a ledger: kill some, stop some, and count the rows.

            Example:
              muster bench worker --redis redis://127.0.0.1:6379 --queue trial --ledger /tmp/trial.sqlite
            """)

    @Option(help: ArgumentHelp("Redis, in any form that 'muster config' takes.", valueName: "url"))
    var redis: String
    @Option(help: "The queue to take jobs from.") var queue: String
    @Option(help: ArgumentHelp("The SQLite file of attempts and effects; made where missing.", valueName: "file"))
    var ledger: String
    @Option(help: "Jobs at the same time.") var concurrency = 16
    @Option(help: "How long a job works, in ms.") var jobMs = 10
    @Option(help: "How long a lease lasts, in ms.") var leaseMs = 5_000

    func validate() throws {
        guard QueueName(rawValue: queue) != nil else {
            throw ValidationError("--queue takes 1 to 64 of a-z, 0-9, ':', '-', '.' and '_', not '\(queue)'.")
        }
        guard concurrency >= 1 else { throw ValidationError("--concurrency is 1 or more.") }
        guard jobMs >= 0 else { throw ValidationError("--job-ms is 0 or more.") }
        guard leaseMs >= 50 else { throw ValidationError("--lease-ms is 50 or more.") }
    }

    func run() async throws {
        var worker = LedgerWorker(redisURL: redis, queue: QueueName(queue), ledgerPath: ledger)
        worker.concurrency = concurrency
        worker.work = .milliseconds(jobMs)
        worker.lease = .milliseconds(leaseMs)
        try await worker.run()
    }
}
