import GameModel

/// Into which rating bands a pool is divided, so that several rankers serve it: each makes the matches whose anchor is
/// in its band, with candidates of the whole pool. One band = the pool is served by one ranker.
///
/// Where two rankers want the same ticket, Redis gives it to the first, and the other's view mends itself.
struct RatingBands: Sendable, Hashable {
    static let whole = RatingBands(borders: [], generation: 0)

    /// Ratings at which the next band begins, rising; one less than there are bands.
    let borders: [Double]
    /// Rises with each change.
    let generation: Int

    init(borders: [Double], generation: Int) {
        self.borders = borders
        self.generation = generation
    }

    /// As the hash holds them; ``whole`` where it does not, or holds what is of no form known here.
    init(count: String?, borders: String?, generation: String?) {
        let generation = generation.flatMap { Int($0) } ?? 0
        let read = borders?.split(separator: ",").compactMap { Double($0) } ?? []
        let isWellFormed = count.flatMap { Int($0) } == read.count + 1 && read == read.sorted()
        self.init(borders: isWellFormed ? read : [], generation: generation)
    }

    var count: Int { borders.count + 1 }

    /// The ratings of a band's anchors; `nil` = all. A band that is no more has none.
    func range(of band: Int) -> ClosedRange<Double>? {
        guard !borders.isEmpty else { return nil }
        guard band < count else { return Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude }
        let lower = band == 0 ? -Double.greatestFiniteMagnitude : borders[band - 1]
        let upper = band == borders.count ? Double.greatestFiniteMagnitude : borders[band].nextDown
        return min(lower, upper)...upper
    }

    /// The bands as they should be; `nil` = as they are.
    ///
    /// Twice as many as soon as one has more than its tickets, half as many only when a quarter would do, so that a
    /// pool about the border does not change all the time; never more than there are rankers. Borders are drawn anew
    /// when a band has more than twice its share.
    /// - Parameters:
    ///   - ratings: of the tickets that wait; asked for only where it matters.
    ///   - perBand: how many tickets a band may have.
    func next(waiting: Int, perBand: Int, rankers: Int, ratings: () -> [Double]) -> RatingBands? {
        var wanted = count
        while wanted * 2 <= rankers, waiting > perBand * wanted { wanted *= 2 }
        while wanted > 1, wanted > rankers || waiting * 4 < perBand * wanted { wanted /= 2 }
        if wanted == 1 { return count == 1 ? nil : RatingBands(borders: [], generation: generation) }
        if wanted == count {
            guard waiting * 4 > perBand * count, isLopsided(ratings()) else { return nil }
        }
        let new = Self.quantiles(of: ratings(), count: wanted)
        return new.isEmpty || new == borders ? nil : RatingBands(borders: new, generation: generation)
    }

    /// Whether one band has more than twice its share of these ratings.
    func isLopsided(_ ratings: [Double]) -> Bool {
        guard count > 1, !ratings.isEmpty else { return false }
        var sizes = [Int](repeating: 0, count: count)
        for rating in ratings { sizes[borders.firstIndex { rating < $0 } ?? borders.count] += 1 }
        return (sizes.max() ?? 0) * count > ratings.count * 2
    }

    /// Borders that divide the ratings into bands of equal size; fewer, to a power of two, where too many are the same.
    private static func quantiles(of ratings: [Double], count: Int) -> [Double] {
        let sorted = ratings.sorted()
        guard sorted.count >= count else { return [] }
        var count = count
        while count > 1 {
            let borders = (1..<count).map { sorted[sorted.count * $0 / count] }
            let isRising = zip(borders, borders.dropFirst()).allSatisfy { $0 < $1 }
            if isRising, let first = sorted.first, first < borders[0] { return borders }
            count /= 2
        }
        return []
    }
}

/// A unit of sharing among rankers: a pool, or one rating band of it.
struct PoolBand: Sendable, Hashable, Comparable, CustomStringConvertible {
    let pool: Pool
    let band: Int

    var description: String { band == 0 ? "\(pool)" : "\(pool)#\(band)" }

    static func < (left: Self, right: Self) -> Bool { (left.pool, left.band) < (right.pool, right.band) }
}
