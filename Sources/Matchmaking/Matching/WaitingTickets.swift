import GameModel

/// The tickets of a pool that wait: a ranker's view, rebuilt from Redis at any time.
///
/// It keeps them in two orders at once, by waiting and by rating, as linked lists through one array: adding, removing
/// and finding the next neighbour in rating cost about the same for ten tickets as for a hundred thousand. Ratings are
/// sorted into buckets one point wide; within a bucket the longest-waiting is first.
public struct WaitingTickets: Sendable {
    /// What the lists hold of a ticket: numbers only, so that walking them touches no reference counts.
    private struct Node {
        var rating: Double = 0
        var queuedAt: Int64 = 0
        var bucket: Int32 = 0
        var older: Int32 = -1
        var newer: Int32 = -1
        var bucketOlder: Int32 = -1
        var bucketNewer: Int32 = -1
    }

    private static let none: Int32 = -1

    private var nodes: ContiguousArray<Node> = []
    private var tickets: ContiguousArray<QueuedTicket?> = []
    private var free: ContiguousArray<Int32> = []
    private var slots: [TicketID: Int32] = [:]
    private var oldest = Self.none
    private var newest = Self.none
    private var bucketOldest = ContiguousArray<Int32>(repeating: -1, count: RatingBuckets.count)
    private var bucketNewest = ContiguousArray<Int32>(repeating: -1, count: RatingBuckets.count)
    private var occupied = RatingBuckets()

    public init() {}

    public var count: Int { slots.count }
    public var isEmpty: Bool { slots.isEmpty }

