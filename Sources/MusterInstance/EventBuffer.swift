import GameModel
import Logging
import Metrics
import Synchronization

/// Events on their way to the API: lossy by design, and what was lost is counted.
///
/// A match never waits for it: past the bound, new events are dropped. A batch that the API does not take in two
/// attempts is dropped too; one that it refuses is halved until the refused events are alone, so that one bad event
/// costs no good ones.
final class EventBuffer: Sendable {
    static let eventsMax = 20_000
    /// The most events that one request carries (the API's limit).
    static let batchMax = 500

    private struct State {
        var events: [InstanceEvent] = []
        var dropped = 0
    }

    private let state = Mutex(State())
    private let dropCounter = Counter(label: "instance_events_dropped_total")

    var count: Int { state.withLock { $0.events.count } }
    var dropped: Int { state.withLock { $0.dropped } }

    func append(_ event: InstanceEvent) {
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

    /// Sends what is there every interval, sooner while there is a whole batch, until cancelled.
    func pump(to api: InstanceAPI, every interval: Duration, logger: Logger) async {
        while !Task.isCancelled {
            if count < Self.batchMax {
                do { try await Task.sleep(for: interval) } catch { return }
            }
            await send(take(), to: api, attempts: 2, logger: logger)
        }
    }

    /// Sends all that is left, for the end; gives up with the first batch that is not taken.
    func flush(to api: InstanceAPI, logger: Logger) async {
        while count > 0 {
            guard await send(take(), to: api, attempts: 1, logger: logger) else { break }
        }
        countDropped(take(count).count)
    }

    /// The oldest events; they are the caller's now.
    private func take(_ most: Int = batchMax) -> [InstanceEvent] {
        state.withLock { state in
            let batch = Array(state.events.prefix(most))
            state.events.removeFirst(batch.count)
            return batch
        }
    }

    private func countDropped(_ count: Int) {
        state.withLock { $0.dropped += count }
        dropCounter.increment(by: count)
    }

    /// Whether the API can be sent more.
    @discardableResult
    private func send(_ batch: [InstanceEvent], to api: InstanceAPI, attempts: Int, logger: Logger) async -> Bool {
        guard !batch.isEmpty else { return true }
        do {
            try await api.events(batch)
            return true
        } catch {
            if case .refused(let status, _) = error, [400, 413, 422].contains(status), batch.count > 1 {
                let half = batch.count / 2
                let isFirstTaken = await send(
                    Array(batch.prefix(half)), to: api, attempts: attempts, logger: logger)
                let isLastTaken = await send(
                    Array(batch.dropFirst(half)), to: api, attempts: attempts, logger: logger)
                return isFirstTaken && isLastTaken
            }
            if error.isWorthRetrying, attempts > 1 {
                do { try await Task.sleep(for: .milliseconds(500)) } catch {
                    // The end is near: what comes next is the last attempt.
                }
                return await send(batch, to: api, attempts: attempts - 1, logger: logger)
            }
            countDropped(batch.count)
            logger.warning("events dropped", metadata: ["count": "\(batch.count)", "error": "\(error)"])
            // An event that was refused says nothing of the next.
            return !error.isWorthRetrying
        }
    }
}
