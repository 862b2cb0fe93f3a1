import Fleet
import GameModel

/// What the fleet's scripts do, said once more as plain values: their specification. Time is left out: an allocation is
/// expired from its birth or never, and silence is a step.
struct FleetModel {
    struct Instance: Equatable {
        var slots = 0
        var build = ""
        var state: InstanceState?
        var order: StandingOrder.Kind?
        /// What `slots` in Redis says; `nil` where the instance is not offered.
        var free: Int?
        /// The build that it is offered as.
        var offered = ""
    }

    var instances: [InstanceID: Instance] = [:]
    var allocations: [MatchID: InstanceID] = [:]
    /// Allocated, and no heartbeat named it: whether its time to be joined is over.
    var unseen: [MatchID: Bool] = [:]
    var lost: [MatchID: LostMatch] = [:]
    /// In the order in which they were offered first.
    var builds: [String] = []
    var target: String?

    func held(by instance: InstanceID) -> [MatchID] { allocations.filter { $0.value == instance }.map(\.key) }

    private mutating func move(_ instance: InstanceID, to state: InstanceState) {
        guard let from = instances[instance]?.state else {
            instances[instance]?.state = state
            return
        }
        if from.mayBecome(state) { instances[instance]?.state = state }
    }

    private mutating func emptied(_ instance: InstanceID) {
        if instances[instance]?.state == .allocated, held(by: instance).isEmpty { move(instance, to: .ready) }
    }

    mutating func heartbeat(_ id: InstanceID, _ beat: InstanceHeartbeat) {
        var instance = instances[id] ?? Instance()
        (instance.slots, instance.build) = (beat.slots, beat.build)
        instances[id] = instance
        let running = Set(beat.matches)
        for match in beat.matches {
            let owner = allocations.updateValue(id, forKey: match)
            if let owner, owner != id { emptied(owner) }
            unseen[match] = nil
            lost[match] = nil
        }
        var busy = running.count
        for match in held(by: id) where !running.contains(match) {
            switch unseen[match] {
            case nil: allocations[match] = nil
            case false?: busy += 1
            case true?: break
            }
        }
        if beat.state == .draining || beat.slots == 0 { instances[id]?.order = .drain }
        let order = instances[id]?.order
        let holds = !held(by: id).isEmpty
        if order == .drain {
            move(id, to: .draining)
        } else if beat.state == .ready || holds && beat.state == .starting {
            move(id, to: holds ? .allocated : .ready)
        } else {
            move(id, to: beat.state)
        }
        if instances[id]?.state == .draining, !holds { move(id, to: .shutdown) }
        if instances[id]?.state?.takesMatches == true, order == nil {
            if !builds.contains(beat.build) { builds.append(beat.build) }
            instances[id]?.free = max(0, beat.slots - busy)
            instances[id]?.offered = beat.build
        } else {
            instances[id]?.free = nil
        }
    }

    mutating func allocate(
        _ match: MatchID, build: String?, _ strategy: AllocationStrategy, isExpired: Bool
    ) -> InstanceID? {
        if let instance = allocations[match] { return instance }
        var order: [String] = []
        if let build {
            order = [build]
        } else {
            order = Array(builds.reversed())
            if let target, builds.contains(target) { order = [target] + order.filter { $0 != target } }
        }
        for build in order {
            let room = instances.filter { $0.value.offered == build && ($0.value.free ?? 0) > 0 }
                .map { (free: $0.value.free ?? 0, instance: $0.key) }
                .sorted { ($0.free, $0.instance) < ($1.free, $1.instance) }
            guard let found = strategy == .pack ? room.first : room.last else { continue }
            allocations[match] = found.instance
            unseen[match] = isExpired
            lost[match] = nil
            instances[found.instance]?.free = found.free - 1
            move(found.instance, to: .allocated)
            return found.instance
        }
        return nil
    }

    mutating func release(_ match: MatchID) {
        lost[match] = nil
        guard let instance = allocations.removeValue(forKey: match) else { return }
        let isExpired = unseen.removeValue(forKey: match) ?? false
        if !isExpired, let free = instances[instance]?.free { instances[instance]?.free = free + 1 }
        emptied(instance)
    }

    mutating func lose(_ instance: InstanceID) {
        for match in held(by: instance) {
            allocations[match] = nil
            unseen[match] = nil
            lost[match] = LostMatch(match: match, reason: .instanceDied, instance: instance)
        }
        instances[instance] = nil
    }

    mutating func drain(_ instance: InstanceID) {
        guard instances[instance] != nil else { return }
        if instances[instance]?.order != .drain {
            instances[instance]?.order = .drain
            instances[instance]?.free = nil
        }
        if instances[instance]?.state != .unhealthy { move(instance, to: .draining) }
    }

    mutating func cordon(_ instance: InstanceID) {
        guard instances[instance] != nil, instances[instance]?.order != .drain else { return }
        instances[instance]?.order = .cordon
        instances[instance]?.free = nil
    }

    mutating func uncordon(_ instance: InstanceID) {
        if instances[instance]?.order == .cordon { instances[instance]?.order = nil }
    }

    mutating func fallSilent() {
        for instance in instances.keys {
            instances[instance]?.free = nil
            move(instance, to: .unhealthy)
        }
    }

    mutating func expire() {
        for match in unseen.filter(\.value).keys {
            unseen[match] = nil
            let instance = allocations.removeValue(forKey: match)
            if let instance { emptied(instance) }
            lost[match] = LostMatch(match: match, reason: .notJoined, instance: instance)
        }
    }
}
