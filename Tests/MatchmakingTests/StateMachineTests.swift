import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("The scripts")
struct StateMachineTests {
    /// What the scripts should do, in plain Swift.
    private struct Model {
        struct Entry {
            var state: TicketState
            var match: MatchID?
            var placements = 0
            let ticket: Ticket
        }

        struct Match {
            var state: MatchState
            let tickets: [TicketID]
            var accepted: Set<TicketID> = []
        }

        var tickets: [TicketID: Entry] = [:]
        var matches: [MatchID: Match] = [:]
        /// How often a ticket came into the queue.
        var entered = 0

        mutating func move(_ id: TicketID, to state: TicketState) {
            guard var entry = tickets[id] else { return }
            #expect(entry.state.next.contains(state), "\(entry.state) → \(state) is not in the table")
            entry.state = state
            if state == .queued {
                entry.match = nil
                entered += 1
            }
            tickets[id] = entry
        }

        mutating func propose(_ ids: [TicketID], as match: MatchID) {
            for id in ids {
                move(id, to: .proposed)
                tickets[id]?.match = match
            }
            matches[match] = Match(state: .proposed, tickets: ids)
        }

        mutating func end(_ match: MatchID, as state: MatchState) {
            guard var entry = matches[match] else { return }
            #expect(entry.state.next.contains(state), "match \(entry.state) → \(state) is not in the table")
            entry.state = state
            matches[match] = entry
        }

        mutating func accept(_ id: TicketID) {
            guard let match = tickets[id]?.match, tickets[id]?.state == .proposed else { return }
            move(id, to: .accepted)
            matches[match]?.accepted.insert(id)
            guard let entry = matches[match], entry.accepted.count == entry.tickets.count else { return }
            end(match, as: .placing)
            for ticket in entry.tickets { move(ticket, to: .placing) }
        }

        /// One leaves; the rest of the proposal is queued again.
        mutating func leave(_ id: TicketID, as state: TicketState, _ matchState: MatchState) {
            guard let entry = tickets[id] else { return }
            move(id, to: state)
            guard let match = entry.match, let roster = matches[match]?.tickets else { return }
            end(match, as: matchState)
            for other in roster where other != id { move(other, to: .queued) }
        }

        mutating func timeOut(_ match: MatchID) {
            guard let entry = matches[match] else { return }
            end(match, as: .expired)
            for id in entry.tickets { move(id, to: entry.accepted.contains(id) ? .queued : .expired) }
        }

        mutating func fail(_ match: MatchID, placementsMax: Int) {
            guard let entry = matches[match] else { return }
            let from = entry.state
            end(match, as: .failed)
            for id in entry.tickets {
                tickets[id]?.placements += 1
                let isOver = from == .ready || (tickets[id]?.placements ?? 0) >= placementsMax
                move(id, to: isOver ? .failed : .queued)
            }
        }
    }

