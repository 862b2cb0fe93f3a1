import Foundation
import GameModel

/// What a worker does with the jobs of one kind.
///
/// A handler that returns has completed its job. One that throws fails the attempt; `Bury` and `Snooze` say
/// otherwise. When its task is cancelled (the lease is lost, or the worker stops) it should end soon; what it did may
/// be done again.
public struct JobHandler: Sendable {
    /// Tells that a job is buried: the job (`nil` where its payload does not decode), its attempt, and why. Called
    /// before the job is moved, so that it happens even if this worker dies then; therefore it may be called twice
    /// for one job. What no handler ended (`crashed`, `expired`) is told, once, to the worker that found it. A burial
    /// by hand is not told.
    public typealias BuryHook<J: Job> = @Sendable (J?, JobContext, Bury) async throws -> Void

    package let kind: String
    /// The newest version of the payload that it reads.
    package let payloadVersion: Int
    /// How many jobs one call takes at most.
    package let limit: Int
    package let backoff: Backoff
    package private(set) var policy: RetryPolicy?
    package let run: @Sendable ([HandlerInput]) async -> [JobOutcome]
    package let onBury: (@Sendable (HandlerInput, Bury) async throws -> Void)?

    /// Runs each job by itself, several at once.
    public static func each<J: Job>(
        _ type: J.Type, onBury: BuryHook<J>? = nil, _ body: @escaping @Sendable (J, JobContext) async throws -> Void
    ) -> JobHandler {
        JobHandler(type, limit: 1, onBury: onBury) { inputs in
            var outcomes: [JobOutcome] = []
            for input in inputs {
                switch decode(type, input) {
                case .failure(let bury): outcomes.append(.buried(bury))
                case .success(let job):
                    do {
                        try await JobSpan.run(input) { try await body(job, input.context) }
                        outcomes.append(.completed)
                    } catch {
                        outcomes.append(input.outcome(error))
                    }
                }
            }
            return outcomes
        }
    }

    /// Runs up to `limit` jobs in one call: those that are ready together, never waiting for more.
    /// - Parameter body: returns the errors of single jobs, by id; the others are completed. Throwing fails them all.
    public static func batch<J: Job>(
        _ type: J.Type, limit: Int, onBury: BuryHook<J>? = nil,
        _ body: @escaping @Sendable ([(J, JobContext)]) async throws -> [JobID: any Error]
    ) -> JobHandler {
        JobHandler(type, limit: max(1, limit), onBury: onBury) { inputs in
            var outcomes = [JobOutcome](repeating: .completed, count: inputs.count)
            var jobs: [(J, JobContext)] = []
            var places: [Int] = []
            for (place, input) in inputs.enumerated() {
                switch decode(type, input) {
                case .failure(let bury): outcomes[place] = .buried(bury)
                case .success(let job):
                    jobs.append((job, input.context))
                    places.append(place)
                }
            }
            guard !jobs.isEmpty else { return outcomes }
            do {
                let errors = try await JobSpan.run(places.map { inputs[$0] }) { try await body(jobs) }
                for place in places {
                    if let error = errors[inputs[place].context.id] { outcomes[place] = inputs[place].outcome(error) }
                }
            } catch {
                for place in places { outcomes[place] = inputs[place].outcome(error) }
            }
            return outcomes
        }
    }

    /// The same handler with a retry policy of your own, asked with the error of each failed attempt that neither
    /// buried nor snoozed its job, nor took too long.
    public func retrying(_ policy: @escaping RetryPolicy) -> JobHandler {
        var handler = self
        handler.policy = policy
        return handler
    }

    private init<J: Job>(
        _ type: J.Type, limit: Int, onBury: BuryHook<J>?,
        run: @escaping @Sendable ([HandlerInput]) async -> [JobOutcome]
    ) {
        kind = J.kind
        payloadVersion = J.payloadVersion
        self.limit = limit
        backoff = J.options.backoff
        self.run = run
        if let onBury {
            self.onBury = { input, bury in
                switch Self.decode(type, input) {
                case .success(let job): try await onBury(job, input.context, bury)
                case .failure: try await onBury(nil, input.context, bury)
                }
            }
        } else {
            self.onBury = nil
        }
    }

    private static func decode<J: Job>(_ type: J.Type, _ input: HandlerInput) -> Result<J, Bury> {
        do {
            return .success(try J.read(input.payload, version: input.payloadVersion))
        } catch {
            return .failure(Bury((error as? Bury)?.message ?? "\(error)", reason: .undecodable))
        }
    }
}

extension Job {
    /// Reads a payload of this version or an older one.
    package static func read(_ payload: [UInt8], version: Int) throws -> Self {
        var payload = payload
        for older in version..<max(version, payloadVersion) { payload = try upcast(payload, from: older) }
        return try JobJSON.decoder.decode(Self.self, from: Data(payload))
    }
}

/// One leased job as a handler's untyped form takes it.
package struct HandlerInput: Sendable {
    let payload: [UInt8]
    let payloadVersion: Int
    package let context: JobContext
    let policy: RetryPolicy?
    let trace: [String: String]

    package init(
        payload: [UInt8], payloadVersion: Int, context: JobContext, policy: RetryPolicy?, trace: [String: String]
    ) {
        self.payload = payload
        self.payloadVersion = payloadVersion
        self.context = context
        self.policy = policy
        self.trace = trace
    }

    func outcome(_ error: any Error) -> JobOutcome {
        JobOutcome(error, cancelled: Task.isCancelled, policy: policy, context: context)
    }
}
