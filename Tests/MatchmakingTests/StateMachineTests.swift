import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("The scripts")
struct StateMachineTests {
    @Test(
        "do what the model does on random interleavings of players, parties and two rankers of which one is stale",
        arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func model(seed: UInt64) async throws {
        try await withRedis { redis, _ in
            let rules = duels {
                $0.teamSize = 2
                $0.partyMax = 3
                $0.placementsMax = 2
                // Only the steps move time, however slow the machine is.
                $0.joinSeconds = 3_600
                $0.acceptSeconds = 600
                $0.placeSeconds = 3_600
                $0.waitSecondsMax = 86_400
                $0.abandonedSeconds = 0
            }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            var run = Interleaving(service: service, seed: seed, lease: try await service.takePool("r0"))
            for _ in 0..<800 { try await run.step() }
            try await run.check()
        }
    }

    @Test("final states lead nowhere, and every other state leads to one")
    func table() {
        for state in TicketState.allCases {
            var reached: Set<TicketState> = [state]
            var queue = [state]
            while let here = queue.popLast() {
                for next in here.next where reached.insert(next).inserted { queue.append(next) }
            }
            #expect(reached.contains { $0.isFinal }, "\(state)")
        }
        #expect(TicketState.allCases.filter { $0.isFinal }.count == 5)
        #expect(TicketState.forming.next == [.queued, .cancelled, .expired])
        #expect(MatchState.allCases.filter { $0.isFinal }.count == 5)
    }
}

/// Random steps of players, rankers and allocators, each done by the scripts and by the model.
private struct Interleaving {
    let service: MatchmakingService
    let seed: UInt64
    /// The lease's value of the ranker that holds the pool, and of the one before, which was paused.
    var lease: String
    var stale: String?
    var model = TicketModel()
    var random: SplitMix64
    var owners = 1
    /// Few enough that they meet again.
    let players = (0..<24).map { PlayerID("p\($0)") }

    init(service: MatchmakingService, seed: UInt64, lease: String) {
        self.service = service
        self.seed = seed
        self.lease = lease
        random = SplitMix64(seed: seed)
    }

    mutating func step() async throws {
        switch Int.random(in: 0..<22, using: &random) {
        case 0..<4: try await create()
        case 4..<7: try await join()
        case 7..<11: try await propose()
        case 11..<16:
            // Mostly a few in a row, or matches would seldom be accepted by all.
            for _ in 0..<4 { try await accept() }
        case 16: try await turnDown()
        case 17: try await decline()
        case 18: try await cancel()
        case 19: try await expire()
        case 20: try await endMatch()
        default:
            if Int.random(in: 0..<4, using: &random) == 0 { try await takeOver() } else { try await endMatch() }
        }
    }

    /// A ticket of one player or a party; refused for whom another ticket claims.
    private mutating func create() async throws {
        let party = Array(players.shuffled(using: &random).prefix([1, 1, 2, 3].randomElement(using: &random) ?? 1))
        let active = model.ticket(of: party[0])
        let request = TicketRequest(
            leader: TicketMember(player: party[0]), mode: duelEU.mode, region: duelEU.region,
            party: Array(party.dropFirst()))
        switch await attempt({ try await service.createTicket(request) }) {
        case .success(let ticket):
            #expect(active == nil, "seed \(seed)")
            #expect(ticket.state == (party.count == 1 ? .queued : .forming))
            model.create(ticket)
        case .failure(let error):
            #expect(active.map { error == .ticketActive($0) } == true, "\(error), seed \(seed)")
        }
    }

    private mutating func anyTicket(_ states: Set<TicketState>) -> TicketID? {
        // Mostly where it is allowed, else a step would seldom lead anywhere.
        let all = model.ticketsMade
        let fitting = all.filter { states.contains(model.tickets[$0]?.state ?? .failed) }
        return (Int.random(in: 0..<5, using: &random) == 0 ? all : fitting).randomElement(using: &random)
    }

