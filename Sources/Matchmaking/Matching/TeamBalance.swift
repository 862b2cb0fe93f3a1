import Foundation

/// Splits players into teams whose chances are as even as can be.
public enum TeamBalance {
    /// Up to so many players, two teams are split by trying every way.
    public static let exhaustiveMax = 12

    /// The chance that one mean rating beats another (Elo's logistic curve, 400 points per factor of ten).
    public static func chance(of rating: Double, against other: Double) -> Double {
        1 / (1 + pow(10, (other - rating) / 400))
    }

    /// Indices of the players of each team.
    ///
    /// The predicted gap grows with the difference of the teams' sums, so that is what is made least: by trying every
    /// way for two teams of ``exhaustiveMax`` players in all, else by dealing like a snake and swapping while a swap
    /// helps.
    /// - Precondition: as many ratings as teams have places.
    public static func split(_ ratings: [Double], teams: Int, size: Int) -> [[Int]] {
        precondition(ratings.count == teams * size, "\(ratings.count) players for \(teams) teams of \(size)")
        if size == 1 { return ratings.indices.map { [$0] } }
        if teams == 2, ratings.count <= exhaustiveMax { return exhaustive(ratings, size: size) }
        return improved(snake(ratings, teams: teams, size: size), ratings)
    }

    /// Every way to choose the first player's team-mates, as bit patterns.
    private static func exhaustive(_ ratings: [Double], size: Int) -> [[Int]] {
        let total = ratings.reduce(0, +)
        var best = (gap: Double.infinity, pattern: 0)
        // Bit 0 stays set: the other half of the patterns are the same teams, swapped.
        for pattern in stride(from: 1, to: 1 << ratings.count, by: 2) where pattern.nonzeroBitCount == size {
            var sum = 0.0
            var bits = pattern
            while bits != 0 {
                sum += ratings[bits.trailingZeroBitCount]
                bits &= bits - 1
            }
            let gap = abs(total - 2 * sum)
            if gap < best.gap { best = (gap, pattern) }
        }
        let isFirst = { (index: Int) in best.pattern & (1 << index) != 0 }
        return [ratings.indices.filter(isFirst), ratings.indices.filter { !isFirst($0) }]
    }

    /// The strongest to the first team, the next to the second, and back again in every second round.
    private static func snake(_ ratings: [Double], teams: Int, size: Int) -> [[Int]] {
        var result = [[Int]](repeating: [], count: teams)
        let order = ratings.indices.sorted { (ratings[$0], $1) > (ratings[$1], $0) }
        for (place, index) in order.enumerated() {
            let (round, seat) = place.quotientAndRemainder(dividingBy: teams)
            result[round.isMultiple(of: 2) ? seat : teams - 1 - seat].append(index)
        }
        return result
    }

    /// Swaps two players of the strongest and the weakest team while that brings the two closer.
    private static func improved(_ teams: [[Int]], _ ratings: [Double]) -> [[Int]] {
        var teams = teams
        for _ in 0..<ratings.count {
            let sums = teams.map { $0.reduce(0) { $0 + ratings[$1] } }
            guard let strong = sums.indices.max(by: { sums[$0] < sums[$1] }),
                let weak = sums.indices.min(by: { sums[$0] < sums[$1] }), strong != weak
            else { break }
            let gap = sums[strong] - sums[weak]
            var best = (gap: gap, strong: -1, weak: -1)
            for (i, a) in teams[strong].enumerated() {
                for (j, b) in teams[weak].enumerated() {
                    let after = abs(gap - 2 * (ratings[a] - ratings[b]))
                    if after < best.gap - 1e-9 { best = (after, i, j) }
                }
            }
            guard best.strong >= 0 else { break }
            let moved = teams[strong][best.strong]
            teams[strong][best.strong] = teams[weak][best.weak]
            teams[weak][best.weak] = moved
        }
        return teams
    }
}
