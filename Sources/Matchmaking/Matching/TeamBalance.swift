import Foundation
import GameModel

/// Splits players of whom only the ratings are known into teams whose chances are as even as can be, as the matcher
/// does with tickets (see ``TeamAssembly``): for comparisons and simulations.
public enum TeamBalance {
    /// The chance that one rating beats another (Elo's logistic curve, 400 points per factor of ten).
    public static func chance(of rating: Double, against other: Double) -> Double {
        1 / (1 + pow(10, (other - rating) / 400))
    }

    /// Indices of the players of each team, with the least difference of the teams' sums that can be found.
    /// - Precondition: as many ratings as teams have places.
    public static func split(_ ratings: [Double], teams: Int, size: Int) -> [[Int]] {
        precondition(ratings.count == teams * size, "\(ratings.count) players for \(teams) teams of \(size)")
        let rules = CompiledRules(ModeRules(teams: teams, teamSize: size), regions: [])
        var tickets = CompiledTickets(rules)
        for (index, rating) in ratings.enumerated() {
            let ticket = QueuedTicket(
                id: TicketID("t\(index)"), player: PlayerID("p\(index)"), queuedAt: Instant(milliseconds: 0),
                skill: Skill(rating: rating, deviation: 0))
            tickets.store(ticket, at: Int32(index))
        }
        var assembly = TeamAssembly(rules)
        let slots = ContiguousArray(ratings.indices.map(Int32.init))
        let isDivided = assembly.assemble(slots, in: tickets, step: 0, at: Instant(milliseconds: 0))
        precondition(isDivided, "players without parties always make teams")
        return (0..<teams).map { team in ratings.indices.filter { assembly.teamOf[$0] == team } }
    }
}
