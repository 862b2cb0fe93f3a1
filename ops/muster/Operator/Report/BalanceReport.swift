import GameData
import GameModel

/// How the characters of a patch fared: pick rate, win rate and damage, by mode, over all days and for each.
struct BalanceReport: Encodable {
    struct Character: Encodable {
        let character: String
        let picks: Int
        /// Its share of all picks of the mode, 0 to 1.
        let pickRate: Double
        /// The share of its matches that it won, 0 to 1; draws are matches.
        let winRate: Double
        /// Half the width of the 95 % confidence interval of the win rate, by the normal approximation.
        let winRateMargin: Double
        /// Hit points taken from others in a match, on average.
        let damage: Double
        /// The same for a minute of play; 0 where no time was told.
        let damagePerMinute: Double
        let kills: Double
        let deaths: Double
        /// The share of its matches that its player quit.
        let leaverRate: Double
    }

    struct Day: Encodable {
        let day: String
        let character: String
        let picks: Int
        let pickRate: Double
        let winRate: Double
    }

    struct Table: Encodable {
        let mode: Mode
        let picks: Int
        let characters: [Character]
        let days: [Day]
    }

    let patch: Int
    let modes: [Table]

    init(patch: PatchVersion, _ rows: [EventTotalsRepository.CharacterDay]) {
        self.patch = patch.number
        modes = Dictionary(grouping: rows, by: \.mode).sorted { $0.key < $1.key }.map { Self.table($0, $1) }
    }

    private static func table(_ mode: Mode, _ rows: [EventTotalsRepository.CharacterDay]) -> Table {
        let picks = sum(rows.map(\.totals), \.picks)
        let ofDay = Dictionary(grouping: rows, by: \.day).mapValues { sum($0.map(\.totals), \.picks) }
        let characters = Dictionary(grouping: rows, by: \.character).map { name, rows in
            character(name, rows.map(\.totals), of: picks)
        }
        return Table(
            mode: mode, picks: picks,
            characters: characters.sorted { ($1.winRate, $0.character) < ($0.winRate, $1.character) },
            days: rows.map { row in
                Day(
                    day: row.day, character: row.character, picks: row.totals.picks,
                    pickRate: ratio(row.totals.picks, ofDay[row.day] ?? 0),
                    winRate: ratio(row.totals.wins, row.totals.picks))
            })
    }

    private static func character(_ name: String, _ days: [CharacterTotals], of all: Int) -> Character {
        func sum(_ of: (CharacterTotals) -> Int) -> Int { Self.sum(days, of) }
        let picks = sum(\.picks)
        let winRate = ratio(sum(\.wins), picks)
        let minutes = Double(sum(\.durationMs)) / 60_000
        return Character(
            character: name, picks: picks, pickRate: ratio(picks, all), winRate: winRate,
            winRateMargin: picks > 0 ? 1.96 * (winRate * (1 - winRate) / Double(picks)).squareRoot() : 0,
            damage: ratio(sum(\.damage), picks), damagePerMinute: minutes > 0 ? Double(sum(\.damage)) / minutes : 0,
            kills: ratio(sum(\.kills), picks), deaths: ratio(sum(\.deaths), picks),
            leaverRate: ratio(sum(\.leaves), picks))
    }

    /// Stops at the most that an `Int` holds: a file may say anything.
    private static func sum(_ totals: [CharacterTotals], _ of: (CharacterTotals) -> Int) -> Int {
        totals.reduce(0) { sum, totals in
            let (next, isOver) = sum.addingReportingOverflow(of(totals))
            return isOver ? .max : next
        }
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
}
