import GameModel

/// One job as an operator sees it. What does not apply, or is not known of a job in this state, is `nil`.
public struct JobRecord: Sendable, Hashable, Codable {
    /// What the handler said last of how far it is.
    public struct Progress: Sendable, Hashable, Codable {
        /// 0 to 1.
        public var fraction: Double
        public var text: String
        public var at: Instant
    }

    public var id: JobID
    public var queue: QueueName
    public var state: JobState
    /// `?` where the envelope is of a form that this version can't read.
    public var kind: String
    /// 0 to 3, lower first.
    public var priority: Int?
    /// By which limits are counted.
    public var key: String?
    public var uniqueKey: String?
    /// The job that waits for this one.
    public var callback: JobID?
    public var enqueuedAt: Instant?
    /// Which attempt runs, or was the last; 0 before the first.
    public var attempt = 0
    public var maxAttempts: Int?
    /// Attempts whose worker vanished.
    public var crashes = 0
    /// When a scheduled job may run.
    public var dueAt: Instant?
    /// When the last lease was taken.
    public var leasedAt: Instant?
    /// When the lease of a leased job runs out; in the past where it ran out and was not reaped yet.
    public var leaseEndsAt: Instant?
    /// Who has it, or had it last.
    public var worker: String?
    /// Why it is dead: a `ReasonCode`, or one of a newer version.
    public var reason: String?
    /// What the last failed attempt said.
    public var error: String?
    public var buriedAt: Instant?
    public var completedAt: Instant?
    /// Until when the result is kept.
    public var keptUntil: Instant?
    /// A job that could only be started until then.
    public var startBefore: Instant?
    public var payloadVersion: Int?
    public var payloadBytes: Int?
    public var progress: Progress?
    /// Oldest first; the last `PastAttempt.keptMax` ones.
    public var history: [PastAttempt] = []
    /// Only where one job was asked for.
    public var payload: [UInt8]?
    public var result: [UInt8]?

    // Bytes are no good as JSON: who prints them knows in which form.
    private enum CodingKeys: CodingKey {
        case id, queue, state, kind, priority, key, uniqueKey, callback, enqueuedAt, attempt, maxAttempts, crashes
        case dueAt, leasedAt, leaseEndsAt, worker, reason, error, buriedAt, completedAt, keptUntil, startBefore
        case payloadVersion, payloadBytes, progress, history
    }

    /// What its age is counted from: its burial, its completion, or else when it was enqueued.
    public var since: Instant? { buriedAt ?? completedAt ?? enqueuedAt }
}

extension JobRecord {
    /// A job that lives or is dead.
    /// - Parameters:
    ///   - score: where its state has a time: due, lease expiry, burial; in ms.
    ///   - stored: its value in `attempts`.
    /// - Returns: `nil` where no such job is there, or what was read shows that it left the state meanwhile.
    init?(
        _ id: JobID, of queue: QueueName, in state: JobState, score: Double?, envelope bytes: [UInt8]?, stored: String?,
        progress: String?, keepsPayload: Bool
    ) {
        guard let bytes, !JobRecord.isTombstone(bytes) else { return nil }
        let stored = stored.flatMap { StoredState($0) }
        switch (state, stored?.flag) {
        case (.leased, .idle), (.leased, .dead), (.leased, nil): return nil
        case (.available, .leased), (.available, .leasedWithExtras), (.available, .dead): return nil
        case (.scheduled, .leased), (.scheduled, .leasedWithExtras), (.scheduled, .dead): return nil
        default: break
        }
        let envelope = Envelope(bytes)
        (self.id, self.queue, self.state) = (id, queue, state)
        kind = envelope?.kind ?? "?"
        priority = stored?.priority ?? envelope?.priority
        maxAttempts = stored?.maxAttempts ?? envelope?.maxAttempts
        payloadBytes = envelope?.payload.count ?? bytes.count
        if keepsPayload { payload = envelope?.payload ?? bytes }
        if let envelope { read(envelope) }
        if let stored { read(stored) }
        let time = score.map { Instant(milliseconds: Int64($0)) }
        switch state {
        case .scheduled: dueAt = time
        case .leased: leaseEndsAt = time
        case .dead: buriedAt = time
        case .available, .blocked, .completed: break
        }
        if state == .leased, let said = progress.flatMap({ JobProgress($0) }) {
            self.progress = Progress(fraction: said.fraction, text: said.text, at: said.at)
        }
    }

    private mutating func read(_ envelope: Envelope) {
        enqueuedAt = envelope.enqueuedAt
        key = envelope.words.key
        uniqueKey = envelope.words.uniqueKey
        callback = envelope.words.callback
        payloadVersion = envelope.words.payloadVersion
        startBefore = envelope.words.startWithin.map { envelope.enqueuedAt + $0 }
    }

    private mutating func read(_ stored: StoredState) {
        attempt = stored.attempt
        crashes = stored.crashes
        leasedAt = stored.leasedAt
        worker = stored.worker
        reason = stored.reason
        error = stored.error.isEmpty ? nil : stored.error
        history = stored.history
    }

    /// A completed job whose result is kept.
    init(_ result: JobResult, of queue: QueueName, keptUntil: Double?, keepsResult: Bool) {
        (id, self.queue, state, kind) = (result.id, queue, .completed, result.kind)
        completedAt = result.completedAt
        enqueuedAt = result.enqueuedAt
        leasedAt = result.leasedAt
        attempt = result.attempt
        worker = result.worker == "-" ? nil : result.worker
        history = PastAttempt.list(result.history)
        self.keptUntil = keptUntil.map { Instant(milliseconds: Int64($0)) }
        if keepsResult { self.result = result.value }
    }

    /// Whether the bytes stand for a job that was cancelled while its place in a list could not be taken away.
    static func isTombstone(_ bytes: [UInt8]) -> Bool { bytes.first == UInt8(ascii: "x") }
}
