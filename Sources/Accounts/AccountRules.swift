import Foundation

/// What an e-mail address, a password and a display name may look like: pure functions that normalise or refuse.
public enum AccountRules {
    public static let emailBytesMax = 254
    public static let emailLocalBytesMax = 64
    public static let passwordBytes = 8...256
    public static let displayNameCharacters = 1...32
    public static let displayNameBytesMax = 200
    public static let deviceCharacters = 22...128
    public static let lockReasonCharacters = 1...200

    /// The address trimmed and in lower case, so that one mailbox is one account.
    ///
    /// Checks form, not existence: RFC 5321 lengths, one `@`, a domain with a dot, and no white space or control
    /// characters.
    public static func email(_ text: String) throws(AccountsError) -> String {
        let email = text.trimmingCharacters(in: .whitespacesAndNewlines).precomposedStringWithCanonicalMapping
            .lowercased()
        guard email.utf8.count <= emailBytesMax else {
            throw .invalidField(name: "email", reason: "longer than \(emailBytesMax) bytes")
        }
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        let isClean = email.unicodeScalars.allSatisfy { isVisible($0) && !$0.properties.isWhitespace }
        guard parts.count == 2, isClean, (1...emailLocalBytesMax).contains(parts[0].utf8.count), isDomain(parts[1])
        else {
            throw .invalidField(name: "email", reason: "expected an address like name@example.com")
        }
        return email
    }

    /// The password in Unicode's composed form, so that the same keys pressed on another keyboard give the same bytes.
    public static func password(_ text: String, field: String = "password") throws(AccountsError) -> [UInt8] {
        let bytes = Array(text.precomposedStringWithCanonicalMapping.utf8)
        guard passwordBytes.contains(bytes.count) else {
            throw .invalidField(
                name: field,
                reason: "expected \(passwordBytes.lowerBound) to \(passwordBytes.upperBound) bytes, got \(bytes.count)")
        }
        return bytes
    }

    /// The name trimmed and composed; 1 to 32 characters, all of them visible, blanks only between others.
    public static func displayName(_ text: String) throws(AccountsError) -> String {
        let name = text.trimmingCharacters(in: .whitespacesAndNewlines).precomposedStringWithCanonicalMapping
        guard displayNameCharacters.contains(name.count), name.utf8.count <= displayNameBytesMax else {
            let range = "\(displayNameCharacters.lowerBound) to \(displayNameCharacters.upperBound) characters"
            throw .invalidField(name: "displayName", reason: "expected \(range), got \(name.count)")
        }
        guard name.unicodeScalars.allSatisfy({ isVisible($0) || $0 == zeroWidthJoiner }) else {
            throw .invalidField(name: "displayName", reason: "has control or invisible characters")
        }
        return name
    }

    /// The secret of a device, of at least 128 bits: 32 hexadecimal digits or a UUID, in lower case, or 22 characters
    /// of base64url.
    ///
    /// Length is all that can be checked of randomness, and that it is not one character over and over.
    public static func device(_ text: String) throws(AccountsError) -> String {
        let bytes = Array(text.utf8)
        let digits = bytes.filter { $0 != UInt8(ascii: "-") }
        let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        let isKnown = bytes.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        guard isKnown, deviceCharacters.contains(bytes.count), !isHex || digits.count >= deviceHexDigitsMin,
            Set(bytes).count >= deviceKindsMin
        else {
            throw .invalidField(
                name: "device", reason: "expected at least 128 random bits: a UUID, 32 hex digits or 22 of base64url")
        }
        return isHex ? text.lowercased() : text
    }

    private static let deviceHexDigitsMin = 32
    /// Fewer different characters than this are no accident in 128 random bits.
    private static let deviceKindsMin = 6

    /// Holds emoji such as families together, so it is the one format character that a name may have.
    private static let zeroWidthJoiner: Unicode.Scalar = "\u{200D}"

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
            }
    }
}
