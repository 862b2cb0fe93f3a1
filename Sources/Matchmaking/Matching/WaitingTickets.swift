import GameModel

/// The tickets of a pool that wait: a ranker's view, rebuilt from Redis at any time.
///
/// It keeps them in two orders at once, by waiting and by rating, as linked lists through one array: adding, removing
/// and finding the next neighbour in rating cost about the same for ten tickets as for a hundred thousand. Ratings are
/// sorted into buckets one point wide; within a bucket the longest-waiting is first. Beside them it counts who waits in
/// each bucket, and remembers what changed since the last tick of a matcher (see ``MatchingAgenda``).
///
/// Backfill tickets, and those of leavers while they are held back, are in the order of waiting only.
public struct WaitingTickets: Sendable {
    static let none: Int32 = -1

    /// What the lists hold of a ticket: numbers only, so that walking them touches no reference counts.
    struct Node: Sendable {
        var rating: Double = 0
        var queuedAt: Int64 = 0
        /// When to try it as an anchor again, in ms; only an entry of the agenda for this time counts.
        var wakeAt: Int64 = .max
        var older = WaitingTickets.none
        var newer = WaitingTickets.none
        var bucketOlder = WaitingTickets.none
        var bucketNewer = WaitingTickets.none
        var bucket: Int32 = 0
        /// Differs for each ticket that ever had the slot.
        var stamp: UInt32 = 0
        /// Players; 0 for a backfill ticket.
        var size: UInt8 = 0
        var isHere = false
        /// Whether it is in its bucket, where others find it.
        var isListed = false
        var isAwake = false
    }

    private(set) var nodes: ContiguousArray<Node> = []
    private var tickets: ContiguousArray<QueuedTicket?> = []
    /// By slot; empty where the mode requires no roles.
    private(set) var roleMasks: ContiguousArray<RoleMasks> = []
    private var free: ContiguousArray<Int32> = []
    private var slots = SlotTable()
    private var oldest = Self.none
    private var newest = Self.none
    private var order = WaitingOrder()
    private var bucketOldest = ContiguousArray<Int32>(repeating: -1, count: RatingBuckets.count)
    private var bucketNewest = ContiguousArray<Int32>(repeating: -1, count: RatingBuckets.count)
    private(set) var occupied = RatingBuckets()
    private(set) var counts: WaitingCounts
    private(set) var compiled: CompiledTickets
    /// What the tickets are sorted by.
    private(set) var plan: MatchingPlan
    var agenda = MatchingAgenda()
    /// Slots of backfill tickets, in no order.
    private(set) var backfills: ContiguousArray<Int32> = []

    public init() { self.init(sortedBy: .standard) }

    /// None yet, to be sorted by a matcher's rules as they come; a matcher of other rules sorts them anew.
    public init(for matcher: Matcher) { self.init(sortedBy: matcher.plan) }

    private init(sortedBy plan: MatchingPlan) {
        self.plan = plan
        counts = WaitingCounts(columns: plan.columns)
        compiled = CompiledTickets(plan.compiled)
    }

    public var count: Int { slots.count }
    public var isEmpty: Bool { slots.count == 0 }

    public func contains(_ id: TicketID) -> Bool { slot(of: id) != nil }

    /// A waiting ticket by its name.
    public subscript(id: TicketID) -> QueuedTicket? { slot(of: id).flatMap { tickets[Int($0)] } }

    /// Those that wait, the longest-waiting first.
    public var all: [QueuedTicket] {
        var all: [QueuedTicket] = []
        all.reserveCapacity(count)
        var slot = oldest
        while slot != Self.none {
            if let ticket = tickets[Int(slot)] { all.append(ticket) }
            slot = nodes[Int(slot)].newer
        }
        return all
    }

