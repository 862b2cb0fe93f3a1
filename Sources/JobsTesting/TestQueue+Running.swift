import GameModel
import Jobs
import Logging

/// What a worker does, one step after the other.
extension TestQueue {
    /// Takes the next job that may run now, and runs its handler to the end.
    /// - Returns: what came of it; `nil` where no job may run now.
    @discardableResult
    public func runOne(_ handlers: [JobHandler]) async -> TestRun? {
        let (leased, buried) = reserve(1)
        if let entry = buried.first { return await tell(of: entry, handlers) }
        return await run(leased, handlers).first
    }

    /// Runs jobs until none may run now, those included that are enqueued meanwhile: one by one. Only a handler of
    /// batches gets as many at once as it takes, of those that wait together.
    /// - Parameter limit: so many runs at most, about.
    /// - Throws: `TestQueueError.neverDone` where jobs can still run after that; `CancellationError`.
    @discardableResult
    public func runAll(_ handlers: [JobHandler], limit: Int = 10_000) async throws -> [TestRun] {
        var runs: [TestRun] = []
        let atOnce = min(handlers.map(\.limit).max() ?? 1, 500)
        while true {
            try Task.checkCancellation()
            if runs.count >= limit, withModel({ $0.canTake }) { throw Self.neverDone(runs) }
            let (leased, buried) = reserve(atOnce)
            if leased.isEmpty, buried.isEmpty { return runs }
            for entry in buried { runs.append(await tell(of: entry, handlers)) }
            runs += await run(leased, handlers)
        }
    }

    private static func neverDone(_ runs: [TestRun]) -> TestQueueError {
        let most = Dictionary(grouping: runs, by: \.id).values.max { $0.count < $1.count } ?? []
        return .neverDone(
            runs: runs.count, kind: most.first?.kind ?? "", id: most.first?.id ?? JobID("-"), itsRuns: most.count)
    }

    // MARK: Taking

    private static let worker = "test"

    private func reserve(_ limit: Int) -> (leased: [QueueModel.Entry], buried: [QueueModel.Entry]) {
        let now = now
        return withState { state in
            while true {
                // As the scripts make it: the time in µs, and above any former one.
                state.lastToken = max(UInt64(max(now, 0)) * 1000, state.lastToken + 1)
                let left = state.model.forsaken.count
                let (taken, buried) = state.model.reserve(
                    limit: limit, expiry: .max, token: state.lastToken, worker: Self.worker, now: now)
                // Where only cancelled jobs had their turn, others may wait behind them.
                if taken.isEmpty, buried.isEmpty, state.model.forsaken.count < left { continue }
                return (taken.compactMap { state.model.jobs[$0] }, buried.compactMap { state.model.jobs[$0] })
            }
        }
    }

    // MARK: Running

    private func run(_ leased: [QueueModel.Entry], _ handlers: [JobHandler]) async -> [TestRun] {
        var runs: [TestRun] = []
        var kinds: [String] = []
        var byKind: [String: [QueueModel.Entry]] = [:]
        for entry in leased {
            let kind = entry.job.kind
            if let handler = Self.handler(kind, handlers), entry.job.payloadVersion <= handler.payloadVersion {
                if byKind[kind] == nil { kinds.append(kind) }
                byKind[kind, default: []].append(entry)
            } else {
                let verb = Settlement.Verb.release(after: JobWorkerConfiguration().unknownKindDelay)
                runs.append(TestRun(entry, settle(entry, verb, []) ? .handedBack : .refused))
            }
        }
        for kind in kinds {
            guard let handler = Self.handler(kind, handlers), let entries = byKind[kind] else { continue }
            for start in stride(from: 0, to: entries.count, by: handler.limit) {
                let chunk = entries[start..<min(start + handler.limit, entries.count)]
                // Another job's handler may have cancelled it since it was taken.
                let held = withModel { model in chunk.filter { model.holds($0.job.id, $0.token) } }
                if !held.isEmpty { runs += await run(held, handler) }
            }
        }
        return runs
    }

