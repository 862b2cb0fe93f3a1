import GameModel
import Testing

@testable import Matchmaking

@Suite("Any rules, any tickets")
struct MatchingPropertyTests {
    @Test("every match holds to every rule, and nobody is in two", arguments: UInt64(1)...60)
    func everyRule(seed: UInt64) {
        var world = MatchingWorld(seed: seed, isPlain: false)
        let all = (0..<40).map { world.ticket($0) }
        var waiting = WaitingTickets()
        for ticket in all { waiting.insert(ticket) }
        let matches = Matcher(rules: world.rules, regions: world.regions).match(&waiting, at: world.now)
        let referee = PlainReferee(rules: world.rules, regions: world.regions, now: world.now)
        var left = Set(all.map(\.id))
        var players: Set<PlayerID> = []
        for match in matches {
            for ticket in match.tickets {
                #expect(left.remove(ticket.id) != nil, "\(ticket.id) is in two matches (seed \(seed))")
                for member in ticket.members {
                    #expect(players.insert(member.player).inserted, "\(member.player) is in two (seed \(seed))")
                }
            }
            for team in match.teams {
                #expect(team.reduce(0) { $0 + $1.members.count } == world.rules.teamSize, "seed \(seed)")
            }
            #expect(match.tickets.contains { $0.id == match.anchor.id })
            #expect(referee.mayMeet(match.tickets, anchor: match.anchor), "seed \(seed)")
            #expect(referee.mayOppose(match.teams, anchor: match.anchor), "seed \(seed)")
            #expect(referee.allowedRegions(match.tickets).contains(match.region), "seed \(seed)")
            if let most = world.rules.teamGapMax {
                let gap = WinChance.gap(of: match.teams.map { $0.flatMap(\.members).map(\.skill) })
                // Streaks count in the division; each shifts a player by 30 points at most.
                #expect(gap <= most + 0.1, "seed \(seed)")
            }
            if !world.rules.roles.isEmpty {
                for team in match.teams {
                    let taken = team.flatMap(\.members).compactMap { match.roles[$0.player] }
                    #expect(Set(taken).isSuperset(of: ["healer", "tank"]), "seed \(seed)")
                }
            }
        }
        #expect(left == Set(waiting.all.map(\.id)), "seed \(seed)")
    }

    @Test("no one is passed over who waited longer and could be an anchor", arguments: [true, false], UInt64(1)...25)
    func longestFirst(isPlain: Bool, seed: UInt64) {
        var world = MatchingWorld(seed: 1_000 + seed, isPlain: isPlain)
        let all = (0..<14).map { world.ticket($0) }
        var waiting = WaitingTickets()
        for ticket in all { waiting.insert(ticket) }
        let matcher = Matcher(rules: world.rules, regions: world.regions)
        let matches = matcher.match(&waiting, at: world.now)
        var oracle = AnchorOracle(matcher: matcher, world: world)
        var left = all.sorted { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }
        for match in matches {
            let first = left.first { oracle.canAnchor($0, of: left) }
            #expect(first?.id == match.anchor.id, "seed \(seed)")
            let taken = Set(match.tickets.map(\.id))
            left.removeAll { taken.contains($0.id) }
        }
        let missed = left.first { oracle.canAnchor($0, of: left) }
        #expect(missed == nil, "\(missed?.id.rawValue ?? "") was left (seed \(seed), \(world.rules))")
    }

