import GameModel
import Jobs

/// Why a ticket is where it is, in sentences; of one that waits to be matched, also in the matcher's terms.
public struct TicketReasons: Sendable, Hashable, Codable {
    public let ticket: TicketFacts
    public let why: [String]
    /// Of a queued ticket whose pool is played.
    public let explanation: TicketExplanation?
}

extension MatchmakingInspector {
    /// Why a ticket is where it is; `nil` where Redis does not know it.
    ///
    /// - Parameter nearest: how many of the nearest candidates are looked at.
    public func why(_ id: TicketID, nearest: Int = 3) async throws(MatchmakingError) -> TicketReasons? {
        let now = try await now()
        guard let ticket = try await ticket(id), let pool = id.pool else { return nil }
        switch ticket.state {
        case .queued: return try await whyQueued(ticket, pool, nearest: nearest)
        case .forming:
            let missing = ticket.players.filter { !$0.hasJoined }.map(\.player.rawValue)
            return TicketReasons(
                ticket: ticket,
                why: ["A party is forming: it waits for \(Self.list(missing)) to join."], explanation: nil)
        case .proposed, .accepted:
            return TicketReasons(ticket: ticket, why: try await whyProposed(ticket, at: now), explanation: nil)
        case .placing, .ready:
            return TicketReasons(ticket: ticket, why: whyPlaced(ticket, at: now), explanation: nil)
        case .finished, .cancelled, .expired, .declined, .failed:
            var line = "It ended \(Self.ago(ticket.since, now)) as \(ticket.state)"
            if let reason = ticket.reason { line += ": \(reason)" }
            if !ticket.endedBy.isEmpty { line += ", by \(Self.list(ticket.endedBy.map(\.rawValue)))" }
            return TicketReasons(ticket: ticket, why: [line + "."], explanation: nil)
        }
    }

    private func whyQueued(
        _ ticket: TicketFacts, _ pool: Pool, nearest: Int
    ) async throws(MatchmakingError) -> TicketReasons {
        guard let mode = rules.rules(of: pool) else {
            return TicketReasons(
                ticket: ticket, why: ["No rules play the pool \(pool) any more: the ticket will expire."],
                explanation: nil)
        }
        var why: [String] = []
        if try await service.depth(of: pool).ranker == nil {
            why.append("No ranker serves the pool \(pool): start one, 'muster ranker'.")
        }
        let view = try await view(of: pool)
        let matcher = Matcher(rules: mode, regions: rules.regions(of: pool))
        guard let explanation = matcher.explain(ticket.id, in: view.waiting, at: view.clock.now, nearest: nearest)
        else {
            return TicketReasons(
                ticket: ticket, why: why + ["It has just left the queue; ask again."], explanation: nil)
        }
        why.insert(
            "Waited \(RuleWords.number(explanation.waitedSeconds)) s; window "
                + "\(RuleWords.window(explanation.window)) around \(RuleWords.number(ticket.rating ?? 0)).", at: 0)
        let (could, wants) = (explanation.compatiblePlayers, explanation.wantedPlayers)
        why.append(
            "It could meet \(RuleWords.count(could, "player")) of those who wait; a full match wants \(wants) more.")
        why.append(
            explanation.missing.isEmpty
                ? "Nothing is missing: the next round should match it."
                : "Missing: \(explanation.missing.joined(separator: "; ")).")
        return TicketReasons(ticket: ticket, why: why, explanation: explanation)
    }

    private func whyProposed(_ ticket: TicketFacts, at now: Instant) async throws(MatchmakingError) -> [String] {
        guard let id = ticket.match, let (match, tickets) = try await match(id) else {
            return ["It is in a match that Redis does not know any more; it will be queued again."]
        }
        let silent = tickets.flatMap { $0.players.filter { !$0.hasAccepted }.map(\.player.rawValue) }
        let left = match.acceptBy.map { " for \(RuleWords.number(max(0, ($0 - now).inSeconds))) s more" } ?? ""
        let own = ticket.state == .accepted ? "Its players accepted match \(id)" : "Match \(id) is proposed to it"
        return ["\(own), which waits\(left) for \(Self.list(silent)) to accept."]
    }

    private func whyPlaced(_ ticket: TicketFacts, at now: Instant) -> [String] {
        guard let id = ticket.match else { return ["It is \(ticket.state), and names no match."] }
        if ticket.state == .ready {
            let place = ticket.instance.map { " on instance \($0)" } ?? ""
            return ["Match \(id) is played\(place); it became ready \(Self.ago(ticket.since, now))."]
        }
        let queue = ticket.id.pool.map { " --queue \($0)" } ?? ""
        return [
            "Match \(id) was accepted \(Self.ago(ticket.since, now)), and waits for an instance in "
                + "\(id.region?.rawValue ?? "its region").",
            "See 'muster jobs why \(AllocateInstance.id(of: id))\(queue)', and 'muster depth' for free slots.",
        ]
    }

    private static func ago(_ then: Instant, _ now: Instant) -> String { "\(max(.zero, now - then).inWords) ago" }

    /// `a`, `a and b`, `a, b and 3 others`.
    private static func list(_ names: [String]) -> String {
        switch names.count {
        case 0: "nobody"
        case 1: names[0]
        case 2: "\(names[0]) and \(names[1])"
        case 3: "\(names[0]), \(names[1]) and \(names[2])"
        default: "\(names[0]), \(names[1]) and \(names.count - 2) others"
        }
    }
}
