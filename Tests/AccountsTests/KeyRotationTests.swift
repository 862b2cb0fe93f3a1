import Foundation
import GameModel
import Logging
import JWTKit
import ServiceLifecycle
import TestSupport
import Testing

@testable import Accounts

@Suite("Key rotation")
struct KeyRotationTests {
    private struct Place {
        let clock: TestClock
        let path: String
        let folder: KeyFolder
        let ring: KeyRing
        let tokens: TokenIssuer

        func kids() throws -> [String] { try folder.states().map(\.kid) }

        /// The name of the key that signed a token.
        func kid(of token: String) throws -> String {
            struct Header: Decodable { let kid: String }
            let part = String(token.split(separator: ".")[0]).replacing("-", with: "+").replacing("_", with: "/")
            let padded = part + String(repeating: "=", count: (4 - part.count % 4) % 4)
            return try JSONDecoder().decode(Header.self, from: try #require(Data(base64Encoded: padded))).kid
        }
    }

    private func withKeys<T>(_ body: (Place) async throws -> T) async throws -> T {
        let temporary = try TemporaryFolder()
        defer { temporary.remove() }
        let (clock, path) = (TestClock(), temporary.file("keys"))
        let ring = try KeyRing(folder: path, pollInterval: .milliseconds(5), clock: { clock.now })
        return try await body(
            Place(
                clock: clock, path: path, folder: KeyFolder(path: path, clock: { clock.now }), ring: ring,
                tokens: TokenIssuer(ring: ring, clock: { clock.now })))
    }

    @Test("the first key signs at once; one that follows is published at once, and signs 5 minutes later")
    func publishBeforeSigning() async throws {
        try await withKeys { place in
            let first = try place.kids()[0]
            #expect(try place.kid(of: try await place.tokens.access(subject: "p", role: .player)) == first)
            let new = try place.folder.rotate()
            #expect(new.state == .published && new.signsFrom == place.clock.now + .seconds(300))
            try place.ring.reload()
            #expect(place.tokens.jwks.contains(first) && place.tokens.jwks.contains(new.kid))
            place.clock.advance(.seconds(299))
            #expect(try place.kid(of: try await place.tokens.access(subject: "p", role: .player)) == first)
            place.clock.advance(.seconds(1))
            #expect(try place.kid(of: try await place.tokens.access(subject: "p", role: .player)) == new.kid)
            #expect(try place.folder.states().map(\.state) == [.signing, .verifying])
        }
    }

    @Test("tokens of the key before stay good for as long as they live, also where another process signed them")
    func overlap() async throws {
        try await withKeys { place in
            let old = try await place.tokens.access(subject: "p", role: .player, lifetime: .seconds(900))
            _ = try place.folder.rotate()
            place.clock.advance(.seconds(600))
            let clock = place.clock
            let other = TokenIssuer(
                ring: try KeyRing(folder: place.path, clock: { clock.now }), clock: { clock.now })
            #expect(try await other.verify(old).subject == "p")
            let new = try await other.access(subject: "q", role: .player)
            // A process that has not read the folder since is not there yet: that is what the time to publish is for.
            await #expect(throws: AccountsError.self) { try await place.tokens.verify(new) }
            try place.ring.reload()
            #expect(try await place.tokens.verify(new).subject == "q")
        }
    }

