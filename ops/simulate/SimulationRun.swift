import GameModel
import Matchmaking

/// One run of a ``Simulation``: time goes forward in ticks; in each, what fell due happens in the order of its time,
/// then the matcher makes matches.
struct SimulationRun {
    private struct PoolState {
        let regions: [Region]
        let matcher: Matcher
        var waiting = WaitingTickets()
    }

    /// What happens after a match was proposed, in the tick when it is due.
    private enum Event {
        /// Players begin to wait for their next match.
        case queue(arrival: Int32, visit: Int32, at: Int64)
        /// A proposal was not accepted by all: these, who did accept, wait again.
        case putBack(ticket: Int32)
        /// Players are free again, and do not come back.
        case leave(arrival: Int32)
    }

    /// What changes of a player by playing.
    private struct PlayerState {
        var isBusy = false
        var games: Int
        var streak = 0
        var opponents: [PlayerID] = []
    }

    private let simulation: Simulation
    private let rules: ModeRules
    private var pools: [PoolState] = []
    private var players: [PlayerState]
    private var kept = RunRecords()
    private var nextArrival = 0
    /// The first ticket that may not have expired yet; deadlines are in the order of the tickets.
    private var nextExpiry = 0
    private var events: [Int64: [Event]] = [:]
    private var joining: [TicketRecord] = []
    private var waitingPlayers = 0
    private let opponentsKept: Int

    init(_ simulation: Simulation) {
        self.simulation = simulation
        rules = simulation.modeRules
        players = simulation.crowd.players.map { PlayerState(games: $0.member.games) }
        opponentsKept = max(rules.recentOpponents, rules.expansions.compactMap(\.recentOpponents).max() ?? 0)
        let all = simulation.rules
        for pool in all.pools where pool.mode == simulation.mode {
            let regions = all.regions(of: pool)
            pools.append(PoolState(regions: regions, matcher: Matcher(rules: rules, regions: regions)))
        }
    }

    mutating func records() -> RunRecords {
        let span = simulation.crowd.span
        let tick = simulation.tickMs
        var now = span.lowerBound
        var minute = span.lowerBound + 60_000
        while now < span.upperBound {
            now = min(now + tick, span.upperBound)
            happen(at: now)
            arrive(until: now)
            expire(at: now)
            for pool in pools.indices where !pools[pool].waiting.isEmpty { match(pool, at: now) }
            while minute <= now {
                kept.backlog.append(Int32(waitingPlayers))
                minute += 60_000
            }
        }
        return kept
    }

    // MARK: Queueing

    private mutating func arrive(until now: Int64) {
        let arrivals = simulation.crowd.arrivals
        while nextArrival < arrivals.count, arrivals[nextArrival].at <= now {
            let number = nextArrival
            nextArrival += 1
            guard !arrivals[number].players.contains(where: { players[Int($0)].isBusy }) else {
                kept.busyArrivals += 1
                continue
            }
            for player in arrivals[number].players { players[Int(player)].isBusy = true }
            joining.append(TicketRecord(arrival: Int32(number), visit: 0, queuedAt: arrivals[number].at))
        }
        // By time, whether they arrive or come back: so deadlines are in the order of the tickets.
        joining.sort { ($0.queuedAt, $0.arrival) < ($1.queuedAt, $1.arrival) }
        for record in joining {
            kept.tickets.append(record)
            kept.tickets[kept.tickets.count - 1].pool = pool(of: record.arrival)
            wait(Int32(kept.tickets.count - 1))
        }
        joining.removeAll(keepingCapacity: true)
    }

    /// Events are kept under the end of the tick in which they fall.
    private mutating func plan(_ event: Event, at time: Int64) {
        let start = simulation.crowd.span.lowerBound
        let tick = simulation.tickMs
        let due = start + (time - start + tick - 1) / tick * tick
        // The last tick of a span may be shorter than the others.
        events[min(due, max(simulation.crowd.span.upperBound, time)), default: []].append(event)
    }

    private mutating func happen(at now: Int64) {
        for event in events.removeValue(forKey: now) ?? [] {
            switch event {
            case .queue(let arrival, let visit, let at):
                joining.append(TicketRecord(arrival: arrival, visit: visit, queuedAt: at))
            case .putBack(let ticket): putBack(ticket, at: now)
            case .leave(let arrival): free(arrival)
            }
        }
    }

