import Foundation
import GameModel
import Jobs
import Matchmaking

/// How tickets, pools and matches are written for people.
enum MatchmakingText {
    /// Names and values, one a line.
    static func rows(_ rows: [(String, String?)]) -> String {
        let width = rows.compactMap { $1 == nil ? nil : $0.count }.max() ?? 0
        return rows.compactMap { name, value in
            value.map { JobText.wrapped($0, first: pad(name, width + 2), indent: width + 2) }
        }.joined(separator: "\n")
    }

    static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : String(rounded)
    }

    // MARK: Tickets

    static func list(_ tickets: [TicketFacts], at now: Instant) -> String {
        let rows = tickets.map { ticket in
            [
                ticket.id.rawValue, ticket.state.rawValue,
                ticket.backfillOf == nil ? "\(ticket.players.count)" : "backfill",
                ticket.rating.map { number($0.rounded()) } ?? "-",
                DepthTable.age(Int(ticket.waitedMs)), detail(ticket, at: now),
            ]
        }
        return JobText.table(
            ["ticket", "state", "players", "rating", "waited", "detail"], rows, right: [2, 3, 4], flexible: [5],
            most: 140)
    }

    private static func detail(_ ticket: TicketFacts, at now: Instant) -> String {
        switch ticket.state {
        case .forming: "\(ticket.players.count { $0.hasJoined }) of \(ticket.players.count) joined"
        case .queued: ticket.backfillOf.map { "for match \($0)" } ?? ""
        default: ticket.match.map { "match \($0)" } ?? ""
        }
    }

    static func facts(_ ticket: TicketFacts, at now: Instant) -> [(String, String?)] {
        [
            ("ticket", ticket.id.rawValue), ("pool", ticket.pool), ("state", ticket.state.rawValue),
            ("rating", ticket.rating.map { number($0) }), ("queued", JobText.time(ticket.queuedAt)),
            ("since", JobText.time(ticket.since)), ("waited", Duration.milliseconds(ticket.waitedMs).inWords),
            ("match", ticket.match?.rawValue), ("accept by", ticket.acceptBy.map(JobText.time)),
            ("instance", ticket.instance?.rawValue), ("reason", ticket.reason),
            ("ended by", ticket.endedBy.isEmpty ? nil : ticket.endedBy.map(\.rawValue).joined(separator: ", ")),
            ("backfill of", ticket.backfillOf?.rawValue),
        ]
    }

    /// The players of tickets, a line each.
    static func players(of tickets: [TicketFacts]) -> String {
        let all = tickets.flatMap(\.players)
        let hasRoles = all.contains { !$0.roles.isEmpty }
        let regions = Set(all.flatMap(\.latencies.keys)).sorted()
        let rows = all.map { player -> [String] in
            var cells: [String] = [player.player.rawValue]
            cells.append(player.rating.map { number($0.rounded()) } ?? "not joined")
            cells.append(player.deviation.map { "±" + number($0.rounded()) } ?? "-")
            cells.append(player.games.map { String($0) } ?? "-")
            cells.append(player.hasAccepted ? "yes" : "no")
            if hasRoles { cells.append(player.roles.isEmpty ? "any" : player.roles.joined(separator: " ")) }
            for region in regions {
                cells.append(player.latencies[region].map { number($0.rounded()) + " ms" } ?? "-")
            }
            return cells
        }
        let head = ["player", "rating", "deviation", "games", "accepted"] + (hasRoles ? ["roles"] : [])
        let fixed = head.count
        return JobText.table(
            head + regions.map { "to \($0)" }, rows, right: Set([1, 2, 3] + (fixed..<fixed + regions.count)),
            flexible: [], most: 160)
    }

    // MARK: Rules

    static func checks(_ checks: [RuleCheck]) -> String {
        JobText.table(
            ["rule", "limit", "value"], checks.map { [$0.rule, $0.limit, $0.value] }, flexible: [2], most: 120)
    }

    /// The nearest candidates of a ticket, and by what each was refused.
    static func nearest(_ explanation: TicketExplanation) -> String {
        guard !explanation.nearest.isEmpty else { return "nobody else waits in its pool" }
        let count = explanation.nearest.count
        var lines = [count == 1 ? "the nearest other" : "the nearest \(count) others"]
        for candidate in explanation.nearest {
            let refusals = candidate.refusals.map { "\($0.rule): \($0.value) (limit: \($0.limit))" }
            lines.append(
                "  \(candidate.ticket)  rating \(number(candidate.rating)), waited "
                    + "\(number(candidate.waitedSeconds)) s")
            lines += (refusals.isEmpty ? ["could meet it"] : refusals).map { "    \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
