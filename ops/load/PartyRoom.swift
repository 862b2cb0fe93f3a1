/// Where the players of one party meet before each queueing: those who are still there wait for each other, the first
/// of them leads, and the others are told the ticket.
actor PartyRoom {
    /// One queueing of the party.
    struct Round: Sendable, Equatable {
        let number: Int
        /// The players, the leader first.
        let players: [String]
    }

    /// What the leader's queueing led to.
    private enum News {
        case ticket(String)
        case none
    }

    private var present: Set<Int>
    private var number = 0
    private var arrived: [Int: (player: String, stream: AsyncStream<Round>.Continuation)] = [:]
    private var news: [Int: News] = [:]
    private var listeners: [Int: [AsyncStream<String?>.Continuation]] = [:]

    init(size: Int) { present = Set(0..<size) }

    /// A room for each party, by its number.
    static func rooms(of wishes: [PlayerWish]) -> [Int: PartyRoom] {
        var rooms: [Int: PartyRoom] = [:]
        for place in wishes.compactMap(\.party) where rooms[place.party] == nil {
            rooms[place.party] = PartyRoom(size: place.size)
        }
        return rooms
    }

    /// Waits for all who are still of the party.
    func meet(_ member: Int, _ player: String) async throws -> Round {
        let (stream, continuation) = AsyncStream.makeStream(of: Round.self)
        arrived[member] = (player, continuation)
        beginIfComplete()
        for await round in stream { return round }
        // The stream ends early with the task alone.
        throw CancellationError()
    }

    /// The member comes no more; the others go on without.
    func leave(_ member: Int) {
        present.remove(member)
        beginIfComplete()
    }

    /// The leader has a ticket for the round, or could not get one.
    func announce(_ round: Round, _ ticket: String?) {
        news[round.number] = ticket.map(News.ticket) ?? News.none
        for listener in listeners.removeValue(forKey: round.number) ?? [] {
            listener.yield(ticket)
            listener.finish()
        }
    }

    /// The ticket of the round, once the leader has it; `nil` where the leader could not get one.
    func ticket(of round: Round) async throws -> String? {
        switch news[round.number] {
        case .ticket(let ticket): return ticket
        case .some(.none): return nil
        case nil: break
        }
        let (stream, continuation) = AsyncStream.makeStream(of: String?.self)
        listeners[round.number, default: []].append(continuation)
        for await ticket in stream { return ticket }
        throw CancellationError()
    }

    private func beginIfComplete() {
        guard !present.isEmpty, present.isSubset(of: arrived.keys) else { return }
        number += 1
        let members = arrived.filter { present.contains($0.key) }.sorted { $0.key < $1.key }
        let round = Round(number: number, players: members.map(\.value.player))
        arrived = [:]
        for (_, member) in members {
            member.stream.yield(round)
            member.stream.finish()
        }
    }
}
