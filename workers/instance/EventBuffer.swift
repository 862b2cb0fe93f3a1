import GameModel
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Events on their way to the API: lossy by design, and what was lost is counted.
///
/// A match never waits for it: past the bound, new events are dropped.
final class EventBuffer: Sendable {
    static let eventsMax = 20_000
    /// The most events that one request carries (the API's limit).
    static let batchMax = 500

    private struct State {
        var events: [GameEvent] = []
        var dropped = 0
    }

    private let state = Mutex(State())
    private let dropCounter = Counter(label: "instance_events_dropped_total")

    var count: Int { state.withLock { $0.events.count } }
    var dropped: Int { state.withLock { $0.dropped } }

    func append(_ event: GameEvent) {
        let isFull = state.withLock { state in
            guard state.events.count < Self.eventsMax else {
                state.dropped += 1
                return true
            }
            state.events.append(event)
            return false
        }
        if isFull { dropCounter.increment() }
    }

    /// The oldest events, at most one batch; they are the caller's now.
    func take() -> [GameEvent] {
        state.withLock { state in
            let batch = Array(state.events.prefix(Self.batchMax))
            state.events.removeFirst(batch.count)
            return batch
        }
    }

    func countDropped(_ count: Int) {
        state.withLock { $0.dropped += count }
        dropCounter.increment(by: count)
    }
}

/// Sends the buffered events to the API in batches; a batch that fails twice is dropped and counted.
struct EventPump: Service {
    let buffer: EventBuffer
    let api: InstanceAPI
    let logger: Logger
    var interval: Duration = .milliseconds(250)

    func run() async throws {
        // Ends with the first cancellation; what is in the buffer then is sent once.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if buffer.count < EventBuffer.batchMax {
                    do { try await Task.sleep(for: interval) } catch { break }
                }
                await sendBatch()
            }
        }
        while !Task.isCancelled, buffer.count > 0 { guard await sendBatch() else { break } }
        buffer.countDropped(buffer.count)
    }

    /// Whether the batch was taken, or there was none.
    @discardableResult
    private func sendBatch() async -> Bool {
        let batch = buffer.take()
        guard !batch.isEmpty else { return true }
        for attempt in 1...2 {
            do {
                try await api.events(batch)
                return true
            } catch {
                guard attempt == 1, error.isWorthRetrying else {
                    buffer.countDropped(batch.count)
                    logger.warning(
                        "events dropped", metadata: ["count": "\(batch.count)", "error": "\(error)"])
                    return false
                }
            }
            do { try await Task.sleep(for: .milliseconds(500)) } catch { continue }
        }
        return false
    }
}
