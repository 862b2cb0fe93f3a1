import Foundation

/// A stored password: `$scrypt$ln=14,r=8,p=5$salt$key`, salt and key in base64 without padding (the PHC string format).
struct PasswordHash: Sendable, Hashable, CustomStringConvertible {
    static let saltBytes = 16
    static let keyBytes = 32

    let parameters: ScryptParameters
    let salt: [UInt8]
    let key: [UInt8]

    init(parameters: ScryptParameters, salt: [UInt8], key: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.key = key
    }

    /// Hashes a password with a fresh salt. Blocks.
    init(password: [UInt8], parameters: ScryptParameters) throws(AccountsError) {
        let salt = try Scrypt.randomBytes(Self.saltBytes)
        let key = try Scrypt.derive(password: password, salt: salt, parameters: parameters, bytes: Self.keyBytes)
        self.init(parameters: parameters, salt: salt, key: key)
    }

    /// Reads what ``description`` wrote.
    init(_ text: String) throws(AccountsError) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
            let parameters = ScryptParameters(phc: parts[2]),
            let salt = Data(base64Encoded: Self.padded(parts[3])), let key = Data(base64Encoded: Self.padded(parts[4])),
            !salt.isEmpty, key.count >= 16
        else {
            throw .corrupt("a stored password hash can't be read")
        }
        try parameters.validate()
        self.init(parameters: parameters, salt: Array(salt), key: Array(key))
    }

    var description: String {
        "$scrypt$ln=\(parameters.logN),r=\(parameters.r),p=\(parameters.p)$\(Self.base64(salt))$\(Self.base64(key))"
    }

    /// Whether the password is the one that was hashed. Blocks; takes the same time for a right and a wrong one.
    func matches(_ password: [UInt8]) throws(AccountsError) -> Bool {
        let other = try Scrypt.derive(password: password, salt: salt, parameters: parameters, bytes: key.count)
        return Scrypt.areEqual(key, other)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("=", with: "")
    }

    private static func padded(_ text: Substring) -> String {
        text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }
}

extension ScryptParameters {
    /// Reads `ln=14,r=8,p=5`.
    init?(phc text: Substring) {
        var values: [Substring: Int] = [:]
        for pair in text.split(separator: ",") {
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let value = Int(sides[1]) else { return nil }
            values[sides[0]] = value
        }
        guard values.count == 3, let logN = values["ln"], let r = values["r"], let p = values["p"] else { return nil }
        self.init(logN: logN, r: r, p: p)
    }
}
