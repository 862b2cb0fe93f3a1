import Crypto
import Foundation
import GameModel
import JWTKit

/// The Ed25519 keys that sign tokens, as a folder held them at one moment; never empty.
///
/// All of them are published. The one that signs is the newest that is old enough for everyone to have fetched it, so
/// that no token comes before its key; the first key of a folder, which nobody waits for, signs at once.
struct SigningKeys: Sendable {
    struct Key: Sendable {
        /// Its place in the order: the highest is the newest.
        let number: Int
        let createdAt: Instant
        /// The JWK thumbprint (RFC 7638): the same key has the same name in every process.
        let kid: String
        let privateKey: EdDSA.PrivateKey
        let publicKey: String

        init(_ privateKey: EdDSA.PrivateKey, number: Int, createdAt: Instant) {
            self.number = number
            self.createdAt = createdAt
            self.privateKey = privateKey
            publicKey = Base64URL.encode(privateKey.publicKey.rawRepresentation)
            let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(publicKey)"}"#
            kid = Base64URL.encode(SHA256.hash(data: Data(canonical.utf8)))
        }
    }

    /// Newest first.
    let keys: [Key]
    private let oldest: Key
    /// How old a key must be before it signs.
    private let publishTime: Duration

    /// `nil` where there are no keys.
    init?(_ keys: [Key], publishTime: Duration) {
        self.keys = keys.sorted { $0.number > $1.number }
        guard let oldest = self.keys.last else { return nil }
        self.oldest = oldest
        self.publishTime = publishTime
    }

    /// The key that signs at a moment.
    func signing(at now: Instant) -> Key { keys.first { signsFrom($0) <= now } ?? oldest }

    /// From when a key may sign.
    func signsFrom(_ key: Key) -> Instant { key.createdAt + publishTime }

    /// When a key stopped signing: since another that came after it signs; `nil` while it signs, or has yet to.
    func stoppedSigning(_ key: Key, at now: Instant) -> Instant? {
        keys.filter { $0.number > key.number }.map(signsFrom).filter { $0 <= now }.min()
    }

    /// The public halves as a JSON Web Key Set (RFC 7517, RFC 8037).
    var jwks: String {
        let entries = keys.map { key in
            #"{"kty":"OKP","crv":"Ed25519","x":"\#(key.publicKey)","use":"sig","alg":"EdDSA","kid":"\#(key.kid)"}"#
        }
        return #"{"keys":[\#(entries.joined(separator: ","))]}"#
    }
}

/// A signing key as an operator sees it.
public struct SigningKeyState: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable {
        /// Everyone may fetch it; it does not sign yet.
        case published
        case signing
        /// It does not sign any more; tokens that it signed are still good.
        case verifying
    }

    public let number: Int
    public let kid: String
    public let state: State
    public let createdAt: Instant
    /// From when on it signs, or signed.
    public let signsFrom: Instant
    /// When it may be retired: no token of it can be good then; `nil` while it signs or has yet to.
    public let retirableFrom: Instant?
}
