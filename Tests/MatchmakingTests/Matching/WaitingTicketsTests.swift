import GameModel
import Testing

@testable import Matchmaking

@Suite("The waiting tickets")
struct WaitingTicketsTests {
    @Test("agree with a plain list on random insertions and removals", arguments: [UInt64(11), 12, 13])
    func agreement(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var waiting = WaitingTickets()
        var plain: [QueuedTicket] = []
        for step in 0..<2_000 {
            if plain.isEmpty || Int.random(in: 0..<5, using: &random) < 3 {
                let ticket = QueuedTicket(
                    id: TicketID("t\(step)"), player: PlayerID("p"),
                    queuedAt: Instant(milliseconds: Int64.random(in: 0..<500, using: &random)),
                    skill: Skill(rating: Double.random(in: -50...4_200, using: &random), deviation: 1))
                waiting.insert(ticket)
                plain.append(ticket)
            } else {
                let gone = plain.remove(at: Int.random(in: 0..<plain.count, using: &random))
                #expect(waiting.remove(gone.id) == gone)
                #expect(waiting.remove(gone.id) == nil)
            }
        }
        #expect(waiting.all == plain.sorted { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }, "seed \(seed)")

        // From every ticket, the neighbours within a window are those of the plain list, nearer buckets first.
        var slot = waiting.first
        while let here = slot, let anchor = waiting.ticket(at: here) {
            var found: [TicketID] = []
            var lastDistance = 0
            var walk = NeighbourWalk(around: anchor.rating, within: 40, in: waiting)
            while case let other = walk.next(in: waiting), other != WaitingTickets.none {
                let distance = abs(
                    RatingBuckets.bucket(of: waiting.rating(at: other)) - RatingBuckets.bucket(of: anchor.rating))
                #expect(distance >= lastDistance)
                lastDistance = distance
                if let ticket = waiting.ticket(at: other) { found.append(ticket.id) }
            }
            let expected = plain.filter { abs($0.rating - anchor.rating) <= 40 }
            #expect(Set(found) == Set(expected.map(\.id)) && found.count == expected.count, "seed \(seed)")
            var totals = ContiguousArray<Int32>(repeating: 0, count: 1)
            waiting.sum(around: anchor.rating, within: 40, into: &totals)
            #expect(Int(totals[0]) == expected.count, "seed \(seed)")
            slot = waiting.next(after: here)
        }
    }

    @Test("keep their order when tickets come back with old times", arguments: [UInt64(5), 6])
    func comeBack(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var waiting = WaitingTickets()
        var plain: [QueuedTicket] = []
        for index in 0..<3_000 {
            let ticket = QueuedTicket(
                id: TicketID("t\(index)"), player: PlayerID("p\(index)"),
                queuedAt: Instant(milliseconds: Int64(index / 3) * 7), skill: .unknown)
            waiting.insert(ticket)
            plain.append(ticket)
        }
        for _ in 0..<3_000 {
            let ticket = plain[Int.random(in: 0..<plain.count, using: &random)]
            waiting.remove(ticket.id)
            if Bool.random(using: &random) { waiting.remove(plain[Int.random(in: 0..<plain.count, using: &random)].id) }
            waiting.insert(ticket)
        }
        for ticket in plain { waiting.insert(ticket) }
        #expect(waiting.all == plain.sorted { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }, "seed \(seed)")
    }
}
