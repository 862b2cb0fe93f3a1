import GameModel
import JWTKit

/// What the cookie of the web console says: who is logged in, and by which session.
///
/// It is signed for an audience of its own, so that it opens nothing else. It does not outlive its session: the console
/// looks at each request whether that is still open.
public struct ConsoleToken: Sendable, Hashable {
    public static let audience = "muster-console"

    public let player: PlayerID
    public let session: SessionID
    /// 128 random bits in base64url: what each form has to bring back, so that another site can't send one.
    public let csrf: String
}

extension TokenIssuer {
    /// A token of the web console for a session.
    public func console(
        player: PlayerID, session: SessionID, lifetime: Duration
    ) async throws(AccountsError) -> String {
        let issuedAt = Int(clock().milliseconds / 1000)
        return try await sign(
            TokenClaims(
                iss: Self.issuer, aud: AudienceClaim(value: [ConsoleToken.audience]), sub: player.rawValue, role: nil,
                sid: session.rawValue, match: nil, iat: issuedAt,
                exp: issuedAt + Int(lifetime.inSeconds.rounded(.up)), jti: ULID().description,
                csrf: Base64URL.encode(try Scrypt.randomBytes(16))))
    }

    /// Reads a token of the web console.
    ///
    /// Throws ``AccountsError/invalidToken(_:)`` for one that is malformed, expired, signed by another key, or meant
    /// for another audience.
    public func verifyConsole(_ token: String) async throws(AccountsError) -> ConsoleToken {
        let claims = try await read(token)
        guard claims.aud.value == [ConsoleToken.audience] else { throw .invalidToken("meant for another audience") }
        guard let player = PlayerID(rawValue: claims.sub), let csrf = claims.csrf,
            let session = claims.sid.flatMap(SessionID.init(rawValue:))
        else { throw .invalidToken("not of the console") }
        return ConsoleToken(player: player, session: session, csrf: csrf)
    }
}
