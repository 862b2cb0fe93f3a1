import Foundation
import GameModel
import JWTKit
import Synchronization

/// Signs and verifies tokens: EdDSA JWTs that anyone holding the published key set can verify offline.
///
/// A token that was verified once is remembered until it expires, so a busy client costs one signature check per token,
/// not per request.
public final class TokenIssuer: Sendable {
    public static let issuer = "muster"
    /// The audience of people's tokens.
    public static let audience = "muster"
    /// The audience of instances' and workers' tokens.
    public static let serviceAudience = "muster-services"
    /// How long a join token is good for: the time to connect to an instance.
    public static let joinLifetime: Duration = .seconds(60)
    /// Longer tokens are refused unread.
    public static let tokenBytesMax = 4096

    /// The public keys as JSON Web Key Set text.
    public let jwks: String

    private let keys: SigningKeys
    private let collection = JWTKeyCollection()
    private let isPrepared = Mutex(false)
    private let verified: VerifiedTokens
    let clock: @Sendable () -> Instant

    /// - Parameter rememberedMax: how many verified tokens are remembered.
    public init(
        keys: SigningKeys, rememberedMax: Int = 20_000, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.keys = keys
        jwks = keys.jwks
        verified = VerifiedTokens(limit: rememberedMax)
        self.clock = clock
    }

    /// Signs with a ring's keys, as they are at the time.
    public convenience init(
        ring: KeyRing, rememberedMax: Int = 20_000, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.init(keys: ring.keys, rememberedMax: rememberedMax, clock: clock)
    }

    /// A person's access token for this system's API.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)`` for a role of services: see
    /// ``service(subject:role:lifetime:)``.
    public func access(
        subject: String, role: Role, session: SessionID? = nil, lifetime: Duration = .seconds(900)
    ) async throws(AccountsError) -> String {
        guard !role.isService else { throw .invalidField(name: "role", reason: "\(role.rawValue) is a service's") }
        return try await sign(claims(subject: subject, audience: Self.audience, role: role, lifetime: lifetime))
    }

    /// An instance's or a worker's token, of an audience of its own.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)`` for a person's role.
    public func service(
        subject: String, role: Role, lifetime: Duration = .seconds(900)
    ) async throws(AccountsError) -> String {
        guard role.isService else { throw .invalidField(name: "role", reason: "\(role.rawValue) is a person's") }
        return try await sign(claims(subject: subject, audience: Self.audience, role: role, lifetime: lifetime))
    }

    /// A token of any role, of the audience that fits it.
    public func token(
        subject: String, role: Role, lifetime: Duration = .seconds(900)
    ) async throws(AccountsError) -> String {
        role.isService
            ? try await service(subject: subject, role: role, lifetime: lifetime)
            : try await access(subject: subject, role: role, lifetime: lifetime)
    }

    /// A token that lets one player onto one instance for one match, valid for ``joinLifetime``.
    public func join(player: PlayerID, match: MatchID, instance: InstanceID) async throws(AccountsError) -> String {
        try await sign(
            claims(
                subject: player.rawValue, audience: "instance:\(instance)", role: nil, match: match,
                lifetime: Self.joinLifetime))
    }

    /// Whom an access token speaks for.
    ///
    /// Throws ``AccountsError/invalidToken(_:)`` for one that is malformed, expired, signed by another key, or meant
    /// for another audience.
    public func verify(_ token: String) async throws(AccountsError) -> Identity {
        let now = clock()
        if let identity = verified.identity(of: token, at: now) { return identity }
        let (claims, expiresAt) = try await read(token, at: now)
        guard claims.aud.value.contains(Self.audience) else { throw .invalidToken("meant for another audience") }
        guard let role = claims.role.flatMap(Role.init(rawValue:)) else { throw .invalidToken("has no known role") }
        let identity = Identity(subject: claims.sub, role: role)
        verified.remember(identity, of: token, until: expiresAt)
        return identity
    }

    /// The claims of a token of ours that has not expired, whatever its audience.
    func read(_ token: String, at now: Instant) async throws(AccountsError) -> (TokenClaims, expiresAt: Instant) {
        guard token.utf8.count <= Self.tokenBytesMax else { throw .invalidToken("too long") }
        await prepare()
        let claims: TokenClaims
        do {
            claims = try await collection.verify(token, as: TokenClaims.self)
        } catch {
            throw .invalidToken("malformed or not signed by us")
        }
        let expiresAt = Instant(milliseconds: Int64(claims.exp) * 1000)
        guard now < expiresAt else { throw .invalidToken("expired") }
        guard claims.iss == Self.issuer else { throw .invalidToken("issued by another party") }
        return (claims, expiresAt)
    }

    private func claims(
        subject: String, audience: String, role: Role?, match: MatchID? = nil, lifetime: Duration
    ) -> TokenClaims {
        let issuedAt = Int(clock().milliseconds / 1000)
        return TokenClaims(
            iss: Self.issuer, aud: AudienceClaim(value: [audience]), sub: subject, role: role?.rawValue,
            match: match?.rawValue, iat: issuedAt, exp: issuedAt + Int(lifetime.inSeconds.rounded(.up)),
            jti: ULID().description)
    }

    func sign(_ claims: TokenClaims) async throws(AccountsError) -> String {
        await prepare()
        do {
            return try await collection.sign(claims, kid: JWKIdentifier(string: keys.current.kid))
        } catch {
            throw .corrupt("can't sign a token: \(error)")
        }
    }

    /// Hands the keys to the collection, an actor that can't be filled while this is made. Twice does no harm.
    private func prepare() async {
        guard !isPrepared.withLock({ $0 }) else { return }
        for key in keys.keys {
            await collection.add(eddsa: key.privateKey, kid: JWKIdentifier(string: key.kid))
        }
        isPrepared.withLock { $0 = true }
    }
}

/// The claims of every token here (RFC 7519); times in Unix seconds.
struct TokenClaims: JWTPayload {
    var iss: String
    var aud: AudienceClaim
    var sub: String
    var role: String?
    var match: String?
    var iat: Int
    var exp: Int
    var jti: String?
    /// Of the console's tokens: the session that they belong to.
    var consoleSession: String?
    /// Of the console's tokens: what each of its forms has to bring back.
    var csrf: String?

    /// Only the signature is judged here: the issuer judges the claims, with its own clock.
    func verify(using algorithm: some JWTAlgorithm) throws {}
}