    @Test("a running process reads a rotation by itself, and keeps its keys when the folder can't be read")
    func polling() async throws {
        try await withKeys { place in
            let group = ServiceGroup(services: [place.ring], logger: .init(label: "test"))
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                let second = try place.folder.rotate()
                try await eventually("the new key is published") { place.tokens.jwks.contains(second.kid) }
                let file = place.folder.keyFile(2)
                try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
                #expect(throws: AccountsError.self) { try place.ring.reload() }
                #expect(place.tokens.jwks.contains(second.kid))
                _ = try await place.tokens.access(subject: "p", role: .player)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
                let third = try place.folder.rotate()
                try await eventually("the third key is published") { place.tokens.jwks.contains(third.kid) }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("a key is retired once none of its tokens can be good, and neither the signing one nor the next ever is")
    func retire() async throws {
        try await withKeys { place in
            #expect(try place.folder.retire().retired.isEmpty)
            let second = try place.folder.rotate()
            place.clock.advance(.seconds(300))
            let third = try place.folder.rotate()
            let early = try place.folder.retire()
            #expect(early.retired.isEmpty)
            #expect(
                early.kept.map(\.reason) == [
                    "it has yet to sign", "it signs",
                    "its tokens may be good until \(place.clock.now + .seconds(60 + 86_400))",
                ])
            place.clock.advance(.seconds(60 + 86_400 - 1))
            #expect(try place.folder.retire().retired.isEmpty)
            place.clock.advance(.seconds(1))
            #expect(try place.folder.retire(olderThan: .seconds(200_000)).retired.isEmpty)
            #expect(try place.folder.retire().retired.map(\.number) == [1])
            #expect(try place.kids() == [third.kid, second.kid])
        }
    }

    @Test("a token of 30 days keeps its key for as long, whichever process made it")
    func longTokens() async throws {
        try await withKeys { place in
            _ = try await place.tokens.service(subject: "fleet", role: .instance, lifetime: .seconds(30 * 86_400))
            let end = place.clock.now + .seconds(30 * 86_400)
            let shorter = try await place.tokens.service(subject: "x", role: .worker, lifetime: .seconds(10 * 86_400))
            _ = try place.folder.rotate()
            place.clock.advance(.seconds(9 * 86_400))
            try place.ring.reload()
            #expect(try await place.tokens.verify(shorter).subject == "x")
            #expect(try place.folder.retire().retired.isEmpty)
            #expect(try place.folder.states().last?.retirableFrom == end)
            place.clock.advance(.seconds(21 * 86_400))
            #expect(try place.folder.retire().retired.map(\.number) == [1])
            #expect(try Set(FileManager.default.contentsOfDirectory(atPath: place.path)) == [".lock", "signing-2.pem"])
        }
    }

    @Test("a token that was verified before is refused once its key is retired")
    func forgotten() async throws {
        try await withKeys { place in
            let token = try await place.tokens.access(subject: "p", role: .player)
            _ = try await place.tokens.verify(token)
            _ = try place.folder.rotate()
            try place.ring.reload()
            _ = try await place.tokens.verify(token)
            // Not by `retire`, which waits for the token: the key was stolen.
            let next = try #require(try place.folder.revoke(1))
            #expect(next.number == 3 && next.state == .signing)
            try place.ring.reload()
            #expect(try place.kid(of: try await place.tokens.access(subject: "p", role: .player)) == next.kid)
            #expect(try place.folder.states().map(\.number) == [3, 2])
            #expect(try place.folder.revoke(2) == nil)
            #expect(throws: AccountsError.self) { try place.folder.revoke(2) }
            await #expect(throws: AccountsError.invalidToken("malformed or not signed by us")) {
                try await place.tokens.verify(token)
            }
        }
    }

    @Test("a key of an earlier release, without the moment of its making, signs and is followed like any other")
    func earlierRelease() async throws {
        try await withKeys { place in
            let file = place.folder.keyFile(1)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.hasPrefix("Created: \(place.clock.now.milliseconds)\n-----BEGIN"))
            let bare = text.split(separator: "\n").dropFirst().joined(separator: "\n")
            try bare.write(toFile: file, atomically: false, encoding: .utf8)
            let first = try #require(try place.folder.states().first)
            #expect(first.state == .signing && first.createdAt == Instant(milliseconds: 0))
            _ = try place.folder.rotate()
            #expect(try place.folder.states().map(\.state) == [.published, .signing])
        }
    }

    @Test("rotations at once are rotations one after the other")
    func concurrentRotations() async throws {
        try await withKeys { place in
            let folder = place.folder
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 { group.addTask { _ = try folder.rotate() } }
                try await group.waitForAll()
            }
            #expect(try folder.states().map(\.number) == Array((1...9).reversed()))
        }
    }
}
