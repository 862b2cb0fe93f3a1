import GameModel

extension Matcher {
    /// Of all waiting tickets, one part in so many is looked at by each tick's sweep, at least one and at most
    /// ``sweepMax``.
    private static let sweepPart = 64
    private static let sweepMax = 128
    /// Where other rules than ratings and sizes hold, a search may cost much: of the anchors that are tried again, and
    /// of those that changed tickets wake, each tick tries so many.
    private static let triesMax = 64
    /// How long an anchor that rules other than ratings and sizes kept from a match is left alone, in ms.
    private static let retryMs: Int64 = 1_000

    /// Takes matches out of the waiting tickets as ``match(_:at:limit:band:)`` does, but tries only those anchors for
    /// which something changed since the last tick: the tickets that came, those within whose reach they are, and those
    /// whose window or limits have widened far enough. It costs what changed, not what waits.
    ///
    /// Where only ratings and party sizes matter, the matches are those of a full pass, unless more than some hundred
    /// tickets around a changed one may have waited for it. Then, and where other rules hold, a match may be missed for
    /// as long as the sweep takes to come by all anchors: with each tick it tries a 64th of them (128 at most), so 64
    /// ticks up to 8,192 tickets.
    ///
    /// Tickets of proposals that were refused are put back by ``WaitingTickets/insert(_:)`` and count as changed.
    public func tick(
        _ waiting: inout WaitingTickets, at now: Instant, limit: Int = .max, band: ClosedRange<Double>? = nil
    ) -> [Proposal] {
        waiting.adopt(plan)
        waiting.advance(to: now)
        waking(&waiting, at: now, band)
        var round = MatchingRound(waiting.plan, at: now, limit: limit, band: band)
        if rules.backfill.priority == .first { round.fill(waiting.backfills, from: &waiting) }
        var anchors = waiting.agenda.awake
        if rules.backfill.priority == .byWait { anchors += waiting.backfills }
        waiting.agenda.awake.removeAll(keepingCapacity: true)
        if anchors.count > 1 {
            let view = waiting
            anchors.sort { view.isOlder($0, than: $1) }
        }
        var failed: ContiguousArray<Int32> = []
        for slot in anchors {
            if round.isFull {
                if waiting.nodes[Int(slot)].isAwake { waiting.agenda.awake.append(slot) }
            } else if waiting.isBackfill(slot) {
                _ = round.makeMatch(slot, .backfill, from: &waiting)
            } else if waiting.nodes[Int(slot)].isAwake {
                waiting.setAwake(slot, false)
                if !round.makeMatch(slot, .full, from: &waiting) { failed.append(slot) }
            }
        }
        takeShort(failed, &round, &waiting)
        if rules.backfill.priority == .last { round.fill(waiting.backfills, from: &waiting) }
        return round.proposals
    }

    /// Matches with fewer players for those who found no full one; then says when to try the rest again.
    private func takeShort(
        _ failed: ContiguousArray<Int32>, _ round: inout MatchingRound, _ waiting: inout WaitingTickets
    ) {
        var totals = ContiguousArray<Int32>(repeating: 0, count: waiting.plan.columns)
        let isShortAllowed = plan.playersMin < plan.seats
        for slot in failed where waiting.nodes[Int(slot)].isListed {
            if isShortAllowed {
                if round.isFull {
                    waiting.wake(slot)
                    continue
                }
                if round.makeMatch(slot, .short, from: &waiting) { continue }
            }
            schedule(slot, &waiting, &round.search, &totals, at: round.now)
        }
    }

    // MARK: Who is tried

