import Foundation
import GameModel
import JWTKit
import Logging

/// The claims of a join token (RFC 7519); times in Unix seconds.
struct JoinClaims: JWTPayload {
    var iss: String
    var aud: AudienceClaim
    var sub: String
    var match: String
    var exp: Int
    /// Tells two tokens of one player apart.
    var jti: String

    /// Only the signature is judged here: the verifier judges the claims, by the API's clock.
    func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// A JSON Web Key Set (RFC 7517, 5). Keys of kinds that are not known here are passed over: they sign no join tokens.
private struct KeySet: Decodable {
    struct Member: Decodable {
        let key: JWK?

        init(from decoder: any Decoder) throws {
            key = try? JWK(from: decoder)  // A key of another kind, which is no error of the set.
        }
    }

    let keys: [Member]
}

/// Says which player a join token lets into which match, by the API's public keys, without asking the API each time,
/// and each token once.
///
/// The keys are fetched at the first token, again when a token is signed with another key (at most once in the
/// interval, so that forged tokens can't make this process flood the API), and after five minutes, so that a key that
/// was withdrawn does not open doors for ever.
actor JoinVerifier {
    static let issuer = "muster"
    static let tokenBytesMax = 4_096
    /// The API mints them for 60 s; the rest is for clocks that differ.
    static let lifetimeMax: Duration = .seconds(120)
    static let keysLifetime: Duration = .seconds(300)

    private let audience: String
    private let refreshInterval: Duration
    private let api: InstanceAPI
    private let clock: APIClock
    private let logger: Logger
    private var keys: JWTKeyCollection?
    private var knownKeys: Set<String> = []
    private var used = UsedTokens()
    private var askedAt: ContinuousClock.Instant?
    private var isFetching = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(configuration: InstanceClient.Configuration, api: InstanceAPI, clock: APIClock, logger: Logger) {
        audience = "instance:\(configuration.instance)"
        refreshInterval = configuration.keysInterval
        self.api = api
        self.clock = clock
        self.logger = logger
    }

    /// Takes a token: the same one is refused from now on, until ``giveBack(_:)``.
    func redeem(_ token: String) async throws(JoinRefusal) -> JoinPass {
        let key = try Self.signingKey(of: token)
        if keys == nil || (!knownKeys.contains(key) && mayAsk) || isOutdated { await refresh() }
        guard let keys else { throw .unavailable }
        guard knownKeys.contains(key) else { throw .invalid(.unknownKey) }
        let claims: JoinClaims
        do {
            claims = try await keys.verify(token, as: JoinClaims.self)
        } catch {
            throw .invalid(.signature)
        }
        let pass = try judge(claims)
        guard used.insert(pass.token, until: pass.expiresAt, now: clock.now) else { throw .used }
        return pass
    }

    /// The token may be used again: its player was not let in, for a reason that was not the player's.
    func giveBack(_ pass: JoinPass) { used.remove(pass.token) }

    // MARK: What a token must be

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let crit: [String]?
    }

    /// The name of the key that the header claims. Read before anything is verified, so that no algorithm but ours is
    /// ever asked for its opinion (RFC 8725, 3.1), and nothing critical is passed over (RFC 7515, 4.1.11).
    private static func signingKey(of token: String) throws(JoinRefusal) -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= tokenBytesMax, parts.count == 3, let bytes = base64URL(parts[0]) else {
            throw .invalid(.malformed)
        }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: bytes)
        } catch {
            throw .invalid(.malformed)
        }
        guard header.alg == "EdDSA" else { throw .invalid(.algorithm) }
        guard let key = header.kid, header.crit == nil else { throw .invalid(.malformed) }
        return key
    }

    private static func base64URL(_ text: Substring) -> Data? {
        let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }

    private func judge(_ claims: JoinClaims) throws(JoinRefusal) -> JoinPass {
        guard claims.iss == Self.issuer else { throw .invalid(.issuer) }
        guard claims.aud.value == [audience] else { throw .invalid(.audience) }
        let now = clock.now
        // Up to a year of 10,000 and more: a number that can't be a time is no time.
        guard (0...Int(1e12)).contains(claims.exp) else { throw .invalid(.claims) }
        let expiresAt = Instant(milliseconds: Int64(claims.exp) * 1_000)
        guard now < expiresAt else { throw .invalid(.expired) }
        guard expiresAt - now <= Self.lifetimeMax else { throw .invalid(.longLived) }
        guard let player = PlayerID(rawValue: claims.sub), let match = MatchID(rawValue: claims.match),
            match.pool != nil, (1...64).contains(claims.jti.utf8.count)
        else { throw .invalid(.claims) }
        return JoinPass(player: player, match: match, token: claims.jti, expiresAt: expiresAt)
    }

    // MARK: The API's keys

    private var mayAsk: Bool { askedAt.map { ContinuousClock.now - $0 >= refreshInterval } ?? true }

    private var isOutdated: Bool { askedAt.map { ContinuousClock.now - $0 >= Self.keysLifetime } ?? true }

    /// Fetches the keys; callers that come meanwhile wait for the same answer. Where there is none, the keys of before
    /// stay.
    private func refresh() async {
        if isFetching {
            await withCheckedContinuation { waiting.append($0) }
            return
        }
        isFetching = true
        defer {
            isFetching = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        if keys != nil { askedAt = .now }
        do {
            let set = try JSONDecoder().decode(KeySet.self, from: try await api.keys())
            let fresh = JWTKeyCollection()
            var names: Set<String> = []
            for key in set.keys.compactMap(\.key) where key.keyType == .octetKeyPair {
                guard let name = key.keyIdentifier?.string else { continue }
                try await fresh.add(jwk: key)
                names.insert(name)
            }
            keys = fresh
            knownKeys = names
            askedAt = .now
        } catch {
            logger.warning("can't fetch the keys of join tokens", metadata: ["error": "\(error)"])
        }
    }
}
