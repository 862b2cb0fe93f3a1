import Foundation
import GameModel
import NIOCore
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
            do {
                try await withGameClient(instance.port) { client in
                    try await client.send("{")
                    #expect(try await client.next() == nil)
                }
            } catch is ChannelError {
                return  // Closed by the server before this was sent.
            } catch is IOError {
                return  // As above.
            } catch is NIOAsyncWriterError {
                return  // As above.
            }
        }
    }

    @Test("more connections than the limit are closed at once")
    func connectionLimit() async throws {
        try await withAPIAndInstance({
            $0.limits.connectionsMax = 1
            $0.play.joinWait = .seconds(30)
        }) { [self] api, instance in
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
            let frames = try await Self.playWhenRoom(instance.port) {
                try await api.token(two, match, instance: instance.id)
            }
            #expect(frames.last?.type == "finished")
        }
    }

    @Test("an address may have only so many connections that have not joined; who has joined does not count")
    func unjoinedLimit() async throws {
        try await withAPIAndInstance({
            $0.limits.unjoinedMax = 1
            $0.limits.handshake = .seconds(10)
            $0.play.joinWait = .seconds(30)
        }) { [self] api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            try await withGameClient(instance.port) { first in
                try await first.join(token)
                #expect(try await first.next()?.type == "joined")
                try await withGameClient(instance.port) { silent in
                    try await silent.send("{")
                    // Whoever comes now from this address is turned away, until the silent one is gone.
                    try await eventually("there is no room for a third") {
                        try await withGameClient(instance.port) { try await $0.next() } == nil
                    }
                }
                let frames = try await Self.playWhenRoom(instance.port) {
                    try await api.token(two, match, instance: instance.id)
                }
                #expect(frames.last?.type == "finished")
                #expect(try await first.rest().last?.type == "finished")
            }
        }
    }

    @Test("who has joined and sends half a frame is closed too when it does not end in time")
    func slowFrame() async throws {
        try await withAPIAndInstance({
            $0.limits.frameTime = .milliseconds(50)
            $0.play.joinWait = .seconds(30)
        }) { [self] api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            let other = try await api.token(two, match, instance: instance.id)
            try await withGameClient(instance.port) { client in
                try await client.join(token)
                #expect(try await client.next()?.type == "joined")
                try await client.send(#"{"type":"#)
                while let frame = try await client.next() { #expect(frame.type == "state") }
            }
            let again = try await api.token(one, match, instance: instance.id)
            async let first = play(instance.port, token: again)
            #expect(try await play(instance.port, token: other).last?.type == "finished")
            #expect(try await first.last?.type == "finished")
        }
    }

    @Test("200 connections of garbage and slow ones beside a running match: it ends right, with both players in it")
    func siege() async throws {
        try await withAPIAndInstance({
            $0.limits.handshake = .seconds(5)
            $0.limits.unjoinedMax = 100
            $0.play.ticksMax = 2_000
            $0.play.joinWait = .seconds(30)
        }) { [self] api, instance in
            let match = api.addMatch([one, two])
            // Each hit takes 4 of 1,000, so that the match is there during the siege.
            api.seen.withLock { $0.sheets[match]?.balance.weapons[0].damage = -16 }
            let tokens = [
                try await api.token(one, match, instance: instance.id),
                try await api.token(two, match, instance: instance.id),
            ]
            let ended = Count()
            try await withGameClient(instance.port) { first in
                try await first.join(tokens[0])
                #expect(try await first.next()?.type == "joined")
                async let attack: Void = withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<200 {
                        group.addTask { try await Self.attack(instance.port, number, token: tokens[0]) }
                    }
                    for try await _ in group { ended.value.withLock { $0 += 1 } }
                }
                try await eventually("the siege is on") { ended.value.withLock { $0 >= 20 } }
                let second = try await Self.playWhenRoom(instance.port) {
                    try await api.token(two, match, instance: instance.id)
                }
                #expect(second.last?.type == "finished")
                #expect(try await first.rest().last?.type == "finished")
                try await attack
            }
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match]?.count == 1 } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(report.players.map(\.playerId) == [one, two])
            #expect(report.players.map(\.left) == [nil, nil])
        }
    }

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    /// One attacker, of a kind by number, until the server closes.
    private static func attack(_ port: Int, _ number: Int, token: String) async throws {
        let texts = [
            "{", "\u{0}\u{1}\u{2}\n", String(repeating: "x", count: 100_000),
            #"{"type":"join","token":"a.b.c"}"# + "\n",
            #"{"type":"join","token":"\#(token)"}"# + "\n", "", #"{"type":"leave"}"#, "GET / HTTP/1.1\r\n\r\n",
        ]
        do {
            try await withGameClient(port) { client in
                try await client.send(texts[number % texts.count])
                while try await client.next() != nil {}
            }
        } catch is ChannelError {
            return  // Closed by the server while this was sending.
        } catch is IOError {
            return  // As above.
        } catch is NIOAsyncWriterError {
            return  // As above.
        }
    }

    /// A player whom others leave no room comes again, each time with a fresh token, until there is some.
    private static func playWhenRoom(
        _ port: Int, token: () async throws -> String
    ) async throws -> [AnyFrame] {
        var frames: [AnyFrame] = []
        try await eventually("the player gets in") {
            do {
                frames = try await play(port, token: try await token())
            } catch is IOError {
                return false
            } catch is ChannelError {
                return false
            } catch is NIOAsyncWriterError {
                return false
            }
            return frames.first?.type == "joined"
        }
        return frames
    }
}