    private func run(_ chunk: [QueueModel.Entry], _ handler: JobHandler) async -> [TestRun] {
        let inputs = chunk.map { input($0, handler.policy) }
        let outcomes = await handler.run(inputs)
        var runs: [TestRun] = []
        for ((entry, input), outcome) in zip(zip(chunk, inputs), outcomes) {
            let options = entry.job.options
            let rules = AttemptRules(
                backoff: options.backoff == .standard ? handler.backoff : options.backoff,
                giveUpAfter: options.giveUpAfter)
            let verb = rules.verb(
                for: outcome, input.context, age: clock.now - Instant(milliseconds: entry.enqueuedAt),
                random: withState { Double.random(in: 0..<1, using: &$0.random) })
            if case .bury(let bury) = verb { await tell(handler, input, bury) }
            let isDone = settle(entry, verb, input.context.reports.result?.value ?? [])
            runs.append(TestRun(entry, isDone ? Self.end(verb, outcome) : .refused))
        }
        return runs
    }

    private static func handler(_ kind: String, _ handlers: [JobHandler]) -> JobHandler? {
        handlers.first { $0.kind == kind }
    }

    private func input(_ entry: QueueModel.Entry, _ policy: RetryPolicy? = nil) -> HandlerInput {
        let job = entry.job
        let reports = JobReports(
            progress: { [self] _, _, fraction, text in
                let (share, line) = JobProgress.wire(fraction, text)
                let words = "\(now) \(share) \(line)"
                return withModel { $0.note(words, of: job.id, token: entry.token) }
            },
            result: job.options.keepResult == nil ? nil : JobReports.Box())
        return HandlerInput(
            payload: job.payload, payloadVersion: job.payloadVersion,
            context: JobContext(
                id: job.id, kind: job.kind, queue: name, attempt: entry.attempt,
                maxAttempts: job.options.maxAttempts, token: entry.token,
                enqueuedAt: Instant(milliseconds: entry.enqueuedAt), leasedAt: Instant(milliseconds: entry.leasedAt),
                logger: logger, reports: reports),
            policy: policy, trace: job.trace)
    }

    // MARK: Ends

    /// - Returns: whether the lease was still this attempt's.
    private func settle(_ entry: QueueModel.Entry, _ verb: Settlement.Verb, _ value: [UInt8]) -> Bool {
        let (id, token, now) = (entry.job.id, entry.token, now)
        return withState { state in
            switch verb {
            case .complete:
                guard state.model.complete(id, token: token) else { return false }
                state.keep(entry, value, now)
                return true
            case .retry(let delay, let error):
                return state.model.retry(id, token: token, after: delay.milliseconds, error: error, now: now)
            case .bury(let bury): return state.model.bury(id, token: token, as: bury, now: now)
            case .release(let delay):
                return state.model.release(id, token: token, after: delay.milliseconds, now: now)
            }
        }
    }

    private static func end(_ verb: Settlement.Verb, _ outcome: JobOutcome) -> TestRun.End {
        switch verb {
        case .complete: .completed
        case .retry(let delay, let error): .failed(error, retryAfter: delay)
        case .bury(let bury): .buried(bury)
        case .release(let delay): outcome == .interrupted ? .handedBack : .snoozed(delay)
        }
    }

    /// The model has buried it already; only the hook is left to be told.
    private func tell(of entry: QueueModel.Entry, _ handlers: [JobHandler]) async -> TestRun {
        let bury = Bury(entry.error, reason: entry.reason ?? .handlerError)
        if let handler = Self.handler(entry.job.kind, handlers) { await tell(handler, input(entry), bury) }
        return TestRun(entry, .buried(bury))
    }

    private func tell(_ handler: JobHandler, _ input: HandlerInput, _ bury: Bury) async {
        do {
            try await handler.onBury?(input, bury)
        } catch {
            input.context.logger.error("the hook for buried jobs failed: \(error)")
        }
    }
}

extension TestRun {
    fileprivate init(_ entry: QueueModel.Entry, _ end: End) {
        self.init(id: entry.job.id, kind: entry.job.kind, attempt: entry.attempt, end: end)
    }
}

extension TestQueue.State {
    /// Keeps the record of a completed job, where its options say so.
    fileprivate mutating func keep(_ entry: QueueModel.Entry, _ value: [UInt8], _ now: Int64) {
        guard let time = entry.job.options.keepResult else { return }
        let history = entry.history.isEmpty ? "-" : entry.history.joined(separator: ",")
        let line =
            "\(now) \(entry.enqueuedAt) \(entry.leasedAt) \(entry.attempt) \(entry.worker ?? "-") \(entry.job.kind) "
            + history + "\n"
        guard let result = JobResult(id: entry.job.id, Array(line.utf8) + value) else { return }
        results[entry.job.id] = TestQueue.Kept(result: result, until: Instant(milliseconds: now) + time)
    }
}
