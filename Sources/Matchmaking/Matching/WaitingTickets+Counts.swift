extension WaitingTickets {
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
        return extend(from: lowest...highest, to: bounds, around: rating, &totals) { totals in
            plan.couldMatch(fewest, with: size, totals)
        }
    }

    /// Takes buckets in, the nearer first, until there are enough: whole blocks as long as they are not. Answers the
    /// distance of the bucket that made it so, and after many looks that of the next.
    private func extend(
        from start: ClosedRange<Int>, to bounds: ClosedRange<Int>, around rating: Double,
        _ totals: inout ContiguousArray<Int32>, _ areEnough: (ContiguousArray<Int32>) -> Bool
    ) -> Double? {
        var (below, above) = (start.lowerBound, start.upperBound)
        var tried = totals
        var stride = WaitingCounts.blockSize
        while true {
            let down = below > bounds.lowerBound ? rating - Double(below) : .infinity
            let up = above < bounds.upperBound ? Double(above + 1) - rating : .infinity
            guard down < .infinity || up < .infinity else { return nil }
            let isDown = down <= up
            let range =
                isDown
                ? max(bounds.lowerBound, below - stride)...below - 1
                : above + 1...min(bounds.upperBound, above + stride)
            for column in totals.indices { tried[column] = totals[column] }
            counts.sum(range, into: &tried)
            if areEnough(tried) {
                if range.count == 1 || stride == 1 { return max(0, min(down, up)) }
                stride = max(1, stride / 8)
            } else {
                swap(&totals, &tried)
                if isDown { below = range.lowerBound } else { above = range.upperBound }
            }
        }
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
