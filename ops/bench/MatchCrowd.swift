import Foundation
import GameModel
import Matchmaking

/// Tickets for the matcher's benchmark: ratings normal, 1500 ± 350; alone, or in parties of one to five. The same seed,
/// the same tickets.
struct MatchCrowd {
    /// Of tickets, how many are of one, two, … five players.
    static let partyShares = [0.5, 0.25, 0.12, 0.06, 0.07]

    private var random: SplitMix64
    private let hasParties: Bool
    private var made = 0

    init(seed: UInt64, hasParties: Bool) {
        random = SplitMix64(seed: seed)
        self.hasParties = hasParties
    }

    /// The next ticket. A party's members are within some 60 points of each other.
    mutating func ticket(at queuedAt: Instant) -> QueuedTicket {
        let size = hasParties ? partySize() : 1
        let rating = 1_500 + 350 * normal()
        made += 1
        let id = made
        var members: [TicketMember] = []
        for member in 0..<size {
            let own = size == 1 ? rating : rating + 60 * normal()
            // As long as real names: 26 letters.
            members.append(
                TicketMember(
                    player: PlayerID("01BENCHBENCHBENCH\(1_000_000 + id)\(member + 10)"),
                    skill: Skill(rating: own, deviation: 80), games: 50))
        }
        return QueuedTicket(
            id: TicketID("bench.eu.01BENCHBENCHBENCHB\(10_000_000 + id)"), queuedAt: queuedAt, members: members)
    }

    /// A waiting time until the next arrival of so many a second, in seconds: arrivals don't know of each other.
    mutating func gap(perSecond rate: Double) -> Double {
        -log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)) / rate
    }

    private mutating func partySize() -> Int {
        var share = Double.random(in: 0..<1, using: &random)
        for (index, part) in Self.partyShares.enumerated() {
            if share < part { return index + 1 }
            share -= part
        }
        return 1
    }

    private mutating func normal() -> Double {
        let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
    }
}
