import GameModel
import Synchronization

/// What all tickets of a pool share.
struct PoolFigures: Sendable, Hashable {
    var waiting: Int
    var estimate: WaitEstimate?
}

/// What a process remembers between two requests of waiting clients, so that asking again soon costs Redis nothing. It
/// is bounded, and to lose it costs a few calls.
final class WaitingClients: Sendable {
    /// The most tickets whose last sign of life is remembered.
    static let touchesMax = 50_000
    /// How old the figures of a pool may be.
    static let figuresAge = Duration.seconds(1)

    private struct State {
        var touches: [TicketID: ContinuousClock.Instant] = [:]
        var figures: [Pool: (at: ContinuousClock.Instant, figures: PoolFigures)] = [:]
    }

    private let state = Mutex(State())

    /// Whether a sign of life is to be written now; it counts as written from then on.
    func isTouchDue(_ id: TicketID, every interval: Duration, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if let last = state.touches[id], now - last < interval { return false }
            if state.touches.count >= Self.touchesMax {
                state.touches = state.touches.filter { now - $0.value < interval }
                // All of them fresh: to write some of them twice is better than to remember ever more.
                if state.touches.count >= Self.touchesMax { state.touches.removeAll(keepingCapacity: true) }
            }
            state.touches[id] = now
            return true
        }
    }

    func forgetTouch(_ id: TicketID) { state.withLock { $0.touches[id] = nil } }

    var touchCount: Int { state.withLock { $0.touches.count } }

    func figures(of pool: Pool, at now: ContinuousClock.Instant) -> PoolFigures? {
        state.withLock { state in
            guard let known = state.figures[pool], now - known.at < Self.figuresAge else { return nil }
            return known.figures
        }
    }

    func keep(_ figures: PoolFigures, of pool: Pool, at now: ContinuousClock.Instant) {
        state.withLock { $0.figures[pool] = (now, figures) }
    }
}