    private mutating func putBack(_ ticket: Int32, at now: Int64) {
        let record = kept.tickets[Int(ticket)]
        guard Double(now - record.queuedAt) / 1_000 < rules.waitSecondsMax else {
            end(ticket, .expired, at: now)
            free(record.arrival)
            return
        }
        wait(ticket)
    }

    private mutating func wait(_ ticket: Int32) {
        let record = kept.tickets[Int(ticket)]
        kept.tickets[Int(ticket)].isWaiting = true
        let queued = self.ticket(ticket)
        pools[Int(record.pool)].waiting.insert(queued)
        waitingPlayers += queued.members.count
    }

    private func pool(of arrival: Int32) -> Int32 {
        let arrival = simulation.crowd.arrivals[Int(arrival)]
        if let region = arrival.region, let place = pools.firstIndex(where: { $0.regions.contains(region) }) {
            return Int32(place)
        }
        guard pools.count > 1 else { return 0 }
        let leader = simulation.crowd.players[Int(arrival.players[0])].member
        let places = pools.indices.min {
            (leader.latencies[pools[$0].regions[0]] ?? .infinity)
                < (leader.latencies[pools[$1].regions[0]] ?? .infinity)
        }
        return Int32(places ?? 0)
    }

    /// As the pool's view holds it.
    private func ticket(_ number: Int32) -> QueuedTicket {
        let record = kept.tickets[Int(number)]
        let members = simulation.crowd.arrivals[Int(record.arrival)].players.map { place in
            var member = simulation.crowd.players[Int(place)].member
            let state = players[Int(place)]
            member.games = state.games
            member.streak = state.streak
            member.recentOpponents = state.opponents
            return member
        }
        return QueuedTicket(
            id: Self.id(number), queuedAt: Instant(milliseconds: record.queuedAt), members: members)
    }

    /// Names that sort as numbers do, short enough to be kept without a heap object.
    private static func id(_ number: Int32) -> TicketID {
        let digits = String(number)
        return TicketID("T" + String(repeating: "0", count: 10 - digits.count) + digits)
    }

    private static func number(of id: TicketID) -> Int32 { Int32(id.rawValue.dropFirst()) ?? -1 }

    private mutating func expire(at now: Int64) {
        let waitMax = Int64(rules.waitSecondsMax * 1_000)
        while nextExpiry < kept.tickets.count, kept.tickets[nextExpiry].queuedAt + waitMax <= now {
            let record = kept.tickets[nextExpiry]
            // One that is proposed just then may still be accepted; else it expires when it is put back.
            if record.isWaiting {
                let number = Int32(nextExpiry)
                if let gone = pools[Int(record.pool)].waiting.remove(Self.id(number)) {
                    waitingPlayers -= gone.members.count
                }
                end(number, .expired, at: record.queuedAt + waitMax)
                free(record.arrival)
            }
            nextExpiry += 1
        }
    }

    private mutating func end(_ ticket: Int32, _ end: TicketRecord.End, at time: Int64) {
        kept.tickets[Int(ticket)].isWaiting = false
        kept.tickets[Int(ticket)].end = end
        kept.tickets[Int(ticket)].endedAt = time
    }

    private mutating func free(_ arrival: Int32) {
        for player in simulation.crowd.arrivals[Int(arrival)].players { players[Int(player)].isBusy = false }
    }

    // MARK: Matching

    private mutating func match(_ pool: Int, at now: Int64) {
        let proposals = pools[pool].matcher.tick(&pools[pool].waiting, at: Instant(milliseconds: now))
        for proposal in proposals { settle(proposal, at: now) }
    }

    private mutating func settle(_ proposal: Proposal, at now: Int64) {
        let numbers = proposal.tickets.map { Self.number(of: $0.id) }
        for number in numbers {
            if !kept.tickets[Int(number)].isWaiting { kept.faults.append("ticket \(number) matched while not waiting") }
            kept.tickets[Int(number)].isWaiting = false
        }
        waitingPlayers -= proposal.players.count
        let answers = answers(numbers, at: now)
        guard answers.allSatisfy(\.accepts) else {
            refuse(numbers, answers, at: now)
            return
        }
        begin(proposal, numbers, at: now, answered: answers.map(\.after).max() ?? 0)
    }

