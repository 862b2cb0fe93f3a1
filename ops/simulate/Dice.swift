import Foundation
import GameModel

/// Random numbers that belong to one thing (a player, a proposal) and one seed: whatever else a run does, that thing
/// draws the same. So two rule files are compared on the same players with the same wishes.
struct Dice: RandomNumberGenerator, Sendable {
    private var generator: SplitMix64

    init(_ seed: UInt64, _ purpose: StaticString, _ numbers: Int...) {
        var mixed = seed ^ SplitMix64.seed(of: "\(purpose)")
        for number in numbers {
            var step = SplitMix64(seed: mixed ^ UInt64(bitPattern: Int64(number)))
            mixed = step.next()
        }
        generator = SplitMix64(seed: mixed)
    }

    mutating func next() -> UInt64 { generator.next() }

    /// 0 up to, but not, 1.
    mutating func share() -> Double { Double.random(in: 0..<1, using: &self) }

    mutating func happens(_ probability: Double) -> Bool { share() < probability }

    /// By Box and Muller (1958); the second of the pair is thrown away, so that each draw takes as many numbers.
    mutating func normal(_ mean: Double = 0, _ deviation: Double = 1) -> Double {
        let radius = (-2 * log(1 - share())).squareRoot()
        return mean + deviation * radius * cos(2 * .pi * share())
    }

    mutating func exponential(mean: Double) -> Double { -mean * log(1 - share()) }

    /// The place of one of several by their weights; the last where rounding leaves none.
    mutating func choice(_ weights: [Double]) -> Int {
        var point = share() * weights.reduce(0, +)
        for (place, weight) in weights.enumerated() {
            point -= weight
            if point < 0 { return place }
        }
        return weights.count - 1
    }
}
