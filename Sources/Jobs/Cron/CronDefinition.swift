/// The first line of an entry's definition as Redis keeps it: `1 <revision> <when> <missed> <kind> <zone> <schedule>`.
///
/// The revision is the Redis time, in µs, of the put that last changed it. A firing names the revision it judged by,
/// so that one planned by a former schedule is refused.
struct CronDefinition: Sendable, Hashable {
    let revision: String
    let missed: MissedTicks
    let kind: String
    let timeZone: String
    let schedule: String

    /// Reads a line; `nil` where it is of another form or version.
    init?(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 6)
        guard words.count == 7, words[0] == "1", let missed = MissedTicks(text: words[3]) else { return nil }
        revision = String(words[1])
        self.missed = missed
        kind = String(words[4])
        timeZone = String(words[5])
        schedule = String(words[6])
    }
}
