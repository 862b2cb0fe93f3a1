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

/// Random numbers from a seed.
///
/// Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
