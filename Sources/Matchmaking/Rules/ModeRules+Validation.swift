import GameModel

extension MatchmakingRules {
    /// Refuses rules that can't be played.
    public func validate() throws(MatchmakingError) {
        guard !modes.isEmpty else { throw .invalidRules("no modes") }
        guard !regions.isEmpty, Set(regions).count == regions.count else {
            throw .invalidRules("regions must be some, each once")
        }
        for region in regions where !Pool.isName(region.rawValue) || region == .everywhere {
            throw .invalidRules("region '\(region)'")
        }
        for (mode, rules) in modes {
            guard Pool.isName(mode.rawValue) else { throw .invalidRules("mode '\(mode)'") }
            try rules.validate(mode)
        }
    }
}

extension ModeRules {
    /// The most players of one match: what one script call takes.
    public static let playersPerMatchMax = 100

    func validate(_ mode: Mode) throws(MatchmakingError) {
        guard teams >= 2, teamSize >= 1, teams <= Self.playersPerMatchMax, teamSize <= Self.playersPerMatchMax,
            playersPerMatch <= Self.playersPerMatchMax
        else {
            throw .invalidRules("\(mode): \(teams) teams of \(teamSize); want 2 teams or more, 100 players at most")
        }
        let ranges: [(name: String, value: Double, range: ClosedRange<Double>)] = [
            ("window", window, 0...10_000), ("windowGrowth", windowGrowth, 0...10_000),
            ("windowMax", windowMax, 0...10_000), ("acceptSeconds", acceptSeconds, 0.1...600),
            ("waitSecondsMax", waitSecondsMax, 0.1...86_400), ("placeSeconds", placeSeconds, 0.1...3_600),
            ("placementsMax", Double(placementsMax), 1...100), ("matchSecondsMax", matchSecondsMax, 1...86_400),
        ]
        for item in ranges where !item.range.contains(item.value) {
            throw .invalidRules(
                "\(mode): \(item.name) is \(item.value), must be \(item.range.lowerBound) to \(item.range.upperBound)")
        }
    }
}
