import GameModel

/// A mode's rules made ready for the search: which party sizes make up a match, how many players of which role it
/// takes, and at which times of waiting something changes.
///
/// It never changes once made; tickets that wait are sorted by one plan, and told apart by it from those of other
/// rules.
final class MatchingPlan: Sendable {
    /// Party sizes that recipes can tell apart: the lanes of a recipe.
    static let sizesMax = 16
    /// The most recipes of one number of players; modes that would have more are searched by trial.
    static let recipesMax = 1_024

    /// How many tickets of each size make up a match; size 1 is in place 0.
    typealias Recipe = SIMD16<UInt8>

    let compiled: CompiledRules
    /// Players of a full match.
    let seats: Int
    /// The largest party.
    let sizes: Int
    /// Recipes by the number of players, up to ``seats``; empty where the mode is searched by trial.
    let recipes: [[Recipe]]
    /// How many tickets of each size a match can use at most.
    let mostOfSize: Recipe
    /// The fewest players that a match may ever begin with.
    let playersMin: Int
    /// Required roles, and how many players of each a full match takes.
    let roleNames: [String]
    let roleSeats: [Int32]
    /// Whether players may at some time be given roles that they did not ask for.
    let everFillsRoles: Bool
    /// Whether limits that a ticket is judged by as a candidate (its latency, its avoidance) change with its wait.
    let hasOwnSteps: Bool
    /// Times of waiting at which each step begins, in ms, rising, without the first.
    let stepTimes: [Int64]

    var rules: ModeRules { compiled.rules }
    /// Whether the search is exact: recipes decide, and nothing else keeps tickets apart.
    var isPlain: Bool { compiled.isPlain && !recipes.isEmpty }
    var columns: Int { sizes + roleNames.count }

    static let standard = MatchingPlan(ModeRules(teamSize: 1), regions: [])

    init(_ rules: ModeRules, regions: [Region]) {
        compiled = CompiledRules(rules, regions: regions)
        seats = rules.playersPerMatch
        sizes = max(1, min(rules.partyMax, rules.teamSize))
        playersMin = max(1, compiled.steps.map(\.playersMin).min() ?? seats)
        let required = rules.roles.filter { $0.isRequired && $0.count > 0 }
        roleNames = required.map(\.name)
        roleSeats = required.map { Int32($0.count * rules.teams) }
        everFillsRoles = compiled.steps.contains { $0.fillsRoles }
        hasOwnSteps = zip(compiled.steps, compiled.steps.dropFirst()).contains { before, after in
            before.latencyPlus != after.latencyPlus || before.avoidsListed != after.avoidsListed
                || before.recentOpponents != after.recentOpponents
        }
        stepTimes = compiled.stepStarts.dropFirst().map { Int64(($0 * 1_000).rounded(.up)) }
        recipes = Self.recipes(rules, sizes: sizes, from: playersMin)
        var most = Recipe()
        for size in 1...min(sizes, Self.sizesMax) {
            most[size - 1] = UInt8(min(rules.teams * (rules.teamSize / size), 100))
        }
        mostOfSize = most
    }

    /// Whether a match of so many players or more, with a ticket of a given size in it, is thinkable where so many
    /// tickets of each size and players of each role are: totals as ``WaitingCounts`` has its columns.
    func couldMatch(_ fewest: Int, with size: Int, _ totals: ContiguousArray<Int32>) -> Bool {
        var players = 0
        for lane in 0..<sizes { players += (lane + 1) * Int(totals[lane]) }
        guard players >= fewest else { return false }
        if fewest == seats {
            for role in roleSeats.indices where totals[sizes + role] < roleSeats[role] { return false }
        }
        guard !recipes.isEmpty else { return true }
        var counts = Recipe()
        for lane in 0..<sizes { counts[lane] = UInt8(min(totals[lane], Int32(mostOfSize[lane]))) }
        for seats in fewest...seats
        where recipes[seats].contains(where: { $0[size - 1] > 0 && all($0 .<= counts) }) {
            return true
        }
        return false
    }

    /// The widest window of any anchor, without its placement factor.
    var windowMost: Double {
        max(rules.windowMax, rules.window, compiled.steps.map(\.window).max() ?? 0)
    }

    /// After how much waiting, in ms, an anchor's window reaches so far within the step that it is in, by steady
    /// growth; `nil` where it does not.
    func wait(until reach: Double) -> Int64? {
        guard reach > rules.window else { return 0 }
        guard rules.windowGrowth > 0, reach <= max(rules.windowMax, rules.window) else { return nil }
        return Int64((reach - rules.window) / rules.windowGrowth * 1_000)
    }

    // MARK: Making recipes

    /// For each number of players the ways to fill teams that are as equal as can be with whole parties.
    private static func recipes(_ rules: ModeRules, sizes: Int, from playersMin: Int) -> [[Recipe]] {
        guard sizes <= sizesMax else { return [] }
        let parts = (0...rules.teamSize).map { teamRecipes(of: $0, largest: min(sizes, max($0, 1))) }
        var all = [[Recipe]](repeating: [], count: rules.playersPerMatch + 1)
        for players in max(1, playersMin)...rules.playersPerMatch {
            // A free-for-all begins with fewer teams; teams of more players differ by one at most.
            let (small, larger) = players.quotientAndRemainder(dividingBy: rules.teams)
            var sums: Set<Recipe> = [Recipe()]
            for team in 0..<rules.teams {
                guard let ways = parts[small + (team < larger ? 1 : 0)] else { return [] }
                guard sums.count * ways.count <= 32 * recipesMax else { return [] }
                sums = Set(sums.flatMap { sum in ways.map { sum &+ $0 } })
                guard sums.count <= recipesMax else { return [] }
            }
            all[players] = sums.sorted { left, right in
                for place in 0..<sizesMax where left[place] != right[place] { return left[place] > right[place] }
                return false
            }
        }
        return all
    }

    /// The ways to fill one team; `nil` where they are too many.
    private static func teamRecipes(of players: Int, largest: Int) -> [Recipe]? {
        guard players > 0 else { return [Recipe()] }
        guard largest > 1 else {
            var only = Recipe()
            only[0] = UInt8(players)
            return [only]
        }
        var ways: [Recipe] = []
        for count in 0...(players / largest) {
            guard let rest = teamRecipes(of: players - count * largest, largest: largest - 1) else { return nil }
            guard ways.count + rest.count <= recipesMax else { return nil }
            for way in rest {
                var whole = way
                whole[largest - 1] = UInt8(count)
                ways.append(whole)
            }
        }
        return ways
    }
}