    /// Adds a ticket; one that is here already is left as it is.
    @discardableResult
    public mutating func insert(_ ticket: QueuedTicket) -> Bool {
        let hash = ticket.id.hashValue
        guard slots.find(hash, { tickets[Int($0)]?.id == ticket.id }) == nil else { return false }
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
            tickets[Int(slot)] = ticket
        } else {
            slot = Int32(nodes.count)
            nodes.append(Node())
            tickets.append(ticket)
        }
        var node = Node()
        node.stamp = nodes[Int(slot)].stamp
        node.queuedAt = ticket.queuedAt.milliseconds
        node.isHere = true
        nodes[Int(slot)] = node
        slots.insert(slot, hash)
        linkByWaiting(slot)
        sort(ticket, at: slot)
        return true
    }

    /// Takes a ticket out; `nil` where it is not here.
    @discardableResult
    public mutating func remove(_ id: TicketID) -> QueuedTicket? {
        guard let slot = slot(of: id) else { return nil }
        return remove(at: slot)
    }

    @discardableResult
    mutating func remove(at slot: Int32) -> QueuedTicket? {
        guard nodes[Int(slot)].isHere else { return nil }
        slots.remove(slot)
        unlist(slot)
        unlinkByWaiting(slot)
        if nodes[Int(slot)].size == 0, let place = backfills.firstIndex(of: slot) { backfills.remove(at: place) }
        compiled.remove(at: slot)
        nodes[Int(slot)].isHere = false
        nodes[Int(slot)].stamp &+= 1
        free.append(slot)
        return tickets[Int(slot)].take()
    }

    // MARK: Sorting

    /// Sorts the tickets by a plan, where they are sorted by another.
    mutating func adopt(_ wanted: MatchingPlan) {
        guard plan !== wanted else { return }
        if plan.rules == wanted.rules, plan.compiled.regions == wanted.compiled.regions { return }
        plan = wanted
        counts = WaitingCounts(columns: wanted.columns)
        compiled = CompiledTickets(wanted.compiled)
        agenda = MatchingAgenda()
        backfills.removeAll()
        occupied = RatingBuckets()
        for bucket in 0..<RatingBuckets.count {
            bucketOldest[bucket] = Self.none
            bucketNewest[bucket] = Self.none
        }
        var slot = oldest
        while slot != Self.none {
            nodes[Int(slot)].isListed = false
            nodes[Int(slot)].isAwake = false
            nodes[Int(slot)].wakeAt = .max
            if let ticket = tickets[Int(slot)] { sort(ticket, at: slot) }
            slot = nodes[Int(slot)].newer
        }
    }

    /// Makes a ticket findable, now or when it is held back no longer.
    private mutating func sort(_ ticket: QueuedTicket, at slot: Int32) {
        compiled.store(ticket, at: slot)
        if !plan.roleNames.isEmpty {
            while roleMasks.count <= Int(slot) { roleMasks.append(RoleMasks()) }
            roleMasks[Int(slot)] = RoleMasks(ticket, plan.roleNames)
        }
        let row = compiled.rows[Int(slot)]
        nodes[Int(slot)].rating = row.rating
        nodes[Int(slot)].size = UInt8(min(ticket.members.count, 255))
        nodes[Int(slot)].bucket = Int32(RatingBuckets.bucket(of: row.rating))
        if ticket.backfill != nil {
            backfills.append(slot)
        } else if row.heldUntil > row.queuedAt {
            agenda.steps.push(.init(time: row.heldUntil, slot: slot, stamp: nodes[Int(slot)].stamp))
        } else {
            list(slot)
        }
        if plan.hasOwnSteps, let first = plan.stepTimes.first {
            let time = nodes[Int(slot)].queuedAt + first
            agenda.steps.push(.init(time: time, slot: slot, stamp: nodes[Int(slot)].stamp))
        }
    }

    /// Brings what depends on the time up to it: who is held back no longer, and whose own limits changed.
    mutating func advance(to now: Instant) {
        while let entry = agenda.steps.pop(dueAt: now.milliseconds) {
            let node = nodes[Int(entry.slot)]
            guard node.isHere, node.stamp == entry.stamp else { continue }
            if !node.isListed, node.size > 0, compiled.rows[Int(entry.slot)].heldUntil <= now.milliseconds {
                list(entry.slot)
            } else {
                agenda.changed.append((slot: entry.slot, stamp: entry.stamp))
            }
            let waited = now.milliseconds - node.queuedAt
            if plan.hasOwnSteps, let next = plan.stepTimes.first(where: { $0 > waited }) {
                agenda.steps.push(.init(time: node.queuedAt + next, slot: entry.slot, stamp: entry.stamp))
            }
        }
    }

    private mutating func list(_ slot: Int32) {
        nodes[Int(slot)].isListed = true
        linkInBucket(slot)
        count(slot, 1)
        agenda.changed.append((slot: slot, stamp: nodes[Int(slot)].stamp))
    }

    private mutating func unlist(_ slot: Int32) {
        guard nodes[Int(slot)].isListed else { return }
        count(slot, -1)
        let node = nodes[Int(slot)]
        let bucket = Int(node.bucket)
        if node.bucketOlder == Self.none {
            bucketOldest[bucket] = node.bucketNewer
        } else {
            nodes[Int(node.bucketOlder)].bucketNewer = node.bucketNewer
        }
        if node.bucketNewer == Self.none {
            bucketNewest[bucket] = node.bucketOlder
        } else {
            nodes[Int(node.bucketNewer)].bucketOlder = node.bucketOlder
        }
        if bucketOldest[bucket] == Self.none { occupied.remove(bucket) }
        nodes[Int(slot)].isListed = false
    }

    private mutating func count(_ slot: Int32, _ amount: Int32) {
        let (size, bucket) = (Int(nodes[Int(slot)].size), Int(nodes[Int(slot)].bucket))
        // A party too large for the mode is never matched; it only expires.
        if size >= 1, size <= plan.sizes { counts.add(amount, to: size - 1, of: bucket) }
        guard !plan.roleNames.isEmpty, let ticket = tickets[Int(slot)] else { return }
        for (index, name) in plan.roleNames.enumerated() {
            let able = ticket.members.count { $0.takes(name, everFilled: plan.everFillsRoles) }
            if able > 0 { counts.add(amount * Int32(able), to: plan.sizes + index, of: bucket) }
        }
    }

    // MARK: Reading, for the matcher

    /// The longest-waiting ticket's place in the order of waiting.
    var first: Int32? { oldest == Self.none ? nil : oldest }

    func next(after slot: Int32) -> Int32? {
        let next = nodes[Int(slot)].newer
        return next == Self.none ? nil : next
    }

    func ticket(at slot: Int32) -> QueuedTicket? { tickets[Int(slot)] }
    func rating(at slot: Int32) -> Double { nodes[Int(slot)].rating }
    func queuedAt(at slot: Int32) -> Int64 { nodes[Int(slot)].queuedAt }
    func oldest(inBucket bucket: Int) -> Int32 { bucketOldest[bucket] }
    func slot(of id: TicketID) -> Int32? { slots.find(id.hashValue) { tickets[Int($0)]?.id == id } }

    mutating func setWake(_ slot: Int32, at time: Int64) {
        nodes[Int(slot)].wakeAt = time
        agenda.wakes.push(.init(time: time, slot: slot, stamp: nodes[Int(slot)].stamp))
    }

    mutating func setAwake(_ slot: Int32, _ isAwake: Bool) { nodes[Int(slot)].isAwake = isAwake }

    func isOlder(_ left: Int32, than right: Int32) -> Bool {
        let (leftTime, rightTime) = (nodes[Int(left)].queuedAt, nodes[Int(right)].queuedAt)
        if leftTime != rightTime { return leftTime < rightTime }
        guard let leftTicket = tickets[Int(left)], let rightTicket = tickets[Int(right)] else { return false }
        return leftTicket.id < rightTicket.id
    }

    // MARK: Linking

    /// A new ticket belongs at the end; one that came back with its old time after the newest of that time.
    private mutating func linkByWaiting(_ slot: Int32) {
        let time = nodes[Int(slot)].queuedAt
        var older = order.newest(upTo: time) ?? Self.none
        while older != Self.none, isOlder(slot, than: older) { older = nodes[Int(older)].older }
        let newer = older == Self.none ? oldest : nodes[Int(older)].newer
        nodes[Int(slot)].older = older
        nodes[Int(slot)].newer = newer
        if older == Self.none { oldest = slot } else { nodes[Int(older)].newer = slot }
        if newer == Self.none { newest = slot } else { nodes[Int(newer)].older = slot }
        let unit = WaitingOrder.unit(of: time)
        if newer == Self.none || WaitingOrder.unit(of: nodes[Int(newer)].queuedAt) != unit {
            order.setNewest(slot, at: time)
        }
    }

    private mutating func unlinkByWaiting(_ slot: Int32) {
        let node = nodes[Int(slot)]
        if node.older == Self.none { oldest = node.newer } else { nodes[Int(node.older)].newer = node.newer }
        if node.newer == Self.none { newest = node.older } else { nodes[Int(node.newer)].older = node.older }
        let unit = WaitingOrder.unit(of: node.queuedAt)
        guard node.newer == Self.none || WaitingOrder.unit(of: nodes[Int(node.newer)].queuedAt) != unit else { return }
        if node.older != Self.none, WaitingOrder.unit(of: nodes[Int(node.older)].queuedAt) == unit {
            order.setNewest(node.older, at: node.queuedAt)
        } else {
            order.removeUnit(of: node.queuedAt)
        }
    }

    /// Walks from both ends at once: those that come back with their old time belong near the start.
    private mutating func linkInBucket(_ slot: Int32) {
        let bucket = Int(nodes[Int(slot)].bucket)
        var older = bucketNewest[bucket]
        var newer = bucketOldest[bucket]
        while true {
            if older == Self.none || isOlder(older, than: slot) {
                newer = older == Self.none ? bucketOldest[bucket] : nodes[Int(older)].bucketNewer
                break
            }
            if isOlder(slot, than: newer) {
                older = nodes[Int(newer)].bucketOlder
                break
            }
            older = nodes[Int(older)].bucketOlder
            newer = nodes[Int(newer)].bucketNewer
        }
        nodes[Int(slot)].bucketOlder = older
        nodes[Int(slot)].bucketNewer = newer
        if older == Self.none { bucketOldest[bucket] = slot } else { nodes[Int(older)].bucketNewer = slot }
        if newer == Self.none { bucketNewest[bucket] = slot } else { nodes[Int(newer)].bucketOlder = slot }
        occupied.insert(bucket)
    }
}

extension TicketMember {
    /// Whether a player takes a role that they asked for, or (where roles are filled) any other.
    func takes(_ role: String, everFilled: Bool) -> Bool {
        roles.isEmpty || roles.contains(role) || (everFilled && !insistsOnRoles)
    }
}