    private mutating func join() async throws {
        guard let id = anyTicket([.forming]), let entry = model.tickets[id],
            let player = entry.players.randomElement(using: &random)
        else { return }
        let other = model.ticket(of: player)
        let hasJoined = entry.joined.contains(player) && !entry.state.isFinal
        let mayJoin = entry.state == .forming && other == nil
        switch await attempt({ try await service.join(id, TicketMember(player: player)) }) {
        case .success(let ticket):
            #expect(mayJoin || hasJoined, "join from \(entry.state), seed \(seed)")
            model.join(id, player, at: ticket.queuedAt)
            #expect(ticket.state == model.tickets[id]?.state, "seed \(seed)")
        case .failure(let error):
            #expect(!mayJoin && !hasJoined, "join from \(entry.state): \(error), seed \(seed)")
            if let other, entry.state == .forming { #expect(error == .ticketActive(other), "seed \(seed)") }
        }
    }

    private mutating func turnDown() async throws {
        guard let id = anyTicket([.forming]), let entry = model.tickets[id] else { return }
        let player = entry.players[entry.players.count - 1]
        let after = await outcome { try await service.turnDown(id, by: player) }
        guard entry.state == .forming else {
            #expect(after == nil || after?.reason == "turned-down", "turn down from \(entry.state), seed \(seed)")
            return
        }
        #expect(after?.state == .cancelled, "seed \(seed)")
        model.move(id, to: .cancelled)
    }

    /// Any two tickets, whether queued or not: as a ranker with a view that is behind would.
    private mutating func propose() async throws {
        guard let one = anyTicket([.queued]), let two = anyTicket([.queued]), one != two else { return }
        var pair: [Ticket] = []
        for id in [one, two] {
            if let ticket = try await service.ticket(id), !ticket.members.isEmpty { pair.append(ticket) }
        }
        guard pair.count == 2 else { return }
        var used = lease
        if let stale, Int.random(in: 0..<4, using: &random) == 0 { used = stale }
        let isStale = used != lease
        let behind = Set([one, two].filter { model.tickets[$0]?.state != .queued })
        switch try await service.propose(pair, lease: used) {
        case .fenced: #expect(isStale, "seed \(seed)")
        case .notQueued(let gone): #expect(!isStale && gone == behind, "seed \(seed)")
        case .proposed(let match):
            #expect(!isStale && behind.isEmpty, "seed \(seed)")
            model.propose([one, two], as: match)
        }
    }

    /// The ranker is paused for so long that another has its pool by now.
    private mutating func takeOver() async throws {
        _ = try await service.redis.send(RedisCommand("DEL", RedisArgument(MatchmakingKeys(duelEU).lease)))
        stale = lease
        lease = try await service.takePool("r\(owners)")
        owners += 1
    }

    private mutating func accept() async throws {
        guard let id = anyTicket([.proposed]), let entry = model.tickets[id],
            let player = entry.players.randomElement(using: &random)
        else { return }
        let isFine: Set<TicketState> = [.proposed, .accepted, .placing, .ready]
        // The whole ticket at once, as a ticket of one player is.
        let isForAll = Int.random(in: 0..<4, using: &random) == 0
        let after = await outcome { try await service.accept(id, by: isForAll ? nil : player) }
        #expect((after != nil) == isFine.contains(entry.state), "accept from \(entry.state), seed \(seed)")
        for player in isForAll ? entry.players : [player] { model.accept(id, player) }
        if let after { #expect(after.state == model.tickets[id]?.state, "seed \(seed)") }
    }

    private mutating func decline() async throws {
        guard let id = anyTicket([.proposed]), let entry = model.tickets[id] else { return }
        let after = await outcome { try await service.decline(id, by: entry.players[0]) }
        let isFine = entry.state == .proposed || entry.state == .declined
        #expect((after != nil) == isFine, "decline from \(entry.state), seed \(seed)")
        if entry.state == .proposed { model.leave(id, as: .declined, .declined) }
    }

    private mutating func cancel() async throws {
        let isFine: Set<TicketState> = [.forming, .queued, .proposed, .accepted]
        guard let id = anyTicket(isFine), let entry = model.tickets[id] else { return }
        let after = await outcome { try await service.cancel(id, by: entry.players[0]) }
        #expect(
            (after != nil) == (isFine.contains(entry.state) || entry.state == .cancelled),
            "cancel from \(entry.state), seed \(seed)")
        if isFine.contains(entry.state) { model.leave(id, as: .cancelled, .cancelled) }
    }

    private mutating func expire() async throws {
        let waits: Set<TicketState> = [.forming, .queued]
        guard let id = anyTicket(waits), let state = model.tickets[id]?.state else { return }
        try await service.makeOverdue(id)
        try await service.settleDeadlines()
        if waits.contains(state) { model.move(id, to: .expired) }
    }

    /// The next thing that happens to a match that is under way.
    private mutating func endMatch() async throws {
        let live = model.matchesMade.filter { model.matches[$0]?.state.isFinal == false }
        guard let match = live.randomElement(using: &random), let entry = model.matches[match] else { return }
        switch entry.state {
        case .proposed:
            try await service.makeDue(match)
            try await service.settleDeadlines()
            model.timeOut(match)
        case .placing where Int.random(in: 0..<3, using: &random) > 0:
            try await service.markReady(
                match, Assignment(instanceId: InstanceID("i"), host: "127.0.0.1", port: 7_000))
            model.end(match, as: .ready)
            for id in entry.tickets { model.move(id, to: .ready) }
        case .ready where Bool.random(using: &random):
            #expect(try await service.finish(match))
            model.end(match, as: .finished)
            for id in entry.tickets { model.move(id, to: .finished) }
        default:
            #expect(try await service.failPlacement(match, reason: "test"))
            model.fail(match, placementsMax: 2)
        }
    }

    private func attempt(_ action: () async throws -> Ticket) async -> Result<Ticket, MatchmakingError> {
        do {
            return .success(try await action())
        } catch {
            guard let known = error as? MatchmakingError else {
                Issue.record(error, "seed \(seed)")
                return .failure(.redis(.cancelled))
            }
            return .failure(known)
        }
    }

    /// The ticket after, or `nil` where its state did not allow it.
    private func outcome(_ action: () async throws -> Ticket) async -> Ticket? {
        switch await attempt(action) {
        case .success(let ticket): return ticket
        case .failure(.ticketState): return nil
        case .failure(let error):
            Issue.record(error, "seed \(seed)")
            return nil
        }
    }

    /// Redis holds what the model does: no ticket lost or doubled, original times kept, claims consistent.
    func check() async throws {
        for (id, entry) in model.tickets {
            let ticket = try await service.ticket(id)
            #expect(ticket?.state == entry.state, "\(id), seed \(seed)")
            if let queuedAt = entry.queuedAt {
                #expect(ticket?.queuedAt == queuedAt, "the original time is kept, seed \(seed)")
            }
            if !entry.state.isFinal { #expect(ticket?.accepted == entry.accepted, "\(id), seed \(seed)") }
        }
        for (id, entry) in model.matches { #expect(try await service.match(id)?.state == entry.state) }
        for player in players {
            #expect(try await service.claim(of: player.rawValue) == model.ticket(of: player), "seed \(seed)")
        }
        let depth = try await service.depth(of: duelEU)
        #expect(depth.entered == model.entered, "seed \(seed)")
        #expect(depth.waiting.count == model.tickets.values.filter { $0.state == .queued }.count, "seed \(seed)")
        for finding in try await MatchmakingAudit(service: service).run() {
            #expect(finding.holds, "\(finding), seed \(seed)")
            #expect(finding.note == nil, "at rest, seed \(seed)")
        }
        #expect(model.reached == Set(TicketState.allCases), "the steps lead everywhere, seed \(seed)")
    }
}
