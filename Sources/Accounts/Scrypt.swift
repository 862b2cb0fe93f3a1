import COpenSSL

/// How much work one password costs: `2^logN` blocks of `128·r` bytes, `p` times over (RFC 7914, section 2).
///
/// The default is the OWASP recommendation that needs 16 MiB. Stored with each hash, so that a change holds for new
/// passwords and the old ones stay readable.
public struct ScryptParameters: Sendable, Hashable {
    public let logN: Int
    public let r: Int
    public let p: Int

    /// The most memory that one hash may take: bounds what a stored hash can make us do.
    public static let memoryBytesMax = 256 << 20

    public init(logN: Int = 14, r: Int = 8, p: Int = 5) {
        self.logN = logN
        self.r = r
        self.p = p
    }

    /// What one hash costs, to compare by.
    var work: Int { (r * p) << logN }

    /// Throws ``AccountsError/corrupt(_:)`` where the parameters are outside what this code will work with.
    public func validate() throws(AccountsError) {
        guard (1...20).contains(logN), (1...32).contains(r), (1...16).contains(p),
            128 * r << logN <= Self.memoryBytesMax
        else {
            throw .corrupt("scrypt parameters out of range: ln=\(logN), r=\(r), p=\(p)")
        }
    }
}

/// scrypt (RFC 7914), the comparison that takes the same time for every input, and random bytes: all by libcrypto.
enum Scrypt {
    /// The key of a password. Blocks for as long as the parameters ask: call it on a thread that may.
    static func derive(
        password: [UInt8], salt: [UInt8], parameters: ScryptParameters, bytes count: Int
    ) throws(AccountsError) -> [UInt8] {
        try parameters.validate()
        let blocks = UInt64(1) << UInt64(parameters.logN)
        let (r, p) = (UInt64(parameters.r), UInt64(parameters.p))
        // libcrypto refuses above a bound of its own; this is what the parameters need, and 1 MiB.
        let memory = 128 * r * (blocks + p + 2) + (1 << 20)
        var key = [UInt8](repeating: 0, count: count)
        let succeeded = password.withUnsafeBytes { password in
            salt.withUnsafeBufferPointer { salt in
                EVP_PBE_scrypt(
                    password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count,
                    salt.baseAddress, salt.count, blocks, r, p, memory, &key, count)
            }
        }
        guard succeeded == 1 else { throw .corrupt("libcrypto refused scrypt: \(lastError())") }
        return key
    }

    /// Whether two byte strings are the same, in a time that depends on their length alone.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// Bytes from libcrypto's random generator.
    static func randomBytes(_ count: Int) throws(AccountsError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw .corrupt("no random bytes: \(lastError())") }
        return bytes
    }

    private static func lastError() -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let code = ERR_get_error()
        text.withUnsafeMutableBytes { buffer in
            ERR_error_string_n(code, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
}
