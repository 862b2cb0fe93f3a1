import GameModel
import MusterInstance

/// Which seats of a running match are open, as a function of who is gone, since when, and who came after the begin.
///
/// A seat is open when its player has been gone for a while; each player who came later takes one of the team's.
struct OpenSeats: Equatable, Sendable {
    /// By team.
    let open: [Int]
    /// All who are gone for long enough, by name.
    let left: [PlayerID]

    /// - Parameters:
    ///   - first: the roster that the match began with.
    ///   - sheet: the roster of now.
    ///   - gone: who is not connected, and for how long.
    ///   - after: how long that must be.
    init(first: MatchSheet, now sheet: MatchSheet, gone: [PlayerID: Duration], after: Duration) {
        let known = Set(first.players.map(\.playerId))
        var left: [PlayerID] = []
        open = sheet.teams.map { team in
            let away = team.map(\.playerId).filter { (gone[$0] ?? .zero) >= after && gone[$0] != nil }
            left += away
            return max(0, away.count - team.filter { !known.contains($0.playerId) }.count)
        }
        self.left = left.sorted()
    }

    var isEmpty: Bool { open.allSatisfy { $0 == 0 } }
}
