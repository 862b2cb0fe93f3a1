import Foundation
import GameModel
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import InstanceWorker
@testable import MusterInstance

@Suite("Instance: a match over the game port")
struct InstanceTests {
    private let one = PlayerID("one")
    private let two = PlayerID("two")

    @Test("two players join, are told how it stands and how it ended; the result reaches the API once")
    func wholeMatch() async throws {
        let (one, two) = (one, two)
        try await withAPIAndInstance { api, instance in
            let match = api.addMatch([one, two])
            let tokens = [
                try await api.token(one, match, instance: instance.id),
                try await api.token(two, match, instance: instance.id),
            ]
            async let first = play(instance.port, token: tokens[0])
            async let second = play(instance.port, token: tokens[1])
            for (team, frames) in try await [first, second].enumerated() {
                #expect(frames.first?.type == "joined" && frames.first?.matchId == match)
                #expect(frames.first?.team == team && frames.first?.health == 1_000)
                #expect(frames.contains { $0.type == "state" && $0.players?.count == 2 })
                #expect(frames.last?.type == "finished" && frames.last?.players?.count == 2)
            }
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            try await eventually("the events are posted") {
                api.seen.withLock { $0.events.contains { $0.kind == "match_finished" && $0.matchId == match } }
            }
            let seen = api.seen.withLock { $0 }
            #expect(seen.results[match]?.count == 1)
            #expect(seen.results[match]?.first?.players.map(\.playerId) == [one, two])
            #expect(seen.events.contains { $0.kind == "match_started" && $0.matchId == match })
            #expect(seen.events.contains { $0.kind == "hit" && $0.playerId != nil })
            try await eventually("the slot is free") {
                api.seen.withLock { $0.beats.last?.matches.isEmpty == true }
            }
        }
    }

    @Test("heartbeats name the port, the slots and the matches that run")
    func heartbeats() async throws {
        let (one, two) = (one, two)
        try await withAPIAndInstance({ $0.play.joinWait = .seconds(30) }) { api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            try await withGameClient(instance.port) { client in
                try await client.join(token)
                #expect(try await client.next()?.type == "joined")
                try await eventually("a heartbeat names the match") {
                    api.seen.withLock { $0.beats.last?.matches == [match] }
                }
            }
            let beat = try #require(api.seen.withLock { $0.beats.last })
            #expect(beat.port == instance.port && beat.slots == 50 && beat.region == eu)
            let last = try await api.token(two, match, instance: instance.id)
            _ = try await play(instance.port, token: last)
        }
    }

    @Test("who does not join in time stands still; the match is played and has everyone in its result")
    func absentPlayer() async throws {
        let (one, two) = (one, two)
        try await withAPIAndInstance({ $0.play.joinWait = .milliseconds(50) }) { api, instance in
            let match = api.addMatch([one, two])
            let frames = try await play(
                instance.port, token: try await api.token(one, match, instance: instance.id))
            #expect(frames.last?.type == "finished" && frames.last?.winner == 0)
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(report.players.map(\.playerId) == [one, two] && report.players[1].damage == 0)
        }
    }

    @Test("many matches run at once and each has its own result")
    func manyMatches() async throws {
        try await withAPIAndInstance { api, instance in
            var matches: [MatchID] = []
            var tokens: [String] = []
            for number in 0..<20 {
                let players = [PlayerID("a\(number)"), PlayerID("b\(number)")]
                let match = api.addMatch(players)
                matches.append(match)
                for player in players {
                    tokens.append(try await api.token(player, match, instance: instance.id))
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for token in tokens {
                    group.addTask {
                        let last = try await play(instance.port, token: token).last
                        #expect(last?.type == "finished")
                    }
                }
                try await group.waitForAll()
            }
            try await eventually("all results are posted") {
                api.seen.withLock { Set($0.results.keys) == Set(matches) }
            }
            #expect(api.seen.withLock { $0.results.values.allSatisfy { $0.count == 1 } })
            // One fetch serves many.
            #expect((1..<tokens.count / 2).contains(api.seen.withLock { $0.keyFetches }))
        }
    }

    @Test("stopped, it finishes the running match, posts its result, refuses new ones and deregisters")
    func drains() async throws {
        let (one, two) = (one, two)
        try await withAPIAndInstance({
            $0.play.tick = .milliseconds(20)
            $0.play.joinWait = .milliseconds(20)
            $0.stopGrace = .seconds(60)
        }) { api, instance in
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            try await withGameClient(instance.port) { client in
                try await client.join(token)
                #expect(try await client.next()?.type == "joined")
                await instance.group.triggerGracefulShutdown()
                #expect(try await client.rest().last?.type == "finished")
            }
            try await eventually("it is gone") {
                api.seen.withLock { $0.deregistered == [instance.id.rawValue] }
            }
            #expect(api.seen.withLock { $0.results[match]?.count } == 1)
        }
    }

    @Test("drained by the fleet, it says so and still begins a match that was placed; told to end, it finishes that")
    func ordered() async throws {
        let (one, two) = (one, two)
        try await withAPIAndInstance({
            $0.play.tick = .milliseconds(20)
            $0.play.joinWait = .milliseconds(20)
            $0.stopGrace = .seconds(60)
        }) { api, instance in
            api.seen.withLock { $0.order = "drain" }
            try await eventually("a heartbeat says that it drains") {
                api.seen.withLock { $0.beats.last.map { $0.state == .draining && $0.slots == 0 } ?? false }
            }
            let match = api.addMatch([one, two])
            let token = try await api.token(one, match, instance: instance.id)
            try await withGameClient(instance.port) { client in
                try await client.join(token)
                #expect(try await client.next()?.type == "joined")
                api.seen.withLock { $0.order = "shutdown" }
                #expect(try await client.rest().last?.type == "finished")
            }
            try await eventually("it ends by itself") {
                api.seen.withLock { $0.deregistered == [instance.id.rawValue] }
            }
            #expect(api.seen.withLock { $0.results[match]?.count } == 1)
        }
    }
}
