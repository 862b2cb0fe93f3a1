import GameModel
import Matchmaking

/// Two plain ways to make matches, for comparison: they look at all who wait, once in a while.
enum MatchBaseline: String, CaseIterable {
    /// Whoever waits longest plays with who waits next longest.
    case firstCome = "first come, first served"
    /// Sorted by rating, neighbours play: the way of Open Match's tutorial.
    case neighbours = "adjacent by rating"

    /// Takes matches out of the waiting tickets.
    func match(_ waiting: inout [QueuedTicket], _ rules: ModeRules) -> [[[QueuedTicket]]] {
        switch self {
        case .firstCome: waiting.sort { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }
        case .neighbours: waiting.sort { ($0.rating, $0.id) < ($1.rating, $1.id) }
        }
        var matches: [[[QueuedTicket]]] = []
        var left: [QueuedTicket] = []
        var open: [OpenMatch] = []
        for ticket in waiting {
            // The first begun match with a team that has room; a party that fits in none begins another.
            let place = open.firstIndex { $0.room(for: ticket, rules) != nil }
            if let place, let team = open[place].room(for: ticket, rules) {
                open[place].teams[team].append(ticket)
                if open[place].players == rules.playersPerMatch { matches.append(open.remove(at: place).teams) }
            } else {
                var begun = OpenMatch(teams: [[QueuedTicket]](repeating: [], count: rules.teams))
                begun.teams[0].append(ticket)
                open.append(begun)
            }
        }
        for begun in open { left += begun.teams.flatMap { $0 } }
        waiting = left
        return matches
    }

    private struct OpenMatch {
        var teams: [[QueuedTicket]]

        var players: Int { teams.reduce(0) { $0 + size($1) } }

        /// The team with the fewest players that has room.
        func room(for ticket: QueuedTicket, _ rules: ModeRules) -> Int? {
            teams.indices.filter { size(teams[$0]) + ticket.members.count <= rules.teamSize }
                .min { size(teams[$0]) < size(teams[$1]) }
        }

        private func size(_ team: [QueuedTicket]) -> Int { team.reduce(0) { $0 + $1.members.count } }
    }
}
