import Foundation
import GameModel
import Synchronization
import TestSupport
import Testing

@testable import InstanceWorker
@testable import MusterInstance

@Suite("Instance: what must not get in")
struct InstanceAttackTests {
    private let one = PlayerID("one")
    private let two = PlayerID("two")

    /// What a connection with this token is told.
    private func refusal(_ port: Int, token: String) async throws -> String? {
        let frames = try await play(port, token: token)
        #expect(frames.count == 1 && frames.first?.type == "error")
        return frames.first?.code
    }

    @Test("tokens that are forged, stale, foreign or for another place are refused; the match is played all the same")
    func badTokens() async throws {
        try await withAPIAndInstance { [self] api, instance in
            let match = api.addMatch([one, two])
            let other = try FakeAPI()
            let good = try await api.token(one, match, instance: instance.id)
            let parts = good.split(separator: ".")
            let cases: [String] = [
                try await api.token(one, match, instance: InstanceID("eu.other")),
                try await api.token(one, match, instance: instance.id, lifetime: -1),
                try await api.token(one, match, instance: instance.id, issuer: "someone"),
                try await other.token(one, match, instance: instance.id),
                try await api.token(PlayerID("stranger"), match, instance: instance.id),
                try await api.token(one, MatchID("no-match"), instance: instance.id),
                "\(parts[0]).\(parts[1])." + String(parts[2].reversed()),
                "eyJhbGciOiJub25lIn0.\(parts[1]).",
                "", "x", "a.b.c",
            ]
            for token in cases { #expect(try await refusal(instance.port, token: token) == "bad-token") }
            #expect(
                try await refusal(
                    instance.port, token: try await api.token(one, .duel(), instance: instance.id)) == "no-match")

            async let first = play(instance.port, token: good)
            async let second = play(
                instance.port, token: try await api.token(two, match, instance: instance.id))
            #expect(try await first.last?.type == "finished")
            #expect(try await second.last?.type == "finished")
        }
    }

    @Test("a player joins once with a token: used again it is refused, and the first connection plays on")
    func replayedJoin() async throws {
        try await withAPIAndInstance { [self] api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            let other = try await api.token(two, match, instance: instance.id)
            try await withGameClient(instance.port) { [self] client in
                try await client.join(token)
                #expect(try await client.next()?.type == "joined")
                #expect(try await refusal(instance.port, token: token) == "already-joined")
                async let second = play(instance.port, token: other)
                #expect(try await client.rest().last?.type == "finished")
                #expect(try await second.last?.type == "finished")
            }
            #expect(try await refusal(instance.port, token: token) == "already-joined")
            let fresh = try await api.token(one, match, instance: instance.id)
            #expect(try await refusal(instance.port, token: fresh) == "no-match")
        }
    }

    @Test("a fresh token takes the place of a connection that looks alive, which is told; its end is not the player's")
    func rejoin() async throws {
        try await withAPIAndInstance({ $0.play.joinWait = .seconds(30) }) { [self] api, instance in
            let match = api.addMatch([one, two])
            let old = try await api.token(one, match, instance: instance.id)
            let fresh = try await api.token(one, match, instance: instance.id)
            let other = try await api.token(two, match, instance: instance.id)
            try await withGameClient(instance.port) { [self] stale in
                try await stale.join(old)
                #expect(try await stale.next()?.type == "joined")
                try await withGameClient(instance.port) { [self] client in
                    try await client.join(fresh)
                    #expect(try await client.next()?.type == "joined")
                    #expect(try await refusal(instance.port, token: old) == "already-joined")
                    async let second = play(instance.port, token: other)
                    #expect(try await client.rest().last?.type == "finished")
                    #expect(try await second.last?.type == "finished")
                }
                #expect(try await stale.rest().map(\.code) == ["already-joined"])
            }
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            #expect(api.seen.withLock { $0.results[match]?.first?.players.map(\.left) } == [nil, nil])
        }
    }

    @Test(
        "garbage, unknown frames and oversize frames close the connection with a reason",
        arguments: [
            ("\u{0}\u{1}garbage\n", "bad-frame"), ("[]\n", "bad-frame"), ("\n", "bad-frame"),
            (#"{"type":"join"}"# + "\n", "bad-frame"), (#"{"type":"move","x":1}"# + "\n", "bad-frame"),
            (String(repeating: "a", count: 5_000), "frame-too-large"),
            (String(repeating: "a", count: 5_000) + "\n", "frame-too-large"),
        ])
    func garbage(_ text: String, _ code: String) async throws {
        try await withAPIAndInstance { _, instance in
            try await withGameClient(instance.port) { client in
                try await client.send(text)
                let frame = try await client.next()
                #expect(frame?.type == "error" && frame?.code == code)
                #expect(try await client.next() == nil)
            }
        }
    }

    @Test("a player who sends garbage in mid-match loses the connection; the other plays on")
    func garbageInMatch() async throws {
        try await withAPIAndInstance { [self] api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            let other = try await api.token(two, match, instance: instance.id)
            try await withGameClient(instance.port) { client in
                try await client.join(token)
                #expect(try await client.next()?.type == "joined")
                try await client.send("garbage\n")
                #expect(try await client.rest().last?.code == "bad-frame")
            }
            #expect(try await play(instance.port, token: other).last?.type == "finished")
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match]?.count == 1 } }
        }
    }

    @Test("a connection that does not join in time is closed, also one that sends byte by byte")
    func slowLoris() async throws {
        try await withAPIAndInstance({ $0.limits.handshake = .milliseconds(50) }) { _, instance in
            try await withGameClient(instance.port) { client in
                try await client.send("{")
                #expect(try await client.next() == nil)
            }
        }
    }

    @Test("more connections than the limit are closed at once")
    func connectionLimit() async throws {
        try await withAPIAndInstance({ $0.limits.connectionsMax = 1 }) { [self] api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            try await withGameClient(instance.port) { first in
                try await first.join(token)
                #expect(try await first.next()?.type == "joined")
                try await withGameClient(instance.port) { second in
                    let told = try await second.next()
                    #expect(told == nil)
                }
            }
            try await eventually("there is room again") {
                let other = try await api.token(two, match, instance: instance.id)
                return try await play(instance.port, token: other).last?.type == "finished"
            }
        }
    }
}
