import GameModel

/// What a keeper remembers from look to look of the instances that its driver runs: since when one is missing in the
/// fleet, and which it told to end.
struct InstanceWatch {
    private var unheardSince: [InstanceID: ContinuousClock.Instant] = [:]
    private var stoppedAt: [InstanceID: ContinuousClock.Instant] = [:]

    /// Notes one look.
    ///
    /// - Parameters:
    ///   - running: the instances that the driver runs.
    ///   - known: those that the fleet knows by their heartbeats.
    ///   - isDeaf: whether no heartbeat can be heard now: then nobody is missed.
    mutating func look(
        running: [InstanceID], known: Set<InstanceID>, isDeaf: Bool, at now: ContinuousClock.Instant
    ) {
        let unheard = running.filter { !known.contains($0) }
        unheardSince = Dictionary(
            unheard.map { ($0, isDeaf ? now : unheardSince[$0] ?? now) }, uniquingKeysWith: { first, _ in first })
        stoppedAt = stoppedAt.filter { running.contains($0.key) }
    }

    /// The fleet could not be looked at: who was missing until now is missed from anew.
    mutating func restart() { unheardSince = [:] }

    /// Those that have been missing for longer than this.
    func unheard(longerThan time: Duration, at now: ContinuousClock.Instant) -> Set<InstanceID> {
        Set(unheardSince.filter { now - $0.value > time }.keys)
    }

    /// When the instance was told to end; `nil`: it was not.
    func stopped(_ instance: InstanceID) -> ContinuousClock.Instant? { stoppedAt[instance] }

    /// The instance is told to end now. A process takes being told again for an order to end at once.
    mutating func stop(_ instance: InstanceID, at now: ContinuousClock.Instant) { stoppedAt[instance] = now }
}
