import GameModel

/// What Redis keeps of a job beside its envelope, from its first lease on: one value of the HASH `attempts`.
///
/// `<flag><priority><token, 16 digits><bytes, 7 digits> <attempt> <crashes> <max attempts> <worker|-> <reason|->
/// <history|-> <error>`; the scripts write it (see lease_fragment.lua), this only reads.
struct StoredState: Sendable, Hashable {
    enum Flag: Character, Sendable {
        case leased = "L"
        /// Leased, with words in the envelope that its end must heed.
        case leasedWithExtras = "M"
        case idle = "-"
        case dead = "D"
    }

    let flag: Flag
    let priority: Int
    /// Of the last lease: when it was taken, in µs by Redis `TIME`.
    let token: UInt64
    let attempt: Int
    let crashes: Int
    let maxAttempts: Int
    /// Of the last lease.
    let worker: String?
    let reason: String?
    let history: [PastAttempt]
    /// Of the last failed attempt; empty where none failed.
    let error: String

    var isLeased: Bool { flag == .leased || flag == .leasedWithExtras }

    /// When the last lease was taken; `nil` where there was none.
    var leasedAt: Instant? { token > 0 ? Instant(milliseconds: Int64(token / 1000)) : nil }

    /// Reads a state; `nil` where it is of another form.
    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: false)
        guard words.count >= 7, let first = words[0].first, let flag = Flag(rawValue: first), words[0].utf8.count >= 18
        else { return nil }
        let digits = words[0].dropFirst()
        guard let priority = Int(digits.prefix(1)), let token = UInt64(digits.dropFirst().prefix(16)),
            let attempt = Int(words[1]), let crashes = Int(words[2]), let maxAttempts = Int(words[3])
        else { return nil }
        self.flag = flag
        self.priority = priority
        self.token = token
        self.attempt = attempt
        self.crashes = crashes
        self.maxAttempts = maxAttempts
        worker = Self.optional(words[4])
        reason = Self.optional(words[5])
        history = PastAttempt.list(words[6])
        error = words.count > 7 ? String(words[7]) : ""
    }

    private static func optional(_ word: Substring) -> String? { word == "-" || word.isEmpty ? nil : String(word) }
}

/// How one attempt of a job ended, or what an operator did with it: an entry of its history.
public struct PastAttempt: Sendable, Hashable, Codable {
    public enum End: String, Sendable, Hashable, Codable {
        case failed
        /// Given back by a worker that stopped or did not know the kind; it does not count.
        case handedBack
        /// Put off by the handler; it does not count.
        case snoozed
        /// The worker vanished.
        case crashed
        case buried
        /// Put back by an operator.
        case redriven
    }

    public let end: End
    public let beganAt: Instant
    public let endedAt: Instant

    /// How many entries of a history are kept at most, the last ones.
    public static let keptMax = 20

    /// Reads a history: `<letter><begin ms>-<end ms>`, with commas between, or `-`. What is of another form is left
    /// out.
    static func list(_ text: some StringProtocol) -> [PastAttempt] {
        text.split(separator: ",").compactMap { PastAttempt($0) }
    }

    private init?(_ text: some StringProtocol) {
        let times = text.dropFirst().split(separator: "-")
        guard let letter = text.first, let end = Self.ends[letter], times.count == 2, let begin = Int64(times[0]),
            let last = Int64(times[1])
        else { return nil }
        self.end = end
        beganAt = Instant(milliseconds: begin)
        endedAt = Instant(milliseconds: last)
    }

    private static let ends: [Character: End] = [
        "f": .failed, "h": .handedBack, "s": .snoozed, "c": .crashed, "b": .buried, "r": .redriven,
    ]
}