    public func contains(_ id: TicketID) -> Bool { slots[id] != nil }

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
        guard slots[ticket.id] == nil else { return false }
        var node = Node()
        node.rating = ticket.rating
        node.queuedAt = ticket.queuedAt.milliseconds
        node.bucket = Int32(RatingBuckets.bucket(of: ticket.rating))
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
            nodes[Int(slot)] = node
            tickets[Int(slot)] = ticket
        } else {
            slot = Int32(nodes.count)
            nodes.append(node)
            tickets.append(ticket)
        }
        slots[ticket.id] = slot
        linkByWaiting(slot)
        linkInBucket(slot)
        return true
    }

    /// Takes a ticket out; `nil` where it is not here.
    @discardableResult
    public mutating func remove(_ id: TicketID) -> QueuedTicket? {
        guard let slot = slots.removeValue(forKey: id) else { return nil }
        let node = nodes[Int(slot)]
        if node.older == Self.none { oldest = node.newer } else { nodes[Int(node.older)].newer = node.newer }
        if node.newer == Self.none { newest = node.older } else { nodes[Int(node.newer)].older = node.older }
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
        free.append(slot)
        defer { tickets[Int(slot)] = nil }
        return tickets[Int(slot)]
    }

    // MARK: Walking, for the matcher

    /// The longest-waiting ticket's place in the order of waiting.
    var first: Int32? { oldest == Self.none ? nil : oldest }

    func next(after slot: Int32) -> Int32? {
        let next = nodes[Int(slot)].newer
        return next == Self.none ? nil : next
    }

    func ticket(at slot: Int32) -> QueuedTicket? { tickets[Int(slot)] }
    func rating(at slot: Int32) -> Double { nodes[Int(slot)].rating }
    func queuedAt(at slot: Int32) -> Int64 { nodes[Int(slot)].queuedAt }

    /// Visits the tickets around one in rating, nearer buckets first, of equally near ones the longest-waiting first,
    /// none further off than `window`, until the visitor answers `false`.
    func visitNeighbours(of anchor: Int32, within window: Double, _ visit: (Int32) -> Bool) {
        let rating = nodes[Int(anchor)].rating
        let home = Int(nodes[Int(anchor)].bucket)
        let lowest = RatingBuckets.bucket(of: rating - window)
        let highest = RatingBuckets.bucket(of: rating + window)
        guard visitBucket(home, around: rating, within: window, except: anchor, visit) else { return }
        var below = home > lowest ? occupied.last(through: home - 1, from: lowest) : nil
        var above = home < highest ? occupied.first(from: home + 1, through: highest) : nil
        while below != nil || above != nil {
            let takesBelow: Bool
            if let low = below, let high = above {
                let isNearer = home - low < high - home
                let isOlder = home - low == high - home && headTime(low) <= headTime(high)
                takesBelow = isNearer || isOlder
            } else {
                takesBelow = below != nil
            }
            if takesBelow, let low = below {
                guard visitBucket(low, around: rating, within: window, except: anchor, visit) else { return }
                below = low > lowest ? occupied.last(through: low - 1, from: lowest) : nil
            } else if let high = above {
                guard visitBucket(high, around: rating, within: window, except: anchor, visit) else { return }
                above = high < highest ? occupied.first(from: high + 1, through: highest) : nil
            }
        }
    }

    private func visitBucket(
        _ bucket: Int, around rating: Double, within window: Double, except anchor: Int32, _ visit: (Int32) -> Bool
    ) -> Bool {
        var slot = bucketOldest[bucket]
        while slot != Self.none {
            let node = nodes[Int(slot)]
            // The buckets at the edges (and the outermost, which hold all that is beyond) reach further than the
            // window.
            if slot != anchor, abs(node.rating - rating) <= window, !visit(slot) { return false }
            slot = node.bucketNewer
        }
        return true
    }

    private func headTime(_ bucket: Int) -> Int64 { nodes[Int(bucketOldest[bucket])].queuedAt }

    // MARK: Linking

    private func isOlder(_ left: Int32, than right: Int32) -> Bool {
        let (leftTime, rightTime) = (nodes[Int(left)].queuedAt, nodes[Int(right)].queuedAt)
        if leftTime != rightTime { return leftTime < rightTime }
        guard let leftTicket = tickets[Int(left)], let rightTicket = tickets[Int(right)] else { return false }
        return leftTicket.id < rightTicket.id
    }

    /// Walks from both ends at once: a new ticket belongs at the end, one that came back with its old time near the
    /// start.
    private mutating func linkByWaiting(_ slot: Int32) {
        var fromNewest = newest
        var fromOldest = oldest
        var older = Self.none
        var newer = Self.none
        while true {
            if fromNewest == Self.none || isOlder(fromNewest, than: slot) {
                older = fromNewest
                newer = older == Self.none ? oldest : nodes[Int(older)].newer
                break
            }
            if fromOldest == Self.none || isOlder(slot, than: fromOldest) {
                newer = fromOldest
                older = newer == Self.none ? newest : nodes[Int(newer)].older
                break
            }
            fromNewest = nodes[Int(fromNewest)].older
            fromOldest = nodes[Int(fromOldest)].newer
        }
        nodes[Int(slot)].older = older
        nodes[Int(slot)].newer = newer
        if older == Self.none { oldest = slot } else { nodes[Int(older)].newer = slot }
        if newer == Self.none { newest = slot } else { nodes[Int(newer)].older = slot }
    }

    private mutating func linkInBucket(_ slot: Int32) {
        let bucket = Int(nodes[Int(slot)].bucket)
        var older = bucketNewest[bucket]
        while older != Self.none, isOlder(slot, than: older) { older = nodes[Int(older)].bucketOlder }
        let newer = older == Self.none ? bucketOldest[bucket] : nodes[Int(older)].bucketNewer
        nodes[Int(slot)].bucketOlder = older
        nodes[Int(slot)].bucketNewer = newer
        if older == Self.none { bucketOldest[bucket] = slot } else { nodes[Int(older)].bucketNewer = slot }
        if newer == Self.none { bucketNewest[bucket] = slot } else { nodes[Int(newer)].bucketOlder = slot }
        occupied.insert(bucket)
    }
}
