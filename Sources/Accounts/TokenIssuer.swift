import Foundation
import GameModel
import JWTKit
import Synchronization

/// Signs and verifies tokens: EdDSA JWTs that anyone holding the published key set can verify offline.
///
/// A token that was verified once is remembered until it expires, so a busy client costs one signature check per token,
/// not per request. People's tokens and services' have audiences of their own, and each role belongs to one of them.
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

    /// JWTKit's own form of one reading's keys.
    private struct Prepared {
        let generation: Int
        let collection: JWTKeyCollection
    }

    private let ring: KeyRing
    private let prepared = Mutex<Prepared?>(nil)
    private let verified: VerifiedTokens
    let clock: @Sendable () -> Instant

    /// - Parameters:
    ///   - ring: the keys, as they are at the time of each token.
    ///   - rememberedMax: how many verified tokens are remembered.
    public init(ring: KeyRing, rememberedMax: Int = 20_000, clock: @escaping @Sendable () -> Instant = { .now }) {
        self.ring = ring
        verified = VerifiedTokens(limit: rememberedMax)
        self.clock = clock
    }

    /// The public keys as JSON Web Key Set text.
    public var jwks: String { ring.current.jwks }

    /// A person's access token for this system's API.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)`` for a role of services: see
    /// ``service(subject:role:lifetime:)``.
    public func access(
        subject: String, role: Role, session: SessionID? = nil, lifetime: Duration = .seconds(900)
    ) async throws(AccountsError) -> String {
        guard !role.isService else {
            throw .invalidField(name: "role", reason: "\(role.rawValue) is a service's, not a person's")
        }
        return try await sign(
            claims(
                subject: subject, audience: Self.audience, role: role, session: session, lifetime: lifetime))
    }

    /// An instance's or a worker's token, of an audience of its own.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)`` for a person's role.
    public func service(
        subject: String, role: Role, lifetime: Duration = .seconds(900)
    ) async throws(AccountsError) -> String {
        guard role.isService else {
            throw .invalidField(name: "role", reason: "\(role.rawValue) is a person's, not a service's")
        }
        return try await sign(
            claims(subject: subject, audience: Self.serviceAudience, role: role, lifetime: lifetime))
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
    /// Throws ``AccountsError/invalidToken(_:)`` for one that is malformed, expired, signed by another key, meant for
    /// another audience, or of a role that does not fit its audience.
    public func verify(_ token: String) async throws(AccountsError) -> Identity {
        let (now, reading) = (clock(), ring.current)
        if let identity = verified.identity(of: token, at: now, epoch: reading.epoch) { return identity }
        let claims = try await read(token, by: reading, at: now)
        let audiences = claims.aud.value.filter { $0 == Self.audience || $0 == Self.serviceAudience }
        guard !audiences.isEmpty else { throw .invalidToken("meant for another audience") }
        guard let role = claims.role.flatMap(Role.init(rawValue:)) else { throw .invalidToken("has no known role") }
        guard audiences == [role.isService ? Self.serviceAudience : Self.audience] else {
            throw .invalidToken("of a role that its audience does not have")
        }
        let identity = Identity(
            subject: claims.sub, role: role, sessionId: claims.sid.flatMap(SessionID.init(rawValue:)))
        verified.remember(
            identity, of: token, until: Instant(milliseconds: Int64(claims.exp) * 1000), epoch: reading.epoch)
        return identity
    }

    /// The claims of a token of ours that has not expired, whatever its audience.
    func read(_ token: String) async throws(AccountsError) -> TokenClaims {
        try await read(token, by: ring.current, at: clock())
    }

    private func read(
        _ token: String, by reading: KeyRing.Reading, at now: Instant
    ) async throws(AccountsError) -> TokenClaims {
        guard token.utf8.count <= Self.tokenBytesMax else { throw .invalidToken("too long") }
        let claims: TokenClaims
        do {
            claims = try await collection(of: reading).verify(token, as: TokenClaims.self)
        } catch {
            throw .invalidToken("malformed or not signed by us")
        }
        guard now < Instant(milliseconds: Int64(claims.exp) * 1000) else { throw .invalidToken("expired") }
        guard claims.iss == Self.issuer else { throw .invalidToken("issued by another party") }
        return claims
    }

    private func claims(
        subject: String, audience: String, role: Role?, session: SessionID? = nil, match: MatchID? = nil,
        lifetime: Duration
    ) -> TokenClaims {
        let issuedAt = Int(clock().milliseconds / 1000)
        return TokenClaims(
            iss: Self.issuer, aud: AudienceClaim(value: [audience]), sub: subject, role: role?.rawValue,
            sid: session?.rawValue, match: match?.rawValue, iat: issuedAt,
            exp: issuedAt + Int(lifetime.inSeconds.rounded(.up)), jti: ULID().description)
    }

    func sign(_ claims: TokenClaims) async throws(AccountsError) -> String {
        let reading = ring.current
        let key = reading.keys.signing(at: clock())
        if .seconds(claims.exp - claims.iat) > KeyFolder.plainTokenLifetimeMax {
            try ring.folder.note(tokenUntil: Instant(milliseconds: Int64(claims.exp) * 1000), of: key.number)
        }
        do {
            return try await collection(of: reading).sign(claims, kid: JWKIdentifier(string: key.kid))
        } catch {
            throw .corrupt("can't sign a token: \(error)")
        }
    }

    /// The keys in the form that signs and verifies: an actor, made once per change of the keys. Twice does no harm.
    private func collection(of reading: KeyRing.Reading) async -> JWTKeyCollection {
        if let prepared = prepared.withLock({ $0 }), prepared.generation == reading.generation {
            return prepared.collection
        }
        let collection = JWTKeyCollection()
        for key in reading.keys.keys {
            await collection.add(eddsa: key.privateKey, kid: JWKIdentifier(string: key.kid))
        }
        prepared.withLock { held in
            if held.map({ $0.generation < reading.generation }) ?? true {
                held = Prepared(generation: reading.generation, collection: collection)
            }
        }
        return collection
    }
}

/// The claims of every token here (RFC 7519); times in Unix seconds.
struct TokenClaims: JWTPayload {
    var iss: String
    var aud: AudienceClaim
    var sub: String
    var role: String?
    /// The session that a person's token belongs to.
    var sid: String?
    var match: String?
    var iat: Int
    var exp: Int
    var jti: String?
    /// Of the console's tokens: what each of its forms has to bring back.
    var csrf: String?

    /// Only the signature is judged here: the issuer judges the claims, with its own clock.
    func verify(using algorithm: some JWTAlgorithm) throws {}
}
