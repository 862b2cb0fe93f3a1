/// A sortable unique name: 48 bits of Unix milliseconds, then 80 random bits, in 26 characters of Crockford's base 32.
///
/// Source: github.com/ulid/spec. Two made in the same millisecond are ordered by chance, not by call.
public struct ULID: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// A new name for an instant, its random part from the given generator.
    public init(at instant: Instant, using generator: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(truncatingIfNeeded: instant.milliseconds)
        let high = milliseconds << 16 | UInt64.random(in: 0...0xFFFF, using: &generator)
        let low = generator.next()
        var text: [UInt8] = []
        text.reserveCapacity(26)
        // 128 bits in 26 digits of 5 bits: the first digit holds the top 3.
        for position in stride(from: 125, through: 0, by: -5) {
            let digit: UInt64
            if position >= 64 {
                digit = high >> UInt64(position - 64)
            } else if position > 59 {
                digit = high << UInt64(64 - position) | low >> UInt64(position)
            } else {
                digit = low >> UInt64(position)
            }
            text.append(Self.alphabet[Int(digit & 31)])
        }
        description = String(decoding: text, as: UTF8.self)
    }

    /// A new name for now, from the system's random numbers.
    public init() {
        var generator = SystemRandomNumberGenerator()
        self.init(at: .now, using: &generator)
    }

    /// Reads 26 characters of the alphabet, the first no higher than 7; `nil` for any other text.
    public init?(_ text: String) {
        guard text.utf8.count == 26, text.utf8.allSatisfy({ Self.alphabet.contains($0) }),
            let first = text.utf8.first, first <= UInt8(ascii: "7")
        else { return nil }
        description = text
    }
}
