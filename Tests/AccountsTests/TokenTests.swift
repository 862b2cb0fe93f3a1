import Foundation
import GameModel
import JWTKit
import TestSupport
import Testing

@testable import Accounts

@Suite("Tokens")
struct TokenTests {
    private func withIssuer<T>(_ body: (TokenIssuer, TestClock, String) async throws -> T) async throws -> T {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let clock = TestClock()
        let ring = try KeyRing(folder: folder.file("keys"), clock: { clock.now })
        return try await body(TokenIssuer(ring: ring, clock: { clock.now }), clock, folder.file("keys"))
    }

    @Test("an access token tells whom it speaks for", arguments: Role.allCases)
    func roundTrip(role: Role) async throws {
        try await withIssuer { issuer, _, _ in
            let player = ULID().description
            let identity = try await issuer.verify(try await issuer.token(subject: player, role: role))
            #expect(identity == Identity(subject: player, role: role))
            #expect(identity.playerId == (role == .instance || role == .worker ? nil : PlayerID(player)))
        }
    }

    @Test("an access token is refused from the second it expires, also where it was verified before")
    func expiry() async throws {
        try await withIssuer { issuer, clock, _ in
            let token = try await issuer.access(subject: "p", role: .player, lifetime: .seconds(900))
            clock.advance(.seconds(899))
            _ = try await issuer.verify(token)
            clock.advance(.seconds(1))
            await #expect(throws: AccountsError.invalidToken("expired")) { try await issuer.verify(token) }
        }
    }

    @Test("a token signed by another key is refused, even under the name of ours")
    func foreignKey() async throws {
        try await withIssuer { issuer, clock, folder in
            let foreign = JWTKeyCollection()
            let kid = JWKIdentifier(string: try KeyFolder(path: folder).load().signing(at: clock.now).kid)
            await foreign.add(eddsa: try EdDSA.PrivateKey(), kid: kid)
            let now = Int(clock.now.milliseconds / 1000)
            let claims = TokenClaims(
                iss: "muster", aud: AudienceClaim(value: ["muster"]), sub: "p", role: "operator", iat: now,
                exp: now + 900)
            let token = try await foreign.sign(claims, kid: kid)
            await #expect(throws: AccountsError.self) { try await issuer.verify(token) }
        }
    }

    @Test("a token of another issuer, audience or role is refused, and so is what is no token")
    func foreignClaims() async throws {
        try await withIssuer { issuer, clock, folder in
            let key = try KeyFolder(path: folder).load().signing(at: clock.now)
            let ours = JWTKeyCollection()
            await ours.add(eddsa: key.privateKey, kid: JWKIdentifier(string: key.kid))
            let now = Int(clock.now.milliseconds / 1000)
            func token(
                iss: String = "muster", aud: String..., role: String? = "player"
            ) async throws -> String {
                try await ours.sign(
                    TokenClaims(
                        iss: iss, aud: AudienceClaim(value: aud), sub: "p", role: role, iat: now, exp: now + 900))
            }
            _ = try await issuer.verify(try await token(aud: "muster"))
            _ = try await issuer.verify(try await token(aud: "muster-services", role: "worker"))
            let bad = [
                try await token(iss: "other", aud: "muster"), try await token(aud: "instance:i-1"),
                try await token(aud: "muster", role: nil), try await token(aud: "muster", role: "emperor"),
                // A role has one audience, and a token of both is of neither.
                try await token(aud: "muster", role: "instance"), try await token(aud: "muster", role: "worker"),
                try await token(aud: "muster-services"), try await token(aud: "muster-services", role: "operator"),
                try await token(aud: "muster", "muster-services"),
                try await token(aud: "muster", "muster-services", role: "instance"), "", "a.b", "a.b.c",
                String(repeating: "x", count: 5000),
                "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwIn0.",
            ]
            for token in bad {
                await #expect(throws: AccountsError.self, "\(token)") { try await issuer.verify(token) }
            }
        }
    }

    @Test("people's and services' tokens have an audience each, and neither is made for the other's roles")
    func audiences() async throws {
        try await withIssuer { issuer, _, _ in
            for role in Role.allCases {
                let token = try await issuer.token(subject: "x", role: role)
                let claims = try await verifier(issuer).verify(token, as: TokenClaims.self)
                #expect(claims.aud.value == [role.isService ? "muster-services" : "muster"])
                await #expect(throws: AccountsError.self) {
                    role.isService
                        ? try await issuer.access(subject: "x", role: role)
                        : try await issuer.service(subject: "x", role: role)
                }
            }
        }
    }

    @Test("a join token is for its instance alone: the API refuses it")
    func joinToken() async throws {
        try await withIssuer { issuer, _, _ in
            let pool = try #require(Pool("duel:eu"))
            let token = try await issuer.join(
                player: PlayerID("p"), match: MatchID(in: pool, ULID()), instance: InstanceID("i-1"))
            await #expect(throws: AccountsError.invalidToken("meant for another audience")) {
                try await issuer.verify(token)
            }
            let claims = try await verifier(issuer).verify(token, as: TokenClaims.self)
            #expect(claims.aud.value == ["instance:i-1"])
            #expect(claims.exp - claims.iat == 60)
            #expect(claims.match.flatMap { MatchID(rawValue: $0) }?.pool == pool)
        }
    }

    @Test("whoever has the published key set can verify a token, and none of the private half is in it")
    func keySet() async throws {
        try await withIssuer { issuer, _, _ in
            let token = try await issuer.access(subject: "p", role: .player)
            let claims = try await verifier(issuer).verify(token, as: TokenClaims.self)
            #expect(claims.sub == "p")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(issuer.jwks.utf8)) as? [String: [[String: String]]])
            for key in try #require(object["keys"]) {
                #expect(Set(key.keys) == ["kty", "crv", "x", "use", "alg", "kid"])
                #expect(key["alg"] == "EdDSA" && key["crv"] == "Ed25519" && key["kty"] == "OKP")
            }
        }
    }

    @Test("processes that start at once agree on one key, which only its owner may read")
    func concurrentStart() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.file("keys")
        let kids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 { group.addTask { try KeyFolder(path: path).loadOrCreate().signing(at: .now).kid } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(kids.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["signing-1.pem"])
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/signing-1.pem")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path + "/signing-1.pem")
        #expect(throws: AccountsError.self) { try KeyFolder(path: path).load() }
    }

    @Test("no more tokens are remembered than allowed, and the ones in use stay")
    func remembered() {
        let tokens = VerifiedTokens(limit: 4)
        let (now, later) = (Instant(milliseconds: 1), Instant(milliseconds: 2))
        for index in 0..<100 {
            tokens.remember(Identity(subject: "\(index)", role: .player), of: "t\(index)", until: later, epoch: 0)
            _ = tokens.identity(of: "t0", at: now, epoch: 0)
        }
        let kept = (0..<100).filter { tokens.identity(of: "t\($0)", at: now, epoch: 0) != nil }
        #expect(kept.count <= 5)
        #expect(kept.contains(0) && kept.contains(99))
        #expect(tokens.identity(of: "t99", at: later, epoch: 0) == nil)
    }

    private func verifier(_ issuer: TokenIssuer) async throws -> JWTKeyCollection {
        let collection = JWTKeyCollection()
        try await collection.add(jwksJSON: issuer.jwks)
        return collection
    }
}