    @Test("ticks make the matches of full passes where ratings and sizes decide", arguments: UInt64(1)...60)
    func ticksArePasses(seed: UInt64) {
        var world = MatchingWorld(seed: 5_000 + seed, isPlain: true)
        let matcher = Matcher(rules: world.rules, regions: world.regions)
        var byTick = WaitingTickets(for: matcher)
        var byPass = WaitingTickets()
        var index = 0
        for round in 0..<60 {
            let now = world.now + .milliseconds(round * 700)
            for _ in 0..<Int.random(in: 0...6, using: &world.random) {
                let ticket = world.ticket(index, queuedAt: now)
                index += 1
                byTick.insert(ticket)
                byPass.insert(ticket)
            }
            if let gone = byPass.all.randomElement(using: &world.random), Bool.random(using: &world.random) {
                byTick.remove(gone.id)
                byPass.remove(gone.id)
            }
            let ticked = matcher.tick(&byTick, at: now)
            let passed = matcher.match(&byPass, at: now)
            #expect(
                ticked.map { $0.tickets.map(\.id) } == passed.map { $0.tickets.map(\.id) },
                "seed \(seed), round \(round)")
            if let refused = passed.randomElement(using: &world.random), Bool.random(using: &world.random) {
                for ticket in refused.tickets {
                    byTick.insert(ticket)
                    byPass.insert(ticket)
                }
            }
        }
        #expect(byTick.all == byPass.all, "seed \(seed)")
    }

    @Test("ticks leave nothing for longer than one sweep that a full pass would match", arguments: UInt64(1)...40)
    func ticksReach(seed: UInt64) {
        var world = MatchingWorld(seed: 9_000 + seed, isPlain: false)
        let matcher = Matcher(rules: world.rules, regions: world.regions)
        var waiting = WaitingTickets()
        var index = 0
        var now = world.now
        for _ in 0..<30 {
            now = now + .milliseconds(300)
            for _ in 0..<Int.random(in: 0...4, using: &world.random) {
                waiting.insert(world.ticket(index, queuedAt: now))
                index += 1
            }
            _ = matcher.tick(&waiting, at: now)
        }
        // One sweep: with few tickets one is looked at by each tick.
        for _ in 0...waiting.count { _ = matcher.tick(&waiting, at: now) }
        #expect(matcher.match(&waiting, at: now).isEmpty, "seed \(seed)")
    }
}

/// Whether a ticket could be the anchor of some match: every group of the others is tried.
struct AnchorOracle {
    let matcher: Matcher
    let referee: PlainReferee
    private var assembly: TeamAssembly

    init(matcher: Matcher, world: MatchingWorld) {
        self.matcher = matcher
        referee = PlainReferee(rules: world.rules, regions: world.regions, now: world.now)
        assembly = TeamAssembly(matcher.plan.compiled)
    }

    mutating func canAnchor(_ anchor: QueuedTicket, of all: [QueuedTicket]) -> Bool {
        let window = referee.window(anchor) + 1e-9
        let others = all.filter {
            $0.id != anchor.id && !referee.isHeld($0)
                && abs(referee.rating($0) - referee.rating(anchor)) <= window
        }
        guard !referee.isHeld(anchor) else { return false }
        var group = [anchor]
        return grow(&group, anchor.members.count, others[...], anchor)
    }

    private mutating func grow(
        _ group: inout [QueuedTicket], _ players: Int, _ others: ArraySlice<QueuedTicket>, _ anchor: QueuedTicket
    ) -> Bool {
        if players == referee.rules.playersPerMatch { return divides(group, anchor) }
        var rest = others
        while let next = rest.popFirst() {
            guard players + next.members.count <= referee.rules.playersPerMatch else { continue }
            group.append(next)
            let isPossible = referee.mayMeet(group, anchor: anchor)
            if isPossible, grow(&group, players + next.members.count, rest, anchor) { return true }
            group.removeLast()
        }
        return false
    }

    /// By the code's own division, which has tests of its own against every division there is.
    private mutating func divides(_ group: [QueuedTicket], _ anchor: QueuedTicket) -> Bool {
        var tickets = CompiledTickets(matcher.plan.compiled)
        for (slot, ticket) in group.enumerated() { tickets.store(ticket, at: Int32(slot)) }
        let slots = ContiguousArray((0..<group.count).map(Int32.init))
        return assembly.assemble(slots, in: tickets, step: tickets.step(0, at: referee.now), at: referee.now)
    }
}
