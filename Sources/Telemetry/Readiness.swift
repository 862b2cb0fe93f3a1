import Synchronization

/// Whether a thing that a process stands on lets it work.
public enum ReadinessState: Sendable, Hashable {
    case ready
    /// Not now, with the reason in words.
    case notReady(String)
}

/// What a process stands on, each asked when somebody wants to know: Redis answers, the queue is being fetched from.
///
/// A check that gives no answer in time counts as not ready; it must end when its task is cancelled.
public final class Readiness: Sendable {
    public typealias Check = @Sendable () async -> ReadinessState

    /// How long a check may take before it counts as not ready.
    public let checkTimeout: Duration
    private let checks = Mutex<[(name: String, check: Check)]>([])

    public init(checkTimeout: Duration = .seconds(2)) {
        self.checkTimeout = checkTimeout
    }

    /// Adds a check; one of the same name is replaced.
    public func register(_ name: String, check: @escaping @Sendable () async -> ReadinessState) {
        checks.withLock { checks in
            checks.removeAll { $0.name == name }
            checks.append((name, check))
        }
    }

    /// Asks all checks at once; their answers in the order they were registered in.
    public func report() async -> [(name: String, state: ReadinessState)] {
        let checks = checks.withLock { $0 }
        return await withTaskGroup(of: (Int, ReadinessState).self) { group in
            for (index, entry) in checks.enumerated() {
                group.addTask { (index, await self.bounded(entry.check)) }
            }
            var states = [ReadinessState](repeating: .notReady("not asked"), count: checks.count)
            for await (index, state) in group { states[index] = state }
            return zip(checks, states).map { ($0.name, $1) }
        }
    }

    /// The same as a value for JSON.
    public func summary() async -> ReadinessSummary {
        let checks = await report().map { name, state in
            switch state {
            case .ready: ReadinessSummary.Check(name: name, ready: true, reason: nil)
            case .notReady(let reason): ReadinessSummary.Check(name: name, ready: false, reason: reason)
            }
        }
        return ReadinessSummary(ready: checks.allSatisfy(\.ready), checks: checks)
    }

    private func bounded(_ check: @escaping Check) async -> ReadinessState {
        await withTaskGroup(of: ReadinessState?.self) { group in
            group.addTask { await check() }
            group.addTask { [checkTimeout] in
                do {
                    try await Task.sleep(for: checkTimeout)
                    return .notReady("no answer within \(checkTimeout)")
                } catch {
                    return nil
                }
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .notReady("the question was cancelled")
        }
    }
}

/// The answer of `/readyz`.
public struct ReadinessSummary: Sendable, Hashable, Codable {
    public struct Check: Sendable, Hashable, Codable {
        public let name: String
        public let ready: Bool
        /// Why not, in words.
        public let reason: String?
    }

    public let ready: Bool
    public let checks: [Check]
}
