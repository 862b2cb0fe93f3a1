import Fleet
import GameModel

/// What a region's fleet is missing or has too much of, as a function of what is there: instances to start, instances
/// to drain, instances to end. It never takes more room away than the buffer leaves, and no running match is touched:
/// what drains ends with its last match.
struct FleetPlan: Equatable, Sendable {
    struct Policy: Equatable, Sendable {
        var instancesMin: Int
        var instancesMax: Int
        /// The buffer: slots kept ready in the region, of the build that it is to run.
        var freeSlotsMin: Int
        /// Slots of each instance that is started.
        var slots: Int
        /// Matches after which an instance is replaced; `nil`: never.
        var matchesMax: Int?
        /// How long there must be too much room before an instance is drained for it.
        var calmTime: Duration = .seconds(60)
        /// Instances that may be there beyond `instancesMax` while others are being replaced.
        var surge = 1
        /// The most instances that one look starts.
        var startsMax = 8
        /// The build to start where the region has no target; `nil`: whatever the program has.
        var build: String?
    }

    /// Why instances are started.
    enum Need: String, Equatable, Sendable {
        case tooFewInstances = "too few instances"
        case tooFewSlots = "too few free slots"
    }

    struct Drain: Equatable, Sendable {
        let instance: InstanceID
        /// As it is shown: `old-build`, `worn` or `scale-down`.
        let reason: String
    }

    /// How many instances to start.
    var starts = 0
    var need: Need?
    /// The build of those to start; `nil`: the one that the program has.
    var build: String?
    /// At most one, so that the next look sees what it did.
    var drain: Drain?
    /// Whether there is room for one instance less than there are.
    var hasSurplus = false

    /// - Parameters:
    ///   - starting: instances that were started and are not seen yet.
    ///   - own: the instances whose processes this allocator runs: each counts against the most, also where it brings
    ///     no room, for its host carries it all the same.
    ///   - ranOut: whether a match found no slot.
    ///   - calm: for how long there has been a surplus.
    init(
        _ fleet: FleetSnapshot, starting: Int, own: Set<InstanceID> = [], ranOut: Bool, calm: Duration, policy: Policy
    ) {
        // Allocators may be set to different builds; what is to be replaced is said by the region alone.
        let target = fleet.target
        build = target ?? policy.build
        let fit = fleet.instances.filter { $0.isFit }
        // What is to be replaced still counts as room, but not for the buffer.
        let (old, current) = fit.reduce(into: ([FleetSnapshot.Instance](), [FleetSnapshot.Instance]())) { parts, one in
            if Self.replacement(of: one, target, policy) != nil { parts.0.append(one) } else { parts.1.append(one) }
        }
        // An instance that has not said it is ready will bring its slots.
        func room(_ one: FleetSnapshot.Instance) -> Int { one.freeSlots ?? (one.state == .starting ? one.slots : 0) }
        let free = current.reduce(starting * policy.slots) { $0 + room($1) }
        let count = current.count + starting

        var missing = 0
        if count < policy.instancesMin {
            (need, missing) = (.tooFewInstances, policy.instancesMin - count)
        }
        let lacking = max(policy.freeSlotsMin - free, ranOut && free + old.reduce(0) { $0 + room($1) } == 0 ? 1 : 0)
        if lacking > 0 {
            let wanted = (lacking + policy.slots - 1) / policy.slots
            if need == nil { need = .tooFewSlots }
            missing = max(missing, wanted)
        }
        let (live, isLeaving) = Self.live(fleet, starting: starting, own: own)
        let limit = policy.instancesMax + (old.isEmpty && !isLeaving ? 0 : policy.surge)
        starts = max(0, min(missing, limit - live, policy.startsMax))
        if starts == 0 { need = nil }

        // Slots that can be had at this moment, for draining may never leave less than the buffer.
        let ready = fit.reduce(0) { $0 + ($1.freeSlots ?? 0) }
        let readyCount = fit.filter { $0.state.takesMatches }.count
        func canSpare(_ one: FleetSnapshot.Instance, margin: Int = 0) -> Bool {
            let free = one.freeSlots ?? 0
            return (free == 0 || ready - free >= policy.freeSlotsMin + margin) && readyCount > policy.instancesMin
        }
        if let worst = Self.emptiest(old).first {
            // The new come up first: also where a build is never seen, the old ones stay.
            let hasNew = current.contains { $0.state.takesMatches }
            let wantsNone = policy.instancesMin == 0 && policy.freeSlotsMin == 0
            if hasNew || wantsNone, canSpare(worst), let reason = Self.replacement(of: worst, target, policy) {
                drain = Drain(instance: worst.instance, reason: reason)
            }
            return
        }
        guard starts == 0, starting == 0, let spare = Self.emptiest(current.filter { $0.state.takesMatches }).first
        else { return }
        hasSurplus = canSpare(spare, margin: max(1, policy.freeSlotsMin / 2))
        if hasSurplus, calm >= policy.calmTime { drain = Drain(instance: spare.instance, reason: "scale-down") }
    }

    /// The instances that count against the most: those that are fit, those that start, and what else of its own runs;
    /// and whether some of its own is being replaced.
    private static func live(
        _ fleet: FleetSnapshot, starting: Int, own: Set<InstanceID>
    ) -> (count: Int, isLeaving: Bool) {
        let fit = Set(fleet.instances.filter(\.isFit).map(\.instance))
        let isLeaving = fleet.instances.contains { own.contains($0.instance) && $0.order?.kind == .drain }
        let unfit = own.subtracting(fit).count
        // Those that start are of its own, where it says which these are.
        return (fit.count + max(starting, unfit), isLeaving)
    }

    /// Why an instance is to be replaced; `nil`: it is as it should be.
    private static func replacement(
        of instance: FleetSnapshot.Instance, _ target: String?, _ policy: Policy
    ) -> String? {
        if let target, instance.build != target { return "old-build" }
        if let most = policy.matchesMax, instance.played >= most { return "worn" }
        return nil
    }

    /// Those with the fewest matches first; of equals the one with the highest name, which is the newest.
    private static func emptiest(_ instances: [FleetSnapshot.Instance]) -> [FleetSnapshot.Instance] {
        instances.sorted { ($0.held, $1.instance) < ($1.held, $0.instance) }
    }
}
