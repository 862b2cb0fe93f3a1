import Crypto
import Foundation

/// One name for several fields: the same for the same fields, another for others.
enum FieldDigest {
    /// SHA-256 in hexadecimal. Each field comes after its length, so that fields can't run into each other.
    static func of(_ fields: [String]) -> String {
        var hash = SHA256()
        for field in fields { hash.update(data: Data("\(field.utf8.count):\(field)".utf8)) }
        return Hex.encode(hash.finalize())
    }
}
