/// How many entries to read at once, so that they hold about as many events as a batch is to have.
///
/// An entry holds one event or hundreds, and how many the next ones hold is not known before they are read: it is taken
/// to be as many as the last ones held. Where they held more than was thought, that is believed at once; where less,
/// step by step, so that a few small entries don't let a hundred thousand events in.
struct ReadSize: Sendable {
    /// The events that a batch is to have.
    let events: Int
    private var eventsPerEntry: Double

    /// The most entries of one read: 64 MiB of them where each is as large as who appends makes it.
    static let entriesMax = 1_000
    /// What an entry is thought to hold before one was read: as many as a request of the API has.
    private static let eventsPerEntryAtFirst = 500.0

    init(events: Int) {
        self.events = events
        eventsPerEntry = Self.eventsPerEntryAtFirst
    }

    /// How many entries to read next.
    var entries: Int { min(max(1, Int(Double(events) / eventsPerEntry)), Self.entriesMax) }

    /// Takes note of what a read has brought.
    mutating func note(entries: Int, events: Int) {
        guard entries > 0 else { return }
        eventsPerEntry = max(1, Double(events) / Double(entries), eventsPerEntry / 2)
    }
}
