extension WaitingTickets {
    /// The most buckets that are looked at one by one for how far an anchor would have to reach.
    private static let bucketLooksMax = 256

    /// How many of each kind are listed within a window: exact, tickets at its edges are looked at one by one.
    func sum(around rating: Double, within window: Double, into totals: inout ContiguousArray<Int32>) {
        for column in totals.indices { totals[column] = 0 }
        let lowest = RatingBuckets.bucket(of: rating - window)
        let highest = RatingBuckets.bucket(of: rating + window)
        if highest - lowest > 1 { counts.sum(lowest + 1...highest - 1, into: &totals) }
        sumEdge(lowest, around: rating, within: window, into: &totals)
        if highest != lowest { sumEdge(highest, around: rating, within: window, into: &totals) }
    }

    private func sumEdge(
        _ bucket: Int, around rating: Double, within window: Double, into totals: inout ContiguousArray<Int32>
    ) {
        var isWhole = true
        var slot = oldest(inBucket: bucket)
        while slot != Self.none, isWhole {
            isWhole = abs(nodes[Int(slot)].rating - rating) <= window
            slot = nodes[Int(slot)].bucketNewer
        }
        if isWhole { return counts.sum(bucket...bucket, into: &totals) }
        slot = oldest(inBucket: bucket)
        while slot != Self.none {
            let size = Int(nodes[Int(slot)].size)
            if abs(nodes[Int(slot)].rating - rating) <= window, size <= plan.sizes {
                totals[size - 1] += 1
            }
            slot = nodes[Int(slot)].bucketNewer
        }
        // Players by role are not told apart at the edges: all of the bucket count.
        guard plan.columns > plan.sizes else { return }
        var all = ContiguousArray<Int32>(repeating: 0, count: plan.columns)
        counts.sum(bucket...bucket, into: &all)
        for column in plan.sizes..<plan.columns { totals[column] += all[column] }
    }

    /// How far an anchor has to reach at least until there are enough of each kind for its match, in points; `nil`
    /// where that is further than any window gets.
    func reach(
        of anchor: Int32, _ fewest: Int, beyond window: Double, within farthest: Double,
        _ totals: inout ContiguousArray<Int32>
    ) -> Double? {
        let (rating, size) = (nodes[Int(anchor)].rating, Int(nodes[Int(anchor)].size))
        let bounds = RatingBuckets.bucket(of: rating - farthest)...RatingBuckets.bucket(of: rating + farthest)
        for column in totals.indices { totals[column] = 0 }
        counts.sum(bounds, into: &totals)
        guard plan.couldMatch(fewest, with: size, totals) else { return nil }
        let lowest = RatingBuckets.bucket(of: rating - window)
        let highest = RatingBuckets.bucket(of: rating + window)
        for column in totals.indices { totals[column] = 0 }
        counts.sum(lowest...highest, into: &totals)
        // Only tickets in the buckets at the edges were out of reach: the nearest of them may do.
        if plan.couldMatch(fewest, with: size, totals) {
            return min(outside(lowest, rating, window), outside(highest, rating, window))
        }
        var below = lowest > bounds.lowerBound ? occupied.last(through: lowest - 1, from: bounds.lowerBound) : nil
        var above = highest < bounds.upperBound ? occupied.first(from: highest + 1, through: bounds.upperBound) : nil
        for _ in 0..<Self.bucketLooksMax {
            let down = below.map { rating - Double($0 + 1) } ?? .infinity
            let up = above.map { Double($0) - rating } ?? .infinity
            guard down < .infinity || up < .infinity else { return nil }
            let bucket = down <= up ? below ?? 0 : above ?? 0
            counts.sum(bucket...bucket, into: &totals)
            if plan.couldMatch(fewest, with: size, totals) { return min(down, up) }
            if down <= up {
                below = bucket > bounds.lowerBound ? occupied.last(through: bucket - 1, from: bounds.lowerBound) : nil
            } else {
                above = bucket < bounds.upperBound ? occupied.first(from: bucket + 1, through: bounds.upperBound) : nil
            }
        }
        return min(below.map { rating - Double($0 + 1) } ?? .infinity, above.map { Double($0) - rating } ?? .infinity)
    }

    /// The distance of the nearest ticket of a bucket that is out of reach.
    private func outside(_ bucket: Int, _ rating: Double, _ window: Double) -> Double {
        var nearest = Double.infinity
        var slot = oldest(inBucket: bucket)
        while slot != Self.none {
            let distance = abs(nodes[Int(slot)].rating - rating)
            if distance > window { nearest = min(nearest, distance) }
            slot = nodes[Int(slot)].bucketNewer
        }
        return nearest
    }
}
