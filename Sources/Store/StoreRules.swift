/// The forms that names and tokens from outside may have.
enum StoreRules {
    /// A product's or promotion's name: 1 to 64 lower-case letters, digits, `-`, `_` and `.`.
    static func name(_ text: String, field: String) throws(StoreError) {
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard (1...64).contains(text.utf8.count), isAllowed else {
            throw .invalidField(
                name: field,
                reason: "expected 1 to 64 of a-z, 0-9, '-', '_' and '.', got '\(text.prefix(80))'")
        }
    }

    /// The client's idempotency key: 1 to 200 visible ASCII characters.
    static func idempotencyKey(_ text: String) throws(StoreError) {
        guard isToken(text), text.utf8.count <= 200 else {
            throw .invalidField(
                name: "Idempotency-Key", reason: "expected 1 to 200 visible ASCII characters")
        }
    }

    /// What the provider's client library gave the player's device in place of the card.
    static func paymentMethod(_ text: String) throws(StoreError) {
        guard isToken(text) else {
            throw .invalidField(
                name: "paymentMethod", reason: "expected 1 to 255 visible ASCII characters")
        }
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !(isNumber && (12...19).contains(digits.count)) else {
            throw .invalidField(
                name: "paymentMethod",
                reason: "looks like a card number; send the provider's token, never card data")
        }
    }

    static func number(_ value: Int, in range: ClosedRange<Int>, field: String) throws(StoreError) {
        guard range.contains(value) else {
            throw .invalidField(
                name: field, reason: "expected \(range.lowerBound) to \(range.upperBound), got \(value)")
        }
    }

    /// A line that a person or a server wrote: a reason, a reference.
    static func line(_ text: String, field: String) throws(StoreError) {
        guard (1...200).contains(text.unicodeScalars.count), isVisible(text) else {
            throw .invalidField(
                name: field,
                reason:
                    "expected 1 to 200 characters without line breaks and control characters, got '\(text.prefix(80))'")
        }
    }

    static func isVisible(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
                .paragraphSeparator:
                false
            default: true
            }
        }
    }

    private static func isToken(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
