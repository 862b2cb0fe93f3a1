import Crypto
import Foundation
import GameModel

/// Makes join tokens out of their parts, so that each part can be wrong.
struct TokenForge: Sendable {
    let kid: String
    private let key = Curve25519.Signing.PrivateKey()

    init(kid: String = "k1") { self.kid = kid }

    /// The public key as the API publishes it.
    var jwk: String {
        #"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"\#(kid)","x":"\#(publicText)"}"#
    }

    static func jwks(_ forges: TokenForge...) -> String {
        #"{"keys":["# + forges.map(\.jwk).joined(separator: ",") + "]}"
    }

    private var publicText: String { Self.base64URL(key.publicKey.rawRepresentation) }

    /// Claims as the API makes them; `nil` leaves one out.
    static func claims(
        for instance: InstanceID, player: String = "p1", match: String = match.rawValue, now: Instant = .now,
        lifetime: Int = 60, changing changes: [String: Any?] = [:]
    ) -> [String: Any] {
        let issuedAt = Int(now.milliseconds / 1_000)
        var claims: [String: Any] = [
            "iss": "muster", "aud": "instance:\(instance)", "sub": player, "match": match, "iat": issuedAt,
            "exp": issuedAt + lifetime, "jti": ULID().description,
        ]
        for (name, value) in changes { claims[name] = value }
        return claims
    }

    static let match = MatchID("duel.eu.\(ULID())")

    func sign(_ claims: [String: Any], header: [String: Any] = [:]) throws -> String {
        let head = try signedPart(claims, header: header)
        return "\(head).\(Self.base64URL(try key.signature(for: Data(head.utf8))))"
    }

    /// Nobody signed it.
    func unsigned(_ claims: [String: Any]) throws -> String { try signedPart(claims, header: ["alg": "none"]) + "." }

    /// Signed with the public key as if it were a secret that both sides share.
    func confused(_ claims: [String: Any], secret: Data? = nil) throws -> String {
        let head = try signedPart(claims, header: ["alg": "HS256"])
        let secret = SymmetricKey(data: secret ?? key.publicKey.rawRepresentation)
        let code = HMAC<SHA256>.authenticationCode(for: Data(head.utf8), using: secret)
        return "\(head).\(Self.base64URL(Data(code)))"
    }

    private func signedPart(_ claims: [String: Any], header changes: [String: Any]) throws -> String {
        var header: [String: Any] = ["alg": "EdDSA", "typ": "JWT", "kid": kid]
        for (name, value) in changes { header[name] = value is NSNull ? nil : value }
        let parts = try [header, claims].map {
            Self.base64URL(try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys))
        }
        return parts.joined(separator: ".")
    }

    static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}
