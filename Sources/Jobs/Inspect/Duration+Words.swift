import GameModel

extension Duration {
    /// As people say it, in at most two units: `850 ms`, `4.2 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
    package var inWords: String {
        let ms = max(0, milliseconds)
        switch ms {
        case ..<1000: return "\(ms) ms"
        case ..<10_000:
            let tenth = ms % 1000 / 100
            return tenth == 0 ? "\(ms / 1000) s" : "\(ms / 1000).\(tenth) s"
        case ..<60_000: return "\(ms / 1000) s"
        case ..<3_600_000: return Self.words(ms / 60_000, "min", ms % 60_000 / 1000, "s")
        case ..<86_400_000: return Self.words(ms / 3_600_000, "h", ms % 3_600_000 / 60_000, "min")
        default: return Self.words(ms / 86_400_000, "d", ms % 86_400_000 / 3_600_000, "h")
        }
    }

    private static func words(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large) \(unit)" : "\(large) \(unit) \(small) \(smallUnit)"
    }
}
