extension MatchRecord {
    /// Where a match is in its life, as SQLite knows it.
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// An instance has it.
        case placed
        /// Its result is stored and waits to be applied.
        case reported
        /// Its result is applied: ratings and totals have changed.
        case finished
        /// It ended without a result; ratings are untouched.
        case abandoned

        /// The states that may follow each.
        static let transitions: [State: Set<State>] = [
            .placed: [.reported, .abandoned],
            .reported: [.finished],
            .finished: [],
            .abandoned: [],
        ]

        func mayBecome(_ next: State) -> Bool { Self.transitions[self]?.contains(next) ?? false }
    }
}
