/// A walk over the tickets around a rating: nearer buckets first, of equally near ones that with the longest-waiting,
/// none further off than `window`; without a closure or a reference count on the way.
struct NeighbourWalk {
    private static let passesMax = 32

    private let rating: Double
    private let window: Double
    private let home: Int
    private let lowest: Int
    private let highest: Int
    /// The ticket to visit next within the present bucket.
    private var slot: Int32
    /// The next buckets on either side; -1 where there is none.
    private var below: Int
    private var above: Int
    /// The sizes of which no more are wanted, as bits from that of 1 on: buckets of such alone are passed over.
    var unwanted: UInt32 = 0
    /// Whether many unwanted buckets in a row were passed over.
    private(set) var hasPassed = false

    init(around rating: Double, within window: Double, in waiting: borrowing WaitingTickets) {
        self.rating = rating
        self.window = window
        home = RatingBuckets.bucket(of: rating)
        lowest = RatingBuckets.bucket(of: rating - window)
        highest = RatingBuckets.bucket(of: rating + window)
        slot = waiting.oldest(inBucket: home)
        below = home > lowest ? waiting.occupied.last(through: home - 1, from: lowest) ?? -1 : -1
        above = home < highest ? waiting.occupied.first(from: home + 1, through: highest) ?? -1 : -1
    }

    /// The next ticket, the one in the middle of the walk included; -1 at the end.
    mutating func next(in waiting: borrowing WaitingTickets) -> Int32 {
        while true {
            while slot != WaitingTickets.none {
                let found = slot
                slot = waiting.nodes[Int(found)].bucketNewer
                // The buckets at the edges (and the outermost, which hold all that is beyond) reach further than the
                // window.
                if abs(waiting.nodes[Int(found)].rating - rating) <= window { return found }
            }
            guard advance(in: waiting) else { return WaitingTickets.none }
            guard unwanted != 0 else { continue }
            // After so many, its tickets are visited all the same: the walker may want to give up.
            var passes = 0
            while passes < Self.passesMax, !isWanted(waiting), advance(in: waiting) { passes += 1 }
            hasPassed = hasPassed || passes == Self.passesMax
        }
    }

    private func isWanted(_ waiting: borrowing WaitingTickets) -> Bool {
        let bucket = Int(waiting.nodes[Int(slot)].bucket)
        for size in 0..<waiting.plan.sizes where unwanted & (1 << UInt32(size)) == 0 {
            if waiting.counts.count(size, of: bucket) > 0 { return true }
        }
        return false
    }

    private mutating func advance(in waiting: borrowing WaitingTickets) -> Bool {
        guard below >= 0 || above >= 0 else { return false }
        let takesBelow: Bool
        if below >= 0, above >= 0 {
            let (down, up) = (home - below, above - home)
            takesBelow = down < up || (down == up && headTime(below, waiting) <= headTime(above, waiting))
        } else {
            takesBelow = below >= 0
        }
        if takesBelow {
            slot = waiting.oldest(inBucket: below)
            below = below > lowest ? waiting.occupied.last(through: below - 1, from: lowest) ?? -1 : -1
        } else {
            slot = waiting.oldest(inBucket: above)
            above = above < highest ? waiting.occupied.first(from: above + 1, through: highest) ?? -1 : -1
        }
        return true
    }

    private func headTime(_ bucket: Int, _ waiting: borrowing WaitingTickets) -> Int64 {
        waiting.nodes[Int(waiting.oldest(inBucket: bucket))].queuedAt
    }
}
