import GameModel

/// A job as Redis keeps it, unchanged for its whole life: one line of text, then the payload as it was given.
///
/// `<1 or 2> <enqueued, Unix ms> <priority> <max attempts> <kind>[ <name>=<value>]…\n<payload>`. 2 says that among the
/// words are some that the scripts must judge: `u= uw= g= x= k= p= P= q=`. Readers skip names that they don't know, so
/// fields can be added; a changed meaning needs a new first number.
///
/// A class, because it goes through many hands on its way to the handler, and copies of its fields would cost more than
/// all else there.
final class Envelope: Sendable {
    let enqueuedAt: Instant
    let priority: Int
    let maxAttempts: Int
    let kind: String
    /// Whether its end must be told by the script that looks after unique keys, limits, results and callbacks.
    let hasExtras: Bool
    let words: EnvelopeWords
    let payload: [UInt8]

    /// Reads an envelope; `nil` where it is of another form or version.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        let words = line.split(separator: " ")
        guard words.count >= 5, words[0] == "1" || words[0] == "2", let enqueued = Int64(words[1]),
            let priority = Int(words[2]), let maxAttempts = Int(words[3])
        else { return nil }
        enqueuedAt = Instant(milliseconds: enqueued)
        self.priority = priority
        self.maxAttempts = maxAttempts
        kind = String(words[4])
        hasExtras = words[0] == "2"
        payload = Array(bytes[(end + 1)...])
        var rest = EnvelopeWords()
        for word in words.dropFirst(5) { rest.read(word) }
        self.words = rest
    }
}

/// The words of an envelope, of which most jobs have none.
struct EnvelopeWords: Sendable, Hashable {
    /// `b=`: only where it is not the standard one; otherwise the kind's own holds.
    private(set) var backoff: Backoff?
    /// `v=`
    private(set) var payloadVersion = 1
    /// `t=`
    private(set) var timeout: Duration?
    /// `a=`
    private(set) var giveUpAfter: Duration?
    /// `c=`
    private(set) var maxCrashes = JobOptions.maxCrashesStandard
    /// `u=`
    private(set) var uniqueKey: String?
    /// `g=`
    private(set) var key: String?
    /// `q=`: the job's place among those of its key.
    private(set) var sequence: String?
    /// `x=`
    private(set) var startWithin: Duration?
    /// `k=`
    private(set) var keepResult: Duration?
    /// `p=` or `P=`: the job that waits for this one.
    private(set) var callback: JobID?
    /// `tc-<name>=`, percent-encoded
    private(set) var trace: [String: String] = [:]

    fileprivate mutating func read(_ word: Substring) {
        guard let equals = word.firstIndex(of: "=") else { return }
        let value = word[word.index(after: equals)...]
        switch word[..<equals] {
        case "b": backoff = Backoff(text: value)
        case "v": payloadVersion = Int(value) ?? 1
        case "t": timeout = Self.duration(value)
        case "a": giveUpAfter = Self.duration(value)
        case "c": maxCrashes = Int(value) ?? JobOptions.maxCrashesStandard
        case "u": uniqueKey = String(value)
        case "g": key = String(value)
        case "q": sequence = String(value)
        case "x": startWithin = Self.duration(value)
        case "k": keepResult = Self.duration(value)
        case "p", "P": callback = JobID(String(value))
        case let name where name.hasPrefix(TraceHeaders.prefix):
            TraceHeaders.read(name, value, into: &trace)
        default: break
        }
    }

    private static func duration(_ text: Substring) -> Duration? { Int64(text).map { .milliseconds($0) } }
}
