import GameModel

/// A job as Redis keeps it, unchanged for its whole life: one line of text, then the payload as it was given.
///
/// `1 <enqueued, Unix ms> <priority> <max attempts> <kind>[ <name>=<value>]…\n<payload>`; the first number is the
/// version. Readers skip names that they don't know, so fields can be added; a changed meaning needs a new version.
struct Envelope: Sendable, Hashable {
    let enqueuedAt: Instant
    let priority: Int
    let maxAttempts: Int
    let kind: String
    /// `b=`: only where it is not the standard one; otherwise the kind's own holds.
    let backoff: Backoff?
    let payload: [UInt8]

    /// Reads an envelope; `nil` where it is of another form or version.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        let words = line.split(separator: " ")
        guard words.count >= 5, words[0] == "1", let enqueued = Int64(words[1]), let priority = Int(words[2]),
            let maxAttempts = Int(words[3])
        else { return nil }
        enqueuedAt = Instant(milliseconds: enqueued)
        self.priority = priority
        self.maxAttempts = maxAttempts
        kind = String(words[4])
        backoff = words.dropFirst(5).first { $0.hasPrefix("b=") }.flatMap { Backoff(text: $0.dropFirst(2)) }
        payload = Array(bytes[(end + 1)...])
    }
}
