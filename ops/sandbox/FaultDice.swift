import GameModel
import Synchronization

/// Rolls for faults: the rates in force, and random numbers that a seed repeats.
final class FaultDice: Sendable {
    private struct State: Sendable {
        var faults: SandboxFaults
        var random: SplitMix64
    }

    private let state: Mutex<State>

    init(faults: SandboxFaults, seed: UInt64) {
        state = Mutex(State(faults: faults, random: SplitMix64(seed: seed)))
    }

    var faults: SandboxFaults { state.withLock { $0.faults } }

    func set(_ faults: SandboxFaults) { state.withLock { $0.faults = faults } }

    /// Whether the fault happens this time.
    func roll(_ rate: KeyPath<SandboxFaults, Double>) -> Bool {
        state.withLock { state in
            let rate = state.faults[keyPath: rate]
            // A rate of 0 takes no number, so that the others' sequence stays what the seed says.
            return rate > 0 && Double.random(in: 0..<1, using: &state.random) < rate
        }
    }
}
