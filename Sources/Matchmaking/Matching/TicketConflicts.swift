import GameModel

/// What keeps two tickets' players apart.
enum TicketConflict: Sendable, Hashable {
    /// The two have a player in common.
    case samePlayer
    /// Someone avoids someone: never in one match.
    case avoided
    /// Someone met someone of late: not in opposite teams.
    case recentOpponents
}

extension CompiledTickets {
    /// Whether two tickets may have a conflict at all: a few instructions, and mostly the last word.
    func mayConflict(_ one: Int32, _ other: Int32) -> Bool {
        let (left, right) = (rows[Int(one)], rows[Int(other)])
        return left.players & (right.players | right.avoided | right.recent) | right.players
            & (left.avoided | left.recent) != 0
    }

    /// The gravest conflict of two tickets, each player's lists judged by the step of waiting of the player's ticket.
    func conflict(_ one: Int32, step: Int, _ other: Int32, step otherStep: Int) -> TicketConflict? {
        guard mayConflict(one, other) else { return nil }
        let (left, right) = (rows[Int(one)], rows[Int(other)])
        if !left.hasLists, !right.hasLists {
            // Lone players without lists: nothing but that they are the same.
            return left.playerCount > 0 && right.playerCount > 0 && left.player == right.player ? .samePlayer : nil
        }
        for place in 0..<Int(left.playerCount) where isPlayer(player(place, of: one), of: other) { return .samePlayer }
        if avoids(one, step, other) || avoids(other, otherStep, one) { return .avoided }
        if met(one, step, other) || met(other, otherStep, one) { return .recentOpponents }
        return nil
    }

    private func player(_ place: Int, of slot: Int32) -> UInt64 {
        rows[Int(slot)].hasLists ? lists[Int(slot)][place] : rows[Int(slot)].player
    }

    private func isPlayer(_ hash: UInt64, of slot: Int32) -> Bool {
        for place in 0..<Int(rows[Int(slot)].playerCount) where player(place, of: slot) == hash { return true }
        return false
    }

    private func avoids(_ one: Int32, _ step: Int, _ other: Int32) -> Bool {
        let row = rows[Int(one)]
        guard rules.steps[step].avoidsListed, row.avoided & rows[Int(other)].players != 0, row.hasLists else {
            return false
        }
        let start = Int(row.playerCount)
        for place in start..<(start + Int(row.avoidedCount)) where isPlayer(lists[Int(one)][place], of: other) {
            return true
        }
        return false
    }

    private func met(_ one: Int32, _ step: Int, _ other: Int32) -> Bool {
        let row = rows[Int(one)]
        let count = UInt64(max(0, rules.steps[step].recentOpponents))
        guard count > 0, row.recent & rows[Int(other)].players != 0, row.hasLists else { return false }
        for place in Int(row.playerCount + row.avoidedCount)..<lists[Int(one)].count {
            let entry = lists[Int(one)][place]
            guard entry & 0xFF < count else { continue }
            for index in 0..<Int(rows[Int(other)].playerCount)
            where player(index, of: other) & ~0xFF == entry & ~0xFF {
                return true
            }
        }
        return false
    }

    /// A bit for each team of a running match in which a ticket's players may be: all, or where someone of it and
    /// someone of a team have met of late, that team alone.
    func teamsWithoutOpponents(of slot: Int32, in backfill: Int32, at now: Instant) -> UInt64 {
        guard rules.recentMax > 0, mayConflict(slot, backfill), let running = self.backfill(backfill) else {
            return .max
        }
        let own = UInt64(max(0, rules.steps[step(slot, at: now)].recentOpponents))
        let theirs = UInt64(max(0, rules.steps[step(backfill, at: now)].recentOpponents))
        let row = rows[Int(slot)]
        var allowed = UInt64.max
        for team in running.players.indices {
            var hasMet = false
            for place in 0..<Int(row.playerCount) {
                let hash = player(place, of: slot) & ~0xFF
                if running.recent[team].contains(where: { $0 & ~0xFF == hash && $0 & 0xFF < theirs }) { hasMet = true }
            }
            if row.hasLists {
                for place in Int(row.playerCount + row.avoidedCount)..<lists[Int(slot)].count {
                    let entry = lists[Int(slot)][place]
                    guard entry & 0xFF < own else { continue }
                    if running.players[team].contains(where: { $0 & ~0xFF == entry & ~0xFF }) { hasMet = true }
                }
            }
            if hasMet { allowed &= 1 << UInt64(team) }
        }
        return allowed
    }
}
