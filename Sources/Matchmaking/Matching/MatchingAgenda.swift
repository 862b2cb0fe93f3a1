/// What a matcher has to look at in its next tick: what changed, and what falls due by itself.
struct MatchingAgenda: Sendable {
    /// Tickets that came, came back, or whose own limits changed.
    var changed: ContiguousArray<(slot: Int32, stamp: UInt32)> = []
    /// When tickets stop being held back, and when their own limits change.
    var steps = WakeQueue()
    /// When tickets are to be tried as anchors again.
    var wakes = WakeQueue()
    /// Tickets to be tried; between ticks those left over by one that made as many matches as it was allowed.
    var awake: ContiguousArray<Int32> = []
    /// Whether changes were not kept, so that every ticket is new to the next tick.
    var isStale = false
    /// The band of the last tick; another one makes all tickets new.
    var band: ClosedRange<Double>?
    /// Whether some of those who may have waited for a changed ticket were not looked at.
    var isCutShort = false
    /// The last ticket that the sweep came by.
    var swept: (slot: Int32, stamp: UInt32)?

    /// For a full pass, which needs none of it.
    mutating func forgetChanges() {
        changed.removeAll(keepingCapacity: true)
        isStale = true
    }
}