    private func waking(_ waiting: inout WaitingTickets, at now: Instant, _ band: ClosedRange<Double>?) {
        let changed = waiting.agenda.changed
        waiting.agenda.changed.removeAll(keepingCapacity: true)
        if waiting.agenda.isStale || waiting.agenda.band != band || changed.count > waiting.count / 2 {
            waiting.agenda.isStale = false
            waiting.agenda.band = band
            return waiting.wakeAll()
        }
        var tries = waiting.plan.isPlain ? Int.max : Self.triesMax
        while tries > 0, let entry = waiting.agenda.wakes.pop(dueAt: now.milliseconds) {
            tries -= 1
            let node = waiting.nodes[Int(entry.slot)]
            if node.isListed, node.stamp == entry.stamp, node.wakeAt == entry.time { waiting.wake(entry.slot) }
        }
        var totals = ContiguousArray<Int32>(repeating: 0, count: waiting.plan.columns)
        for (slot, stamp) in changed {
            let node = waiting.nodes[Int(slot)]
            guard node.isListed, node.stamp == stamp else { continue }
            waiting.wake(slot)
        }
        tries = waiting.plan.isPlain ? Int.max : waiting.agenda.awake.count + Self.triesMax
        for (slot, stamp) in changed where waiting.agenda.awake.count < tries {
            let node = waiting.nodes[Int(slot)]
            guard node.isListed, node.stamp == stamp else { continue }
            waiting.wakeNeighbours(of: slot, at: now, &totals)
        }
        if !waiting.plan.isPlain || waiting.agenda.isCutShort { sweep(&waiting) }
        waiting.dropStaleWakes()
    }

    private func sweep(_ waiting: inout WaitingTickets) {
        let part = min(max(waiting.count / Self.sweepPart, 1), Self.sweepMax)
        var next: Int32?
        if let (slot, stamp) = waiting.agenda.swept, waiting.nodes[Int(slot)].isHere,
            waiting.nodes[Int(slot)].stamp == stamp
        {
            next = waiting.next(after: slot)
        }
        if next == nil {
            next = waiting.first
            // All were come by since.
            waiting.agenda.isCutShort = false
        }
        for _ in 0..<part {
            guard let slot = next else { break }
            if waiting.nodes[Int(slot)].isListed { waiting.wake(slot) }
            waiting.agenda.swept = (slot, waiting.nodes[Int(slot)].stamp)
            next = waiting.next(after: slot)
        }
    }

    /// Says when an anchor that found no match is to be tried again.
    private func schedule(
        _ slot: Int32, _ waiting: inout WaitingTickets, _ search: inout MatchSearch,
        _ totals: inout ContiguousArray<Int32>, at now: Instant
    ) {
        let node = waiting.nodes[Int(slot)]
        guard node.size >= 1, Int(node.size) <= plan.sizes else { return }
        let plan = waiting.plan
        let waited = now.milliseconds - node.queuedAt
        var wakeAt = plan.stepTimes.first { $0 > waited }.map { node.queuedAt + $0 } ?? .max
        let window = waiting.compiled.window(slot, at: now)
        let factor = waiting.compiled.rows[Int(slot)].windowFactor
        let fewest = search.fewestPlayers(of: slot, in: waiting, at: now)
        let isThinkable = plan.couldMatch(fewest, with: Int(node.size), waiting.counts.all)
        if isThinkable { waiting.sum(around: node.rating, within: window, into: &totals) }
        if !isThinkable {
            // Only tickets that are yet to come could help; they will wake it.
        } else if plan.couldMatch(fewest, with: Int(node.size), totals) {
            wakeAt = min(wakeAt, now.milliseconds + (plan.isPlain ? 1 : Self.retryMs))
        } else if let reach = waiting.reach(
            of: slot, fewest, beyond: window, within: plan.windowMost * factor, &totals),
            let wait = plan.wait(until: reach / factor)
        {
            wakeAt = min(wakeAt, max(node.queuedAt + wait, now.milliseconds + 1))
        }
        if wakeAt < .max { waiting.setWake(slot, at: wakeAt) }
    }
}

extension WaitingTickets {
    /// The most tickets around a changed one that are looked at for whether it is what they waited for.
    private static let wakeLooksMax = 128

    mutating func wake(_ slot: Int32) {
        guard !nodes[Int(slot)].isAwake else { return }
        setAwake(slot, true)
        agenda.awake.append(slot)
    }