    /// What each ticket's players say to a proposal, and after how many ms the last of them does.
    private func answers(_ numbers: [Int32], at now: Int64) -> [(accepts: Bool, after: Int64)] {
        guard rules.needsAcceptance else { return numbers.map { _ in (true, 0) } }
        let habits = simulation.crowd.habits
        return numbers.map { number in
            let record = kept.tickets[Int(number)]
            var dice = Dice(simulation.seed, "answer", Int(record.arrival), Int(record.visit), Int(now))
            var answer = (accepts: true, after: Int64(0))
            for _ in simulation.crowd.arrivals[Int(record.arrival)].players {
                let accepts = dice.happens(habits.accepts)
                let seconds = min(dice.exponential(mean: habits.answerSeconds), rules.acceptSeconds)
                // Half of those who don't accept say so; the others keep silent.
                let isSilent = dice.happens(0.5) && !accepts
                answer.accepts = answer.accepts && accepts
                answer.after = max(answer.after, Int64((isSilent ? rules.acceptSeconds : seconds) * 1_000))
            }
            return answer
        }
    }

    private mutating func refuse(_ numbers: [Int32], _ answers: [(accepts: Bool, after: Int64)], at now: Int64) {
        kept.refusedProposals += 1
        // The first refusal ends the proposal for all.
        let over = now + max(1, answers.filter { !$0.accepts }.map(\.after).min() ?? 0)
        for (number, answer) in zip(numbers, answers) {
            guard answer.accepts else {
                end(number, .declined, at: now)
                free(kept.tickets[Int(number)].arrival)
                continue
            }
            plan(.putBack(ticket: number), at: over)
        }
    }

    private mutating func begin(_ proposal: Proposal, _ numbers: [Int32], at now: Int64, answered: Int64) {
        let match = Int32(kept.matches.count)
        let members = proposal.players
        let known = members.compactMap { $0.latencies[proposal.region] }
        kept.latencies += known.map { Float($0) }
        let ratings = members.map(\.skill.rating)
        kept.matches.append(
            MatchRecord(
                at: now, region: Int32(simulation.rules.regions.firstIndex(of: proposal.region) ?? 0),
                players: Int32(members.count), bots: Int32(proposal.bots.reduce(0, +)),
                spread: (ratings.max() ?? 0) - (ratings.min() ?? 0), gap: proposal.predictedGap,
                latency: known.min().flatMap { low in known.max().map { low...$0 } }))
        var dice = Dice(simulation.seed, "match", Int(kept.tickets[Int(numbers[0])].arrival), Int(now))
        let habits = simulation.crowd.habits
        let seconds = min(max(30, dice.normal(habits.matchSeconds, habits.matchSpread)), rules.matchSecondsMax)
        let over = now + answered + Int64(seconds * 1_000)
        play(proposal, &dice)
        for number in numbers {
            end(number, .matched, at: now)
            kept.tickets[Int(number)].match = match
            let record = kept.tickets[Int(number)]
            var wish = Dice(simulation.seed, "wish", Int(record.arrival), Int(record.visit))
            let isBack = wish.happens(habits.returns)
            let back = over + Int64(wish.exponential(mean: habits.pauseSeconds) * 1_000)
            plan(
                isBack
                    ? .queue(arrival: record.arrival, visit: record.visit + 1, at: back)
                    : .leave(arrival: record.arrival),
                at: isBack ? back : over)
        }
    }

    /// Who wins, by what the players can really do, and what that leaves with them.
    private mutating func play(_ proposal: Proposal, _ dice: inout Dice) {
        let teams = proposal.teams.map { team in
            team.flatMap { simulation.crowd.arrivals[Int(kept.tickets[Int(Self.number(of: $0.id))].arrival)].players }
        }
        let weights = teams.map { team in
            let mean = team.reduce(0) { $0 + simulation.crowd.players[Int($1)].strength } / Double(max(1, team.count))
            return TeamBalance.chance(of: mean, against: 1_500) / TeamBalance.chance(of: 1_500, against: mean)
        }
        let winner = dice.choice(weights)
        for (place, team) in teams.enumerated() {
            let met = opponentsKept == 0 ? [] : teams.enumerated().filter { $0.offset != place }.flatMap(\.element)
            for player in team.map({ Int($0) }) {
                let streak = players[player].streak
                players[player].streak = place == winner ? max(1, streak + 1) : min(-1, streak - 1)
                players[player].games += 1
                guard opponentsKept > 0 else { continue }
                let opponents = met.map { simulation.crowd.players[Int($0)].member.player } + players[player].opponents
                players[player].opponents = Array(opponents.prefix(opponentsKept))
            }
        }
    }
}

extension Proposal {
    /// How far the predicted chance of the strongest team against the weakest is from even, 0 to 0.5.
    var predictedGap: Double { WinChance.gap(of: teams.map { $0.flatMap(\.members).map(\.skill) }) }
}
