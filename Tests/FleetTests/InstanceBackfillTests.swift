import Foundation
import GameModel
import Synchronization
import TestSupport
import Testing

@testable import InstanceWorker

@Suite("Instance: players who leave, come back, or come late")
struct InstanceBackfillTests {
    private static let (one, two, three) = (PlayerID("one"), PlayerID("two"), PlayerID("three"))

    /// A match that lasts until the test lets the last player go, or a minute at most.
    private static func long(_ configuration: inout InstanceConfiguration) {
        configuration.play.ticksMax = 12_000
        configuration.play.backfillAfter = .milliseconds(20)
        configuration.play.backfillInterval = .milliseconds(10)
    }

    @Test("who loses the connection comes back with a fresh token, and has not left in the end")
    func comesBack() async throws {
        let (one, two) = (Self.one, Self.two)
        try await withAPIAndInstance({ $0.play.joinWait = .seconds(30) }) { api, instance in
            let match = api.addMatch([one, two])
            let first = try await api.token(one, match, instance: instance.id)
            try await withGameClient(instance.port) { client in
                try await client.join(first)
                #expect(try await client.next()?.type == "joined")
            }
            let again = try await api.token(one, match, instance: instance.id)
            let other = try await api.token(two, match, instance: instance.id)
            // The instance may learn a moment later that the first connection is gone.
            try await eventually("the player is let in again") {
                try await withGameClient(instance.port) { client in
                    try await client.join(again)
                    guard try await client.next()?.type == "joined" else { return false }
                    async let ending = play(instance.port, token: other)
                    #expect(try await client.rest().last?.type == "finished")
                    return try await ending.last?.type == "finished"
                }
            }
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(report.players.map(\.left) == [nil, nil])
            #expect(report.players.allSatisfy { ($0.latencyMs ?? -1) > 0 }, "the round trip is measured")
        }
    }

    @Test("for a player who left, others are asked for; who comes is let in though the first roster did not name them")
    func backfilled() async throws {
        let (one, two, three) = (Self.one, Self.two, Self.three)
        try await withAPIAndInstance(Self.long) { api, instance in
            let match = api.addMatch([one, two])
            api.seen.withLock { seen in
                seen.sheets[match]?.canBackfill = true
                // Each hit takes 2 of 1,000, so that the fight outlasts the test.
                seen.sheets[match]?.balance.weapons[0].damage = -18
            }
            let leaving = try await api.token(one, match, instance: instance.id)
            let staying = try await api.token(two, match, instance: instance.id)
            async let stayed = play(instance.port, token: staying)
            try await withGameClient(instance.port) { client in
                try await client.join(leaving)
                var frame = try await client.next()
                while frame?.type != "state" { frame = try await client.next() }
                try await client.send(#"{"type":"leave"}"# + "\n")
            }
            try await eventually("the seat is offered") {
                api.seen.withLock { $0.backfills.last == .init(open: [1, 0], left: [one]) }
            }
            // The API has a new player for it.
            api.seen.withLock { seen in
                let sheet = MatchSheet.of([[one, three], [two]], match: match)
                seen.sheets[match]?.teams = sheet.teams
            }
            let late = try await api.token(three, match, instance: instance.id)
            let frames = try await play(instance.port, token: late)
            #expect(frames.first?.type == "joined" && frames.first?.team == 0)
            #expect(frames.last?.type == "finished")
            #expect(try await stayed.last?.type == "finished")
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(Set(report.players.filter { $0.left == true }.map(\.playerId)) == [one])
            #expect(Set(report.players.map(\.playerId)) == [one, two, three])
            try await eventually("the event is posted") {
                api.seen.withLock { $0.events.contains { $0.kind == "backfill_requested" } }
            }
            #expect(api.seen.withLock { $0.backfills.last } == .init(open: [], left: []), "the request is taken back")
        }
    }

    @Test("where the mode has no backfill, or it is refused, the match goes on as it is and nobody is asked again")
    func refused() async throws {
        let (one, two) = (Self.one, Self.two)
        for (canBackfill, asked) in [(false, 0), (true, 1)] {
            try await withAPIAndInstance({
                Self.long(&$0)
                $0.play.ticksMax = 60
                $0.play.joinWait = .milliseconds(20)
            }) { api, instance in
                let match = api.addMatch([one, two])
                api.seen.withLock { seen in
                    seen.sheets[match]?.canBackfill = canBackfill
                    // Nobody is hurt, so that the fight lasts.
                    seen.sheets[match]?.balance.weapons[0].damage = -20
                    seen.backfillStatus = 409
                }
                let token = try await api.token(two, match, instance: instance.id)
                #expect(try await play(instance.port, token: token).last?.type == "finished")
                try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
                #expect(api.seen.withLock { $0.backfills.count } == asked)
                #expect(api.seen.withLock { $0.results[match]?.first?.players.map(\.left) } == [true, nil])
            }
        }
    }

    @Test("who was to come late and never did is not in the result")
    func neverCame() async throws {
        let (one, two, three) = (Self.one, Self.two, Self.three)
        try await withAPIAndInstance({
            Self.long(&$0)
            $0.play.ticksMax = 400
        }) { api, instance in
            let match = api.addMatch([one, two])
            let tokens = [
                try await api.token(one, match, instance: instance.id),
                try await api.token(two, match, instance: instance.id),
            ]
            api.seen.withLock { $0.sheets[match]?.balance.weapons[0].damage = -20 }
            let stranger = try await api.token(PlayerID("eve"), match, instance: instance.id)
            async let second = play(instance.port, token: tokens[1])
            try await withGameClient(instance.port) { client in
                try await client.join(tokens[0])
                var frame = try await client.next()
                while frame?.type != "state" { frame = try await client.next() }
                api.seen.withLock {
                    $0.sheets[match]?.teams = MatchSheet.of([[one, three], [two]], match: match).teams
                }
                // A stranger with a token makes the room ask for the roster, and is refused.
                #expect(try await play(instance.port, token: stranger).last?.code == "bad-token")
                #expect(try await client.rest().last?.type == "finished")
            }
            #expect(try await second.last?.type == "finished")
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(report.players.map(\.playerId) == [one, two])
        }
    }
}
