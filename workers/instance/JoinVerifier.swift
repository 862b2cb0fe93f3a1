import Foundation
import GameModel
import JWTKit
import Logging

/// What a join token says: this player may join this match on this instance, until then.
struct JoinClaims: JWTPayload {
    var sub: SubjectClaim
    var aud: AudienceClaim
    var exp: ExpirationClaim
    var iss: IssuerClaim
    var match: String
    /// Tells two tokens of one player apart.
    var jti: String?

    static let issuer = "muster"

    func verify(using algorithm: some JWTAlgorithm) throws {
        try exp.verifyNotExpired()
        guard iss.value == Self.issuer else {
            throw JWTError.claimVerificationFailure(failedClaim: iss, reason: "issued by another")
        }
    }
}

/// What a valid join token says, and its own name.
typealias JoinPass = (player: PlayerID, match: MatchID, token: String)

/// Says which player a join token lets into which match, by the API's public keys, without asking the API each time.
///
/// The keys are fetched at the first token and again when a token is signed with another key, at most once in five
/// seconds, so that forged tokens can't make this process flood the API.
actor JoinVerifier {
    static let refreshInterval: Duration = .seconds(5)

    private let audience: String
    private let api: InstanceAPI
    private let logger: Logger
    private var keys: JWTKeyCollection?
    private var knownKeys: Set<String> = []
    private var fetchedAt: ContinuousClock.Instant?
    private var isFetching = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(instance: InstanceID, api: InstanceAPI, logger: Logger) {
        audience = "instance:\(instance)"
        self.api = api
        self.logger = logger
    }

    /// - Throws: ``GameRefusal``: `bad-token`, or `unavailable` while there are no keys.
    func verify(_ token: String) async throws(GameRefusal) -> JoinPass {
        if keys == nil { try await refresh() }
        do {
            return try await check(token)
        } catch {
            guard error.code == .badToken, mayRefresh, isSignedByUnknownKey(token) else { throw error }
            try await refresh()
            return try await check(token)
        }
    }

    private var mayRefresh: Bool {
        fetchedAt.map { ContinuousClock.now - $0 > Self.refreshInterval } ?? true
    }

    private func check(_ token: String) async throws(GameRefusal) -> JoinPass {
        guard let keys else { throw GameRefusal(.unavailable, "the keys of the API are not known yet") }
        do {
            let claims = try await keys.verify(token, as: JoinClaims.self)
            try claims.aud.verifyIntendedAudience(includes: audience)
            guard let player = PlayerID(rawValue: claims.sub.value), let match = MatchID(rawValue: claims.match),
                match.pool != nil
            else { throw GameRefusal(.badToken, "the token names no player or no match") }
            return (player, match, claims.jti ?? token)
        } catch let refusal as GameRefusal {
            throw refusal
        } catch {
            throw GameRefusal(.badToken, "the token is not valid here")
        }
    }

    /// Whether the token names a key that was not among those fetched. Nothing else is believed of it here.
    private func isSignedByUnknownKey(_ token: String) -> Bool {
        do {
            let header = try DefaultJWTParser().parse([UInt8](token.utf8), as: JoinClaims.self).header
            guard let name = header.kid else { return false }
            return !knownKeys.contains(name)
        } catch {
            return false
        }
    }

    /// Fetches the keys; callers that come meanwhile wait for the same answer.
    private func refresh() async throws(GameRefusal) {
        if isFetching {
            await withCheckedContinuation { waiting.append($0) }
            guard keys != nil else { throw GameRefusal(.unavailable, "the keys of the API are not known yet") }
            return
        }
        isFetching = true
        defer {
            isFetching = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        do {
            let text = try await api.keys()
            let set = try JSONDecoder().decode(JWKS.self, from: Data(text.utf8))
            let fresh = JWTKeyCollection()
            try await fresh.add(jwks: set)
            keys = fresh
            knownKeys = Set(set.keys.compactMap { $0.keyIdentifier?.string })
            fetchedAt = .now
        } catch {
            logger.warning("can't fetch the keys of join tokens", metadata: ["error": "\(error)"])
            throw GameRefusal(.unavailable, "the keys of the API are not known yet")
        }
    }
}
