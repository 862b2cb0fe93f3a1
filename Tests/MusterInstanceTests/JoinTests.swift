import Foundation
import GameModel
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import MusterInstance

@Suite("Join tokens: who is let in")
struct JoinTests {
    /// Why the token lets nobody in; `nil` where it does.
    private static func refusal(_ client: InstanceClient, _ token: String) async -> JoinRefusal? {
        do {
            _ = try await client.join(token)
            return nil
        } catch {
            return error
        }
    }

    @Test("a token lets its player into its match, once; given back, once more")
    func once() async throws {
        let forge = TokenForge()
        try await withClient { _ in
            .init(body: TokenForge.jwks(forge))
        } _: { client, stub in
            let token = try forge.sign(TokenForge.claims(for: client.configuration.instance))
            let pass = try await client.join(token)
            #expect(pass.player == PlayerID("p1") && pass.match == TokenForge.match)
            #expect(await Self.refusal(client, token) == .used)
            await client.giveBack(pass)
            #expect(await Self.refusal(client, token) == nil)
            #expect(await Self.refusal(client, token) == .used)
            #expect(stub.requests("GET /.well-known/jwks.json").count == 1)
        }
    }

    @Test("of many who come with one token at the same time, one gets in")
    func race() async throws {
        let forge = TokenForge()
        try await withClient { _ in
            .init(body: TokenForge.jwks(forge))
        } _: { client, stub in
            let token = try forge.sign(TokenForge.claims(for: client.configuration.instance))
            let refusals = await withTaskGroup(of: JoinRefusal?.self) { group in
                for _ in 0..<20 { group.addTask { await Self.refusal(client, token) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(refusals.filter { $0 == nil }.count == 1)
            #expect(refusals.filter { $0 == .used }.count == 19)
            #expect(stub.requests("GET /.well-known/jwks.json").count == 1)
        }
    }

    @Test("spoofed, foreign, expired, long-lived and wrong-instance tokens are refused, each for its reason")
    func refused() async throws {
        let forge = TokenForge()
        // The same name, and another key.
        let impostor = TokenForge()
        try await withClient { _ in
            .init(body: TokenForge.jwks(forge))
        } _: { client, _ in
            let here = client.configuration.instance
            let good = TokenForge.claims(for: here)
            let parts = try forge.sign(good).split(separator: ".").map(String.init)
            let others = try forge.sign(TokenForge.claims(for: here, player: "p2")).split(separator: ".")
            let cases: [(String, JoinRefusal.Reason)] = [
                (try forge.unsigned(good), .algorithm),
                (try forge.confused(good), .algorithm),
                (try forge.confused(good, secret: Data(forge.jwk.utf8)), .algorithm),
                (try forge.confused(good, secret: Data(TokenForge.jwks(forge).utf8)), .algorithm),
                (try forge.sign(good, header: ["alg": "ES256"]), .algorithm),
                (try forge.sign(good, header: ["alg": "eddsa"]), .algorithm),
                (try impostor.sign(good), .signature),
                (try forge.sign(good, header: ["kid": "k9"]), .unknownKey),
                (try forge.sign(good, header: ["kid": NSNull()]), .malformed),
                (try forge.sign(good, header: ["crit": ["b64"], "b64": false]), .malformed),
                ("\(parts[0]).\(others[1]).\(parts[2])", .signature),
                (try forge.sign(TokenForge.claims(for: InstanceID("eu.other"))), .audience),
                (try forge.sign(TokenForge.claims(for: here, changing: ["aud": "muster"])), .audience),
                (
                    try forge.sign(TokenForge.claims(for: here, changing: ["aud": ["instance:\(here)", "x"]])),
                    .audience
                ),
                (try forge.sign(TokenForge.claims(for: here, changing: ["iss": "someone"])), .issuer),
                (try forge.sign(TokenForge.claims(for: here, lifetime: -1)), .expired),
                (try forge.sign(TokenForge.claims(for: here, lifetime: 3_600)), .longLived),
                (try forge.sign(TokenForge.claims(for: here, changing: ["exp": Int.max])), .claims),
                (try forge.sign(TokenForge.claims(for: here, changing: ["exp": nil])), .signature),
                (try forge.sign(TokenForge.claims(for: here, changing: ["jti": nil])), .signature),
                (try forge.sign(TokenForge.claims(for: here, changing: ["jti": ""])), .claims),
                (try forge.sign(TokenForge.claims(for: here, match: "no-match")), .claims),
                (try forge.sign(TokenForge.claims(for: here, player: "a b")), .claims),
                ("", .malformed), ("a.b.c", .malformed), ("..", .malformed),
                (String(repeating: "a", count: 4_097), .malformed),
            ]
            for (token, reason) in cases {
                #expect(await Self.refusal(client, token) == .invalid(reason), "\(reason): \(token.prefix(60))")
            }
            #expect(await Self.refusal(client, try forge.sign(good)) == nil)
        }
    }

    @Test("an unknown key makes the keys be asked for again, but forged tokens do not make it flood the API")
    func rotation() async throws {
        let (old, new) = (TokenForge(kid: "k1"), TokenForge(kid: "k2"))
        let keys = Mutex(TokenForge.jwks(old))
        try await withClient { _ in
            .init(body: keys.withLock { $0 })
        } change: {
            $0.keysInterval = .seconds(1)
        } _: { client, stub in
            let here = client.configuration.instance
            let start = ContinuousClock.now
            #expect(await Self.refusal(client, try old.sign(TokenForge.claims(for: here))) == nil)
            keys.withLock { $0 = TokenForge.jwks(new) }
            let forged = TokenForge(kid: "k3")
            for _ in 0..<50 {
                let token = try forged.sign(TokenForge.claims(for: here))
                #expect(await Self.refusal(client, token) == .invalid(.unknownKey))
            }
            let seconds = Int((ContinuousClock.now - start).inSeconds)
            #expect(stub.requests("GET /.well-known/jwks.json").count <= 1 + seconds)
            try await eventually("the new key is known") {
                await Self.refusal(client, try new.sign(TokenForge.claims(for: here))) == nil
            }
            // The old one was withdrawn.
            #expect(
                await Self.refusal(client, try old.sign(TokenForge.claims(for: here))) == .invalid(.unknownKey))
        }
    }

    @Test("without keys nobody is let in, and it is said that this may change; other kinds of keys are not believed")
    func noKeys() async throws {
        let forge = TokenForge()
        let isOut = Mutex(true)
        let secret = #"{"kty":"oct","alg":"HS256","kid":"s","k":"c2VjcmV0"}"#
        try await withClient { _ in
            isOut.withLock { $0 } ? .init(status: 503) : .init(body: #"{"keys":[\#(secret),\#(forge.jwk)]}"#)
        } _: { client, _ in
            let here = client.configuration.instance
            let token = try forge.sign(TokenForge.claims(for: here))
            #expect(await Self.refusal(client, token) == .unavailable)
            isOut.withLock { $0 = false }
            #expect(await Self.refusal(client, token) == nil)
            let forged = try TokenForge(kid: "s").confused(TokenForge.claims(for: here), secret: Data("secret".utf8))
            #expect(await Self.refusal(client, forged) == .invalid(.algorithm))
        }
    }

    @Test("a machine whose clock is hours off judges tokens by the API's clock, which its heartbeats tell")
    func wrongClock() async throws {
        let forge = TokenForge()
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = formatter.string(from: Date())
        for hours in [-5, 5] {
            try await withClient { _ in
                .init(body: TokenForge.jwks(forge), headers: ["Date": date])
            } now: {
                .now + .seconds(hours * 3_600)
            } _: { client, _ in
                client.ready(port: 1)
                try await withServices([client]) {
                    try await eventually("a heartbeat was taken") { client.readiness == .ready }
                    let here = client.configuration.instance
                    #expect(await Self.refusal(client, try forge.sign(TokenForge.claims(for: here))) == nil)
                }
            }
        }
    }

    @Test("tokens are forgotten when they have expired, so that memory is bounded by what is minted in a minute")
    func forgotten() {
        var used = UsedTokens()
        for number in 0..<10_000 {
            let now = Instant(milliseconds: Int64(number) * 100)
            let isNew = used.insert("t\(number)", until: now + .seconds(60), now: now)
            #expect(isNew)
        }
        #expect(used.count < 2_500)
        let isNew = used.insert("t9999", until: Instant(milliseconds: 0), now: Instant(milliseconds: 0))
        #expect(!isNew)
    }
}
