import Foundation
import GameModel

/// A population as a YAML file. Every key may be left out:
///
/// ```yaml
/// players: 100000                  # who begin to play on one day
/// ratings:                         # one normal distribution, or a list of them with shares
///   - {share: 0.9, mean: 1450, spread: 300}
///   - {share: 0.1, mean: 2100, spread: 150}
/// rating-range: [100, 3500]
/// deviation: 70                    # of known players' ratings
/// newcomers: 0.08                  # share of players of whom little is known yet
/// regions:
///   eu: {share: 0.5, utc-offset: 1}
///   us: {share: 0.5, utc-offset: -6}
/// distances: {eu-us: 95}           # ms between regions
/// latency: {home: 25, spread: 10, bad-lines: 0.03, bad-line: 80}
/// parties: {1: 0.55, 2: 0.2, 3: 0.1, 4: 0.05, 5: 0.1}     # shares of players
/// party-spread: 150
/// roles: {tank: 1, healer: 1, damage: 3}                   # what players like to be, in proportion
/// insists: 0.1                     # share who take no other role than the two they name
/// attributes:
///   level: {mean: 40, spread: 15, min: 1, max: 100}
///   platform: {pc: 0.6, console: 0.4}
/// leavers: {share: 0.03, rate: 0.3}
/// hours: [30, 20, …]               # 24 weights: how many come in each hour of their day
/// accepts: 0.97
/// answer-seconds: 4
/// match-seconds: {mean: 900, spread: 240}
/// returns: 0.7                     # chance to queue again after a match
/// pause-seconds: 60
/// ```
public enum PopulationFile {
    /// - Throws: ``SimulationError`` with every mistake, each with line, key, value and remedy.
    public static func read(_ text: String, named file: String) throws(SimulationError) -> Population {
        var population = Population()
        try YAMLFields.read(text, named: file) { fields in
            people(fields, &population)
            places(fields, &population)
            wishes(fields, &population)
            habits(fields, &population.habits)
        }
        return population
    }

    private static let shares = 0.0...1.0
    private static let points = 0.0...10_000.0
    private static let weights = 0.0...1_000_000.0

    private static func people(_ fields: YAMLFields, _ population: inout Population) {
        fields.whole("players", in: 2...10_000_000) { population.players = $0 }
        if fields.has("ratings") { population.ratings = [] }
        fields.each("ratings") { part in
            var rating = Population.RatingPart()
            part.number("share", in: 0.000_001...1_000_000) { rating.share = $0 }
            part.number("mean", in: points) { rating.mean = $0 }
            part.number("spread", in: points) { rating.spread = $0 }
            population.ratings.append(rating)
        }
        if population.ratings.isEmpty {
            population.ratings = [Population.RatingPart()]
            fields.refuse("ratings", "want a mean and a spread")
        }
        fields.numbers("rating-range", count: 2, in: points) { range in
            guard range[0] < range[1] else { return fields.refuse("rating-range", "want the lower number first") }
            population.ratingRange = range[0]...range[1]
        }
        fields.number("deviation", in: 0...1_000) { population.deviation = $0 }
        fields.number("newcomers", in: shares) { population.newcomers = $0 }
        fields.named("parties", in: weights) { pairs in
            var sizes = [Double](repeating: 0, count: 10)
            for (name, share) in pairs {
                guard let size = Int(name), (1...10).contains(size) else {
                    fields.refuse("parties", "want sizes from 1 to 10, not '\(name)'")
                    continue
                }
                sizes[size - 1] = share
            }
            guard sizes.contains(where: { $0 > 0 }) else { return fields.refuse("parties", "want one share above 0") }
            population.parties = sizes
        }
        fields.number("party-spread", in: points) { population.partySpread = $0 }
        fields.inside("leavers") { leavers in
            leavers.number("share", in: shares) { population.leavers = $0 }
            leavers.number("rate", in: shares) { population.leaverRate = $0 }
        }
    }

    private static func places(_ fields: YAMLFields, _ population: inout Population) {
        fields.inside("regions") { regions in
            for name in regions.names {
                guard Pool.isName(name), name != Region.everywhere.rawValue else {
                    regions.refuse(name, "want lower-case letters, digits and '-', 32 at most")
                    continue
                }
                var home = Population.knownHomes[Region(name)] ?? .init(region: Region(name), share: 0.1, utcOffset: 0)
                regions.inside(name) { region in
                    region.number("share", in: 0.000_001...1_000_000) { home.share = $0 }
                    region.number("utc-offset", in: -12...14) { home.utcOffset = $0 }
                }
                population.homes.append(home)
            }
            if regions.names.isEmpty { fields.refuse("regions", "want one region at least") }
        }
        fields.named("distances", in: 0...2_000) { pairs in
            population.distances = Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first }
        }
        fields.inside("latency") { latency in
            latency.number("home", in: 0...1_000) { population.homeLatency = $0 }
            latency.number("spread", in: 0...1_000) { population.homeLatencySpread = $0 }
            latency.number("bad-lines", in: shares) { population.badLines = $0 }
            latency.number("bad-line", in: 0...2_000) { population.badLineLatency = $0 }
        }
    }

    private static func wishes(_ fields: YAMLFields, _ population: inout Population) {
        fields.named("roles", in: weights) { pairs in
            population.roles = Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first }
        }
        fields.number("insists", in: shares) { population.insists = $0 }
        fields.inside("attributes") { attributes in
            for name in attributes.names {
                attributes.inside(name) { population.attributes[name] = attribute($0) }
            }
        }
        fields.numbers("hours", count: 24, in: weights) { population.hours = $0 }
    }

    /// Texts with shares, or a number by its mean and spread.
    private static func attribute(_ fields: YAMLFields) -> Population.Attribute {
        guard fields.has("mean") || fields.has("spread") else {
            var pairs: [Population.Attribute.Pair] = []
            for text in fields.names {
                fields.number(text, in: 0.000_001...1_000_000) { pairs.append(.init(text: text, share: $0)) }
            }
            return .text(pairs.isEmpty ? [.init(text: "?", share: 1)] : pairs)
        }
        let any = -1e9...1e9
        var (mean, spread, low, high) = (0.0, 1.0, -1e9, 1e9)
        fields.number("mean", in: any) { mean = $0 }
        fields.number("spread", in: 0...1e9) { spread = $0 }
        fields.number("min", in: any) { low = $0 }
        fields.number("max", in: any) { high = $0 }
        if low > high { fields.refuse("min", "want one that is not above max") }
        return .number(mean: mean, spread: spread, range: min(low, high)...max(low, high))
    }

    private static func habits(_ fields: YAMLFields, _ habits: inout Habits) {
        var read = habits
        fields.number("accepts", in: shares) { read.accepts = $0 }
        fields.number("answer-seconds", in: 0...600) { read.answerSeconds = $0 }
        fields.inside("match-seconds") { match in
            match.number("mean", in: 1...86_400) { read.matchSeconds = $0 }
            match.number("spread", in: 0...86_400) { read.matchSpread = $0 }
        }
        // With certain return nobody would ever leave.
        fields.number("returns", in: 0...0.99) { read.returns = $0 }
        fields.number("pause-seconds", in: 0...86_400) { read.pauseSeconds = $0 }
        habits = read
    }
}
