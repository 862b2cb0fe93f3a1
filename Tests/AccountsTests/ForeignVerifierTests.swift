import Foundation
import GameModel
import TestSupport
import Testing

@testable import Accounts

/// Our tokens and key sets, judged by PyJWT: a library that shares no code with ours.
@Suite("Verified by a foreign JWT library")
struct ForeignVerifierTests {
    /// Reads `{"jwks", "token", "audience"}` and prints the claims, or the name of the error.
    private static let verifier = """
        import json, sys
        import jwt
        order = json.load(sys.stdin)
        keys = jwt.PyJWKSet.from_json(order["jwks"])
        try:
            kid = jwt.get_unverified_header(order["token"])["kid"]
            claims = jwt.decode(order["token"], keys[kid], algorithms=["EdDSA"], audience=order["audience"],
                issuer="muster", options={"require": ["exp", "iat", "sub", "aud", "iss", "jti"]})
            print(json.dumps(claims))
        except KeyError as error:
            print(json.dumps({"error": "no key " + str(error)}))
        except jwt.InvalidTokenError as error:
            print(json.dumps({"error": type(error).__name__}))
        """

    private func judge(_ token: String, by jwks: String, audience: String = "muster") async throws -> [String: String] {
        let order = try JSONEncoder().encode(["jwks": jwks, "token": token, "audience": audience])
        let output = try await Python.run(Self.verifier, input: order)
        let object = try JSONSerialization.jsonObject(with: output) as? [String: Any]
        return try #require(object).mapValues { "\($0)" }
    }

    @Test("PyJWT verifies people's, services' and join tokens with our key set alone")
    func verified() async throws {
        try await withKeys { ring, _ in
            let tokens = TokenIssuer(ring: ring)
            let session = SessionID(ULID().description)
            let access = try await tokens.access(subject: "p", role: .player, session: session)
            let claims = try await judge(access, by: tokens.jwks)
            #expect(claims["sub"] == "p" && claims["role"] == "player" && claims["sid"] == session.rawValue)
            let service = try await tokens.service(subject: "fleet", role: .instance)
            #expect(try await judge(service, by: tokens.jwks, audience: "muster-services")["role"] == "instance")
            #expect(try await judge(service, by: tokens.jwks)["error"] == "InvalidAudienceError")
            let pool = try #require(Pool("duel:eu"))
            let join = try await tokens.join(
                player: PlayerID("p"), match: MatchID(in: pool, ULID()), instance: InstanceID("i-1"))
            #expect(try await judge(join, by: tokens.jwks, audience: "instance:i-1")["sub"] == "p")
        }
    }

    @Test("PyJWT refuses a token that was tampered with, is over, or is another's")
    func refused() async throws {
        try await withKeys { ring, _ in
            let tokens = TokenIssuer(ring: ring)
            let good = try await tokens.access(subject: "p", role: .player)
            let parts = good.split(separator: ".").map(String.init)
            let claims = #"{"iss":"muster","aud":["muster"],"sub":"q","role":"operator","iat":1,"exp":9999999999}"#
            let forged = [parts[0], Base64URL.encode(Data(claims.utf8)), parts[2]].joined(separator: ".")
            #expect(try await judge(forged, by: tokens.jwks)["error"] == "InvalidSignatureError")
            let old = try await tokens.access(subject: "p", role: .player, lifetime: .seconds(-5))
            #expect(try await judge(old, by: tokens.jwks)["error"] == "ExpiredSignatureError")
            try await withKeys { other, _ in
                let verdict = try await judge(good, by: TokenIssuer(ring: other).jwks)
                #expect(verdict["error"]?.hasPrefix("no key") == true)
            }
        }
    }

    @Test("after a rotation PyJWT verifies tokens of both keys by the new key set, and of a retired key none")
    func rotated() async throws {
        try await withKeys { ring, folder in
            let tokens = TokenIssuer(ring: ring)
            let old = try await tokens.access(subject: "old", role: .player)
            _ = try folder.rotate()
            try ring.reload()
            let new = try await tokens.access(subject: "new", role: .player)
            #expect(old.split(separator: ".")[0] != new.split(separator: ".")[0])
            #expect(try await judge(old, by: tokens.jwks)["sub"] == "old")
            #expect(try await judge(new, by: tokens.jwks)["sub"] == "new")
            try FileManager.default.removeItem(atPath: folder.keyFile(1))
            try ring.reload()
            #expect(try await judge(old, by: tokens.jwks)["error"]?.hasPrefix("no key") == true)
            #expect(try await judge(new, by: tokens.jwks)["sub"] == "new")
        }
    }

    /// Keys of the real clock, for PyJWT has no other; a new one signs at once.
    private func withKeys(_ body: (KeyRing, KeyFolder) async throws -> Void) async throws {
        let temporary = try TemporaryFolder()
        defer { temporary.remove() }
        let path = temporary.file("keys")
        try await body(
            try KeyRing(folder: path, publishTime: .zero), KeyFolder(path: path, publishTime: .zero))
    }
}

/// The Python that has the foreign tools.
private enum Python {
    /// `MUSTER_PYTHON`, else the one that `ops/prepare` makes beside the build.
    static func path() throws -> String {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["MUSTER_PYTHON"] ?? top.appending(path: ".build/python/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestSupportError(
                "there is no Python at \(path): run ops/prepare, or set MUSTER_PYTHON to one that has PyJWT[crypto]")
        }
        return path
    }

    /// Runs a script to its end and answers what it printed; one that fails is an error with what it said.
    static func run(_ script: String, input: Data) async throws -> Data {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        func file(_ name: String, _ content: Data = Data()) throws -> URL {
            let url = URL(filePath: folder.file(name))
            try content.write(to: url)
            return url
        }
        let command = Process()
        command.executableURL = URL(filePath: try path())
        command.arguments = [try file("script.py", Data(script.utf8)).path]
        let (output, errors) = (try file("output"), try file("errors"))
        command.standardInput = try FileHandle(forReadingFrom: try file("input", input))
        command.standardOutput = try FileHandle(forWritingTo: output)
        command.standardError = try FileHandle(forWritingTo: errors)
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            command.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try command.run()
            } catch {
                command.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        guard status == 0 else {
            throw TestSupportError(
                "the script ended with \(status): \(try String(contentsOf: errors, encoding: .utf8).suffix(2000))")
        }
        return try Data(contentsOf: output)
    }
}
