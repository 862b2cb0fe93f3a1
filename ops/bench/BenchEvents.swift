import Foundation
import GameData
import GameModel

/// Events as the reference game tells them, the same at each run: 500 duels at a time, each of 28 events. A match is
/// named when it begins, as in earnest, so that names rise with time; players were named before, in no order.
struct BenchEvents: Sendable {
    static let perMatch = 28
    private static let matchesAtOnce = 500

    private let matches: [MatchID]
    private let players: [PlayerID]
    private let begin: Instant

    /// - Parameter count: how many will be asked for.
    init(count: Int, from begin: Instant) {
        var random = SplitMix64(seed: 6)
        let pool = Pool(mode: Mode("duel"), region: Region("eu"))
        let rounds = count / (Self.perMatch * Self.matchesAtOnce) + 1
        matches = (0..<rounds * Self.matchesAtOnce).map { match in
            let (round, place) = match.quotientAndRemainder(dividingBy: Self.matchesAtOnce)
            let first = round * Self.perMatch * Self.matchesAtOnce + place
            return MatchID(in: pool, ULID(at: Self.instant(first, from: begin), using: &random))
        }
        players = (0..<2 * matches.count).map { _ in PlayerID(ULID(at: begin, using: &random).description) }
        self.begin = begin
    }

    subscript(numbers: Range<Int>) -> [EncodedEvent] { numbers.map(event) }

    private func event(_ number: Int) -> EncodedEvent {
        let atOnce = Self.matchesAtOnce
        let match = number / (Self.perMatch * atOnce) * atOnce + number % atOnce
        let step = number / atOnce % Self.perMatch
        let at = Self.instant(number, from: begin)
        let player = Self.kinds[step].hasPrefix("match_") ? nil : players[2 * match + step % 2]
        return EncodedEvent(
            kind: Self.kinds[step], at: at, matchId: matches[match], playerId: player,
            json: Self.data[step][number / atOnce % 16])
    }

    /// 20 s of play for a million events, so that they stay within a day.
    private static func instant(_ number: Int, from begin: Instant) -> Instant {
        Instant(milliseconds: begin.milliseconds + Int64(number / 50))
    }

    private static let kinds =
        ["match_started", "player_entered", "player_entered"] + [String](repeating: "hit", count: 21)
        + ["kill", "match_finished", FinishedPlayer.kind, FinishedPlayer.kind]

    /// What each step may tell, written once: the events share it.
    private static let data: [[String]] = kinds.enumerated().map { step, kind in
        (0..<16).map { variant in
            switch kind {
            case "match_started": #"{"patch":1,"players":2}"#
            case "player_entered": #"{"character":"ranger","patch":1,"team":\#(step % 2)}"#
            case "match_finished": #"{"durationMs":\#(1_900 + variant),"winner":1}"#
            case FinishedPlayer.kind: finished(isWinner: step % 2 == 1, variant)
            default: #"{"damage":\#(70 + variant),"target":"01KB0000000000000000000\#(100 + variant)"}"#
            }
        }
    }

    /// As `FinishedPlayer` writes itself.
    private static func finished(isWinner: Bool, _ variant: Int) -> String {
        #"{"character":"ranger","damage":\#(isWinner ? 1_050 : 700 + variant),"deaths":\#(isWinner ? 0 : 1),"#
            + #""durationMs":\#(1_900 + variant),"kills":\#(isWinner ? 1 : 0),"latencyMs":0.21,"left":false,"#
            + #""mode":"duel","outcome":"\#(isWinner ? "won" : "lost")","patch":1,"region":"eu"}"#
    }
}
