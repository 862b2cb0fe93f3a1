/// Whether the queues move: functions of what was read, without a connection.
enum QueueChecks {
    /// A job that has waited longer is worth a word.
    static let oldestMsMax = 60_000

    static func all(_ queues: [QueueReading]) -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        if let broken = queues.first(where: { $0.failure != nil }), let failure = broken.failure {
            findings.append(
                .problem(
                    "queues", "\(broken.name) can't be read: \(failure)",
                    why: "what the doctor can't read, no worker can either",
                    remedy: "See the findings about the server's rights, role and scripts."))
        }
        let read = queues.filter { $0.failure == nil }
        findings += workers(read) + deadLetters(read) + waiting(read)
        return findings
    }

    static func workers(_ queues: [QueueReading]) -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        let alone = queues.filter { $0.running + $0.resting == 0 }
        let stuck = alone.filter { $0.waiting + $0.laterOrLeased > 0 }
        if !stuck.isEmpty {
            let names = stuck.map { "\($0.name) (\($0.waiting + $0.laterOrLeased) jobs\(silent($0)))" }
            findings.append(
                .problem(
                    "workers", "no live worker for \(names.joined(separator: ", "))",
                    why: "the jobs stay where they are", remedy: "Start the process that serves the queue."))
        }
        let resting = queues.filter { $0.running == 0 && $0.resting > 0 }
        if !resting.isEmpty {
            let names = resting.map(\.name).joined(separator: ", ")
            findings.append(
                .warning(
                    "workers", "all workers of \(names) are quiet or stopping", why: "no job of these queues is taken",
                    remedy: "muster workers resume --queue \(resting[0].name) --all"))
        }
        let idle = alone.filter { $0.waiting + $0.laterOrLeased == 0 && $0.enqueued > 0 }
        if !idle.isEmpty {
            findings.append(
                .warning(
                    "workers", "no live worker for \(idle.map(\.name).joined(separator: ", ")), which had jobs before",
                    why: "the next job stays where it is", remedy: "Start the process that serves the queue."))
        }
        if findings.isEmpty {
            let live = queues.reduce(0) { $0 + $1.running + $1.resting }
            findings.append(.ok("workers", "\(live) live, and every queue in use has one"))
        }
        return findings
    }

    static func deadLetters(_ queues: [QueueReading]) -> [DoctorFinding] {
        let growing = queues.filter { $0.buriedMeanwhile > 0 }
        let remedy = "See why: muster jobs dead ls; then muster jobs dead retry, or purge."
        if !growing.isEmpty {
            let names = growing.map { "\($0.name) (\($0.dead), \($0.buriedMeanwhile) more just now)" }
            return [
                .problem(
                    "dead", "dead letters grow: \(names.joined(separator: ", "))",
                    why: "each is a job that will not run again by itself; something breaks right now", remedy: remedy)
            ]
        }
        let some = queues.filter { $0.dead > 0 }
        guard !some.isEmpty else { return [.ok("dead", "no dead letters")] }
        return [
            .warning(
                "dead", "dead letters: \(some.map { "\($0.name) (\($0.dead))" }.joined(separator: ", "))",
                why: "each is a job that will not run again by itself", remedy: remedy)
        ]
    }

    static func waiting(_ queues: [QueueReading]) -> [DoctorFinding] {
        let late = queues.filter { ($0.oldestWaitingMs ?? 0) > oldestMsMax && $0.running > 0 }
        guard !late.isEmpty else { return [] }
        let names = late.map { "\($0.name) (\(Quantity.milliseconds($0.oldestWaitingMs ?? 0)))" }
        return [
            .warning(
                "waiting", "the oldest job waits for long: \(names.joined(separator: ", "))",
                why: "the workers don't keep up, or a limit or pause holds the queue",
                remedy: "muster jobs why tells of one job; start more workers, or raise their concurrency.")
        ]
    }

    private static func silent(_ queue: QueueReading) -> String {
        queue.silent == 0 ? "" : ", \(queue.silent) workers fell silent"
    }
}