    /// Entries of tickets that left, or that wait for another time by now, are thrown out when they are most.
    mutating func dropStaleWakes() {
        guard agenda.wakes.count > 4 * count + 1_024 else { return }
        agenda.wakes.removeAll()
        var next = first
        while let slot = next {
            if nodes[Int(slot)].wakeAt < .max { setWake(slot, at: nodes[Int(slot)].wakeAt) }
            next = self.next(after: slot)
        }
    }

    mutating func wakeAll() {
        agenda.awake.removeAll(keepingCapacity: true)
        agenda.wakes.removeAll()
        var next = first
        while let slot = next {
            if nodes[Int(slot)].isListed {
                setAwake(slot, true)
                agenda.awake.append(slot)
            }
            next = self.next(after: slot)
        }
    }

    /// Wakes those to whom a changed ticket matters: none has as many tickets of its size nearer as a match could use.
    mutating func wakeNeighbours(of slot: Int32, at now: Instant, _ totals: inout ContiguousArray<Int32>) {
        let node = nodes[Int(slot)]
        let size = Int(node.size)
        guard size >= 1, size <= plan.sizes else { return }
        let farthest = plan.windowMost * max(1, plan.rules.history.placementWindow)
        let bounds =
            RatingBuckets.bucket(of: node.rating - 2 * farthest)...RatingBuckets.bucket(of: node.rating + 2 * farthest)
        for column in totals.indices { totals[column] = 0 }
        counts.sum(bounds, into: &totals)
        guard plan.couldMatch(min(plan.playersMin, plan.seats), with: size, totals) else { return }
        // Where rules other than ratings and sizes hold, not all who are nearer can join: look further.
        let most = Int32(size <= MatchingPlan.sizesMax ? plan.mostOfSize[size - 1] : 100) * (plan.isPlain ? 1 : 3)
        var between: (below: Int32, above: Int32) = (0, 0)
        let home = Int(node.bucket)
        var here = oldest(inBucket: home)
        while here != Self.none {
            let other = nodes[Int(here)]
            if other.size == node.size, here != slot {
                if other.rating <= node.rating { between.below += 1 }
                if other.rating >= node.rating { between.above += 1 }
            }
            here = other.bucketNewer
        }
        var looks = 0
        wake(bucket: home, for: slot, at: now, within: farthest, &looks)
        var bucket = home > bounds.lowerBound ? occupied.last(through: home - 1, from: bounds.lowerBound) : nil
        while let here = bucket, between.below < most, looks < Self.wakeLooksMax {
            wake(bucket: here, for: slot, at: now, within: farthest, &looks)
            between.below += counts.count(size - 1, of: here)
            bucket = here > bounds.lowerBound ? occupied.last(through: here - 1, from: bounds.lowerBound) : nil
        }
        bucket = home < bounds.upperBound ? occupied.first(from: home + 1, through: bounds.upperBound) : nil
        while let here = bucket, between.above < most, looks < 2 * Self.wakeLooksMax {
            wake(bucket: here, for: slot, at: now, within: farthest, &looks)
            between.above += counts.count(size - 1, of: here)
            bucket = here < bounds.upperBound ? occupied.first(from: here + 1, through: bounds.upperBound) : nil
        }
        if looks >= Self.wakeLooksMax { agenda.isCutShort = true }
    }

    private mutating func wake(
        bucket: Int, for changed: Int32, at now: Instant, within farthest: Double, _ looks: inout Int
    ) {
        let rating = nodes[Int(changed)].rating
        var slot = oldest(inBucket: bucket)
        while slot != Self.none, looks < 2 * Self.wakeLooksMax {
            let here = slot
            slot = nodes[Int(here)].bucketNewer
            looks += 1
            let node = nodes[Int(here)]
            let distance = abs(node.rating - rating)
            if node.isAwake || distance > farthest { continue }
            if distance <= compiled.window(here, at: now) {
                wake(here)
            } else if let wait = plan.wait(until: distance / compiled.rows[Int(here)].windowFactor) {
                let time = max(node.queuedAt + wait, now.milliseconds + 1)
                if time < node.wakeAt { setWake(here, at: time) }
            }
        }
    }
}