    @Test(
        "do what the model does on random interleavings, with a stale ranker among them", arguments: [UInt64(1), 2, 3])
    func model(seed: UInt64) async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels { $0.placementsMax = 2 }, logger: testLogger)
            var random = SplitMix64(seed: seed)
            var model = Model()
            var players = 0
            // The old lease is given up for a new one: its fence must never commit again.
            let stale = try await service.takePool("old")
            _ = try await redis.send(RedisCommand("DEL", RedisArgument(MatchmakingKeys(duelEU).lease)))
            let lease = try await service.takePool("new")
            for _ in 0..<400 {
                let step = Int.random(in: 0..<10, using: &random)
                let ids = model.tickets.keys.sorted()
                let matches = model.matches.filter { !$0.value.state.isFinal }.keys.sorted()
                switch step {
                case 0, 1:
                    players += 1
                    let ticket = try await service.queue("player\(players)")
                    model.tickets[ticket.id] = .init(state: .queued, ticket: ticket)
                    model.entered += 1
                case 2, 3:
                    // Any two tickets, whether queued or not: as a ranker with a view that is behind would.
                    guard ids.count >= 2 else { continue }
                    let pair = Array(ids.shuffled(using: &random).prefix(2))
                    let isStale = Int.random(in: 0..<4, using: &random) == 0
                    let outcome = try await service.propose(
                        pair.compactMap { model.tickets[$0]?.ticket }, lease: isStale ? stale : lease)
                    let behind = Set(pair.filter { model.tickets[$0]?.state != .queued })
                    switch outcome {
                    case .fenced: #expect(isStale)
                    case .notQueued(let gone): #expect(!isStale && gone == behind)
                    case .proposed(let match):
                        #expect(!isStale && behind.isEmpty, "seed \(seed)")
                        model.propose(pair, as: match)
                    }
                case 4, 5:
                    guard let id = ids.randomElement(using: &random), let state = model.tickets[id]?.state else {
                        continue
                    }
                    let isFine: Set<TicketState> = [.proposed, .accepted, .placing, .ready]
                    let after = await outcome { try await service.accept(id) }
                    #expect((after != nil) == isFine.contains(state), "accept from \(state), seed \(seed)")
                    if state == .proposed { model.accept(id) }
                case 6:
                    guard let id = ids.randomElement(using: &random), let state = model.tickets[id]?.state else {
                        continue
                    }
                    let after = await outcome { try await service.decline(id) }
                    #expect((after != nil) == (state == .proposed || state == .declined), "decline from \(state)")
                    if state == .proposed { model.leave(id, as: .declined, .declined) }
                case 7:
                    guard let id = ids.randomElement(using: &random), let state = model.tickets[id]?.state else {
                        continue
                    }
                    let isFine: Set<TicketState> = [.queued, .proposed, .accepted, .cancelled]
                    let after = await outcome { try await service.cancel(id) }
                    #expect((after != nil) == isFine.contains(state), "cancel from \(state), seed \(seed)")
                    if state != .cancelled, isFine.contains(state) { model.leave(id, as: .cancelled, .cancelled) }
                case 8:
                    guard let match = matches.randomElement(using: &random) else { continue }
                    try await end(match, in: &model, service, &random)
                default:
                    let queued = ids.filter { model.tickets[$0]?.state == .queued }
                    guard let id = queued.randomElement(using: &random) else { continue }
                    try await service.makeDue(id)
                    try await service.settleDeadlines()
                    model.move(id, to: .expired)
                }
            }
            for (id, entry) in model.tickets {
                let ticket = try await service.ticket(id)
                #expect(ticket?.state == entry.state, "\(id), seed \(seed)")
                #expect(ticket?.queuedAt == entry.ticket.queuedAt, "the original time is kept, seed \(seed)")
            }
            for (id, entry) in model.matches { #expect(try await service.match(id)?.state == entry.state) }
            let depth = try await service.depth(of: duelEU)
            #expect(depth.entered == model.entered, "seed \(seed)")
            #expect(depth.waiting.count == depth.entered - depth.left, "seed \(seed)")
            for finding in try await MatchmakingAudit(service: service).run() {
                #expect(finding.holds, "\(finding), seed \(seed)")
            }
        }
    }

    /// The next thing that happens to a match that is under way.
    private func end(
        _ match: MatchID, in model: inout Model, _ service: MatchmakingService, _ random: inout SplitMix64
    ) async throws {
        switch model.matches[match]?.state {
        case .proposed:
            try await service.makeDue(match)
            try await service.settleDeadlines()
            model.timeOut(match)
        case .placing where Bool.random(using: &random):
            try await service.markReady(
                match, Assignment(instanceId: InstanceID("i"), host: "127.0.0.1", port: 7_000))
            model.end(match, as: .ready)
            for id in model.matches[match]?.tickets ?? [] { model.move(id, to: .ready) }
        case .ready where Bool.random(using: &random):
            #expect(try await service.finish(match))
            model.end(match, as: .finished)
            for id in model.matches[match]?.tickets ?? [] { model.move(id, to: .finished) }
        default:
            #expect(try await service.failPlacement(match, reason: "test"))
            model.fail(match, placementsMax: 2)
        }
    }

    /// The ticket after, or `nil` where its state did not allow it.
    private func outcome(_ action: () async throws -> Ticket) async -> Ticket? {
        do {
            return try await action()
        } catch let error as MatchmakingError {
            if case .ticketState = error { return nil }
            Issue.record(error)
        } catch {
            Issue.record(error)
        }
        return nil
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
        #expect(MatchState.allCases.filter { $0.isFinal }.count == 5)
    }
}
