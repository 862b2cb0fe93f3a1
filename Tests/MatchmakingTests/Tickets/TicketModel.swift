import GameModel
import Testing

@testable import Matchmaking

/// What the scripts should do, in plain Swift.
struct TicketModel {
    struct Entry {
        var state: TicketState
        var match: MatchID?
        var placements = 0
        let players: [PlayerID]
        var joined: Set<PlayerID>
        var accepted: Set<PlayerID> = []
        /// When it was queued first, as the reply of that step said.
        var queuedAt: Instant?
    }

    struct Match {
        var state: MatchState
        let tickets: [TicketID]
    }

    private(set) var tickets: [TicketID: Entry] = [:]
    private(set) var matches: [MatchID: Match] = [:]
    /// In the order of their making, so that a seed's random choices are the same in every run: their names are not.
    private(set) var ticketsMade: [TicketID] = []
    private(set) var matchesMade: [MatchID] = []
    /// How often a ticket came into the queue.
    private(set) var entered = 0
    /// The states that any ticket was in.
    private(set) var reached: Set<TicketState> = []

    /// The live ticket that a player has joined.
    func ticket(of player: PlayerID) -> TicketID? {
        tickets.first { !$0.value.state.isFinal && $0.value.joined.contains(player) }?.key
    }

    mutating func create(_ ticket: Ticket) {
        tickets[ticket.id] = Entry(
            state: ticket.state, players: ticket.players, joined: [ticket.players[0]],
            queuedAt: ticket.state == .queued ? ticket.queuedAt : nil)
        ticketsMade.append(ticket.id)
        reached.insert(ticket.state)
        if ticket.state == .queued { entered += 1 }
    }

    mutating func join(_ id: TicketID, _ player: PlayerID, at queuedAt: Instant) {
        guard tickets[id]?.joined.insert(player).inserted == true, let entry = tickets[id] else { return }
        guard entry.joined.count == entry.players.count else { return }
        move(id, to: .queued)
        tickets[id]?.queuedAt = queuedAt
    }

    mutating func move(_ id: TicketID, to state: TicketState) {
        guard var entry = tickets[id] else { return }
        #expect(entry.state.next.contains(state), "\(entry.state) → \(state) is not in the table")
        entry.state = state
        reached.insert(state)
        if state == .queued {
            entry.match = nil
            entry.accepted = []
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
        matchesMade.append(match)
    }

    mutating func end(_ match: MatchID, as state: MatchState) {
        guard var entry = matches[match] else { return }
        #expect(entry.state.next.contains(state), "match \(entry.state) → \(state) is not in the table")
        entry.state = state
        matches[match] = entry
    }

    mutating func accept(_ id: TicketID, _ player: PlayerID) {
        guard tickets[id]?.state == .proposed else { return }
        tickets[id]?.accepted.insert(player)
        guard let entry = tickets[id], let match = entry.match, entry.accepted.count == entry.players.count else {
            return
        }
        move(id, to: .accepted)
        guard let roster = matches[match]?.tickets, roster.allSatisfy({ tickets[$0]?.state == .accepted }) else {
            return
        }
        end(match, as: .placing)
        for ticket in roster { move(ticket, to: .placing) }
    }

    /// One leaves; the rest of its proposal, if there is one, is queued again.
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
        for id in entry.tickets {
            let isWhole = tickets[id].map { $0.accepted.count == $0.players.count } ?? false
            move(id, to: isWhole ? .queued : .expired)
        }
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
