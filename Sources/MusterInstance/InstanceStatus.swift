import GameModel
import Synchronization
import Telemetry

/// What the next heartbeat says, and how the last ones went.
final class InstanceStatus: Sendable {
    private struct State {
        var standing = InstanceStanding.starting
        var port = 0
        var matches: Set<MatchID> = []
        var matchesPlayed = 0
        /// Heartbeats in a row that were not taken; `nil` before the first that was.
        var failures: Int?
        var lastOrder: FleetOrder?
    }

    private let configuration: InstanceClient.Configuration
    private let state = Mutex(State())

    init(configuration: InstanceClient.Configuration) { self.configuration = configuration }

    /// Draining is for good; so nothing follows it but being unhealthy, which also takes no matches.
    func set(_ standing: InstanceStanding, port: Int? = nil) {
        state.withLock { state in
            if let port { state.port = port }
            guard state.standing != .draining || standing == .unhealthy else { return }
            state.standing = standing
        }
    }

    var standing: InstanceStanding { state.withLock { $0.standing } }

    var matches: [MatchID] { state.withLock { $0.matches.sorted() } }

    func open(_ match: MatchID) { state.withLock { _ = $0.matches.insert(match) } }

    func close(_ match: MatchID) { state.withLock { _ = $0.matches.remove(match) } }

    /// A match was played to its end; `true` where that was the last that this instance is to take.
    func countPlayed() -> Bool {
        state.withLock { state in
            state.matchesPlayed += 1
            return configuration.matchesMax.map { state.matchesPlayed >= $0 } ?? false
        }
    }

    /// `nil` where there is nothing to say yet: no port that players could connect to.
    var heartbeat: HeartbeatBody? {
        state.withLock { state in
            guard state.port > 0 else { return nil }
            return HeartbeatBody(
                region: configuration.region, host: configuration.host, port: state.port,
                slots: state.standing == .ready ? configuration.slots : 0, build: configuration.build,
                matches: state.matches.sorted(), state: state.standing, matchesPlayed: state.matchesPlayed)
        }
    }

    /// The order where it is a new one, and whether the heartbeat is the first that was taken, or that again.
    func beatTaken(_ order: FleetOrder?) -> (order: FleetOrder?, isNews: Bool) {
        state.withLock { state in
            defer { (state.failures, state.lastOrder) = (0, order ?? state.lastOrder) }
            return (order == state.lastOrder ? nil : order, state.failures != 0)
        }
    }

    /// How many in a row failed by now.
    func beatFailed() -> Int {
        state.withLock { state in
            state.failures = state.failures.map { $0 + 1 }
            return state.failures ?? 0
        }
    }

    /// Ready once a heartbeat was taken, and no longer when three in a row were not.
    var readiness: ReadinessState {
        switch state.withLock({ $0.failures }) {
        case .none: .notReady("no heartbeat was taken yet")
        case .some(let count) where count >= 3: .notReady("\(count) heartbeats in a row failed")
        case .some: .ready
        }
    }
}
