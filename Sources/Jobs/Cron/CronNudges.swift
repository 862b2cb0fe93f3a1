import Synchronization

/// Wakes the schedulers of this process that read one table, when an entry was put through it.
final class CronNudges: Sendable {
    private let signals = Mutex<[ObjectIdentifier: Signal]>([:])

    func raise() {
        for signal in signals.withLock({ Array($0.values) }) { signal.raise() }
    }

    func add() -> Signal {
        let signal = Signal()
        signals.withLock { $0[ObjectIdentifier(signal)] = signal }
        return signal
    }

    func remove(_ signal: Signal) {
        signals.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(signal)) }
    }
}
