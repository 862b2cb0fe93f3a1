import Histogram
import Synchronization

/// Counts and times of every step, written by thousands of journeys at once.
///
/// Times go into HDR histograms in microseconds, three digits. The first step and the journey are timed from when the
/// player *meant* to arrive, so a slow server can't hide by holding arrivals back (coordinated omission).
final class StepRecorder: Sendable {
    struct Record: Sendable {
        var times = Histogram<UInt32>(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
        var done = 0
        var errors = 0
        var errorReasons: [String: Int] = [:]
    }

    /// What one second of the run saw.
    struct Second: Sendable, Codable {
        var second = 0
        var done: [String: Int] = [:]
        var errors = 0
        var arrived = 0
        var inQueue = 0
        var playing = 0
    }

    /// Where players are at this moment.
    struct Population: Sendable, Codable {
        var arrived = 0
        var inQueue = 0
        var playing = 0
        var queuedEver = 0
        var finished = 0
        var gaveUp = 0
        var requeued = 0
        var paid = 0
        var declined = 0
        /// Players who were told to wait before they queue again, because they had declined.
        var cooledDown = 0
    }

    private struct State {
        var records: [Step: Record] = [:]
        var population = Population()
        var seconds: [Second] = []
        /// How long tickets waited for a match, by the size of their party, 1 for players alone.
        var waits: [Int: Record] = [:]
        var reasonsMax = 20
    }

    private let state = Mutex(State())
    private let start: ContinuousClock.Instant

    init(start: ContinuousClock.Instant) { self.start = start }

    func succeeded(_ step: Step, took time: Duration) {
        let microseconds = Self.microseconds(time)
        let second = currentSecond
        state.withLock { state in
            state.records[step, default: Record()].times.record(microseconds)
            state.records[step, default: Record()].done += 1
            let index = Self.indexOfSecond(second, in: &state)
            state.seconds[index].done[step.rawValue, default: 0] += 1
        }
    }

    /// A ticket waited so long from the queue to its match.
    func waited(_ time: Duration, partyOf size: Int) {
        state.withLock { state in
            state.waits[size, default: Record()].times.record(Self.microseconds(time))
            state.waits[size, default: Record()].done += 1
        }
    }

    /// Not more than the histograms hold: an hour.
    private static func microseconds(_ time: Duration) -> UInt64 {
        let whole = time.components.seconds * 1_000_000 + time.components.attoseconds / 1_000_000_000_000
        return UInt64(min(max(0, whole), 3_600_000_000))
    }

    func failed(_ step: Step, reason: String) {
        let second = currentSecond
        state.withLock { state in
            state.records[step, default: Record()].errors += 1
            let known = state.records[step]?.errorReasons[reason] != nil
            if known || (state.records[step]?.errorReasons.count ?? 0) < state.reasonsMax {
                state.records[step, default: Record()].errorReasons[reason, default: 0] += 1
            }
            let index = Self.indexOfSecond(second, in: &state)
            state.seconds[index].errors += 1
        }
    }

    func count(_ change: (inout Population) -> Void) {
        let second = currentSecond
        state.withLock { state in
            change(&state.population)
            let population = state.population
            let index = Self.indexOfSecond(second, in: &state)
            state.seconds[index].arrived = population.arrived
            state.seconds[index].inQueue = population.inQueue
            state.seconds[index].playing = population.playing
        }
    }

    var population: Population { state.withLock { $0.population } }

    var records: [Step: Record] { state.withLock { $0.records } }

    var waits: [Int: Record] { state.withLock { $0.waits } }

    var seconds: [Second] { state.withLock { $0.seconds } }

    /// How many steps were done or failed so far.
    var events: Int { state.withLock { $0.records.values.reduce(0) { $0 + $1.done + $1.errors } } }

    /// How many steps of any kind were done in the last whole second.
    var recentRate: Int {
        let second = currentSecond
        return state.withLock { state in
            guard second >= 1, second - 1 < state.seconds.count else { return 0 }
            return state.seconds[second - 1].done.values.reduce(0, +)
        }
    }

    private var currentSecond: Int { Int((ContinuousClock.now - start).components.seconds) }

    private static func indexOfSecond(_ second: Int, in state: inout State) -> Int {
        let wanted = max(0, second)
        while state.seconds.count <= wanted {
            // A second in which nothing changed still had the same players waiting.
            var next = Second()
            next.second = state.seconds.count
            next.arrived = state.population.arrived
            next.inQueue = state.population.inQueue
            next.playing = state.population.playing
            state.seconds.append(next)
        }
        return wanted
    }
}

extension StepRecorder {
    /// Times a step; a failure is counted with its reason and thrown on.
    func timed<Value>(_ step: Step, _ body: () async throws -> Value) async throws -> Value {
        let began = ContinuousClock.now
        do {
            let value = try await body()
            succeeded(step, took: ContinuousClock.now - began)
            return value
        } catch is CancellationError {
            throw CancellationError()
        } catch let refusal as APIClient.Refusal
            where step == .accept && (refusal.status == 409 || refusal.status == 404)
        {
            throw refusal
        } catch {
            failed(step, reason: "\(error)")
            throw error
        }
    }
}
