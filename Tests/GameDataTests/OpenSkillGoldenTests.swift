import Foundation
import GameData
import GameModel
import Testing

/// Holds `OpenSkill` against what PyPI's openskill says of the same games. `Golden/make_openskill.py` wrote the
/// answers; the games are made anew here, by the same draws in the same order.
@Suite("OpenSkill beside PyPI's")
struct OpenSkillGoldenTests {
    @Test("ten thousand games come out as PyPI's openskill says, to 1e-6: duels, 5v5, 3×4, free-for-all to 20, ties")
    func golden() throws {
        var golden = try Golden()
        #expect(golden.games == 10_000)
        var random = GoldenRandom(seed: golden.seed)
        var ties = 0
        for index in 0..<golden.games {
            let game = GoldenGame(index: index, random: &random)
            if Set(game.ranks).count < game.ranks.count { ties += 1 }
            let players = OpenSkill.rate(teams: game.teams, ranks: game.ranks).flatMap { $0 }
            let numbers = players.flatMap { [$0.mu, $0.sigma] } + OpenSkill.predictWin(teams: game.teams)
            for number in numbers {
                let wanted = golden.next()
                // Written so that what is not a number fails too.
                guard abs(number - wanted) <= 1e-6 else {
                    Issue.record("game \(index): \(number), not \(wanted); ranks \(game.ranks), teams \(game.teams)")
                    return
                }
            }
        }
        #expect(golden.isAtEnd)
        #expect(ties > 1_000)
    }

    /// The answers, read in order.
    private struct Golden {
        let games: Int
        let seed: UInt64
        private let bytes: Data
        private var offset = 16

        init() throws {
            let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/openskill.bin")
            bytes = try Data(contentsOf: path)
            try #require(bytes.prefix(4) == Data("OSK1".utf8))
            games = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) }
            seed = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
        }

        var isAtEnd: Bool { offset == bytes.count }

        /// Not a number past the end, which is equal to nothing.
        mutating func next() -> Double {
            guard offset + 4 <= bytes.count else { return .infinity }
            defer { offset += 4 }
            return Double(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int32.self) }) / 1e7
        }
    }
}

/// The draws of the script that made the answers.
private struct GoldenRandom {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    mutating func between(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * (Double(random.next() >> 11) * 0x1p-53)
    }
}

private struct GoldenGame {
    let teams: [[OpenSkill.Rating]]
    let ranks: [Int]

    init(index: Int, random: inout GoldenRandom) {
        let sizes: [Int] =
            switch index % 4 {
            case 0: [1, 1]
            case 1: [5, 5]
            case 2: [4, 4, 4]
            default: Array(repeating: 1, count: 3 + random.below(18))
            }
        teams = sizes.map { size in
            (0..<size).map { _ in
                guard index % 5 != 0 else { return OpenSkill.Rating.initial }
                let mu = random.between(-25, 75)
                return OpenSkill.Rating(mu: mu, sigma: random.between(0.1, 12))
            }
        }
        if random.below(3) == 0 {
            ranks = sizes.map { _ in 1 + random.below(sizes.count) }
        } else {
            var order = Array(1...sizes.count)
            for last in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(last, random.below(last + 1)) }
            ranks = order
        }
    }
}
