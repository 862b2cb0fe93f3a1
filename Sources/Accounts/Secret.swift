import Crypto
import Foundation

/// Secrets of 128 random bits and more: one round of SHA-256 is enough to keep a stolen table of them useless.
enum Secret {
    /// 256 random bits in base64url.
    static func random() throws(AccountsError) -> String { Base64URL.encode(try Scrypt.randomBytes(32)) }

    /// What is stored of a secret.
    static func digest(_ secret: String) -> String { Base64URL.encode(SHA256.hash(data: Data(secret.utf8))) }
}
