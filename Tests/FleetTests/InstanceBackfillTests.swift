import Foundation
import GameModel
import Synchronization
import TestSupport
import Testing

@testable import InstanceWorker
@testable import MusterInstance

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
                // Nobody is hurt, so that the fight lasts until the new player is there.
                seen.sheets[match]?.balance.weapons[0].damage = -20
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
                // Whose hits take 2 of 1,000: there is time for the request to be taken back.
                seen.sheets[match]?.balance.weapons[0].damage = -18
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
            try await eventually("the request is taken back") {
                api.seen.withLock { $0.backfills.last } == .init(open: [], left: [])
            }
        }
    }

    @Test("where the mode has no backfill, or it is refused, the match goes on as it is and nobody is asked at once")
    func refused() async throws {
        let (one, two, three) = (Self.one, Self.two, Self.three)
        for canBackfill in [false, true] {
            try await withAPIAndInstance({
                Self.long(&$0)
                if !canBackfill { $0.play.ticksMax = 60 }
                $0.play.joinWait = .milliseconds(20)
                $0.play.backfillAgain = .seconds(3_600)
            }) { api, instance in
                let match = api.addMatch([one, two])
                api.seen.withLock { seen in
                    seen.sheets[match]?.canBackfill = canBackfill
                    // Nobody is hurt, so that the fight lasts.
                    seen.sheets[match]?.balance.weapons[0].damage = -20
                    seen.backfillStatus = 409
                }
                let token = try await api.token(two, match, instance: instance.id)
                async let stayed = play(instance.port, token: token)
                if canBackfill {
                    try await eventually("the seat is asked for") { api.seen.withLock { !$0.backfills.isEmpty } }
                    // Ends the fight: one who comes all the same, and strikes hard.
                    api.seen.withLock { seen in
                        seen.sheets[match]?.teams = MatchSheet.of([[one, three], [two]], match: match).teams
                        seen.sheets[match]?.balance.weapons[0].damage = 100_000
                    }
                    let late = try await api.token(three, match, instance: instance.id)
                    #expect(try await play(instance.port, token: late).last?.type == "finished")
                }
                #expect(try await stayed.last?.type == "finished")
                try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
                let wishes = api.seen.withLock { $0.backfills }
                #expect(wishes.isEmpty != canBackfill)
                #expect(!zip(wishes, wishes.dropFirst()).contains { $0 == $1 }, "\(wishes)")
                let players = api.seen.withLock { $0.results[match]?.first?.players ?? [] }
                #expect(players.filter { $0.left == true }.map(\.playerId) == [one])
                #expect(players.count == (canBackfill ? 3 : 2))
            }
        }
    }

    @Test("seats that stay open are asked for again after a while, also where that was refused before")
    func askedAgain() async throws {
        let (one, two) = (Self.one, Self.two)
        for status in [nil, 409] {
            try await withAPIAndInstance({
                Self.long(&$0)
                $0.play.backfillAgain = .milliseconds(30)
                // The match would last for a minute.
                $0.stopGrace = .milliseconds(10)
                $0.play.joinWait = .milliseconds(20)
            }) { api, instance in
                let match = api.addMatch([one, two])
                api.seen.withLock { seen in
                    seen.sheets[match]?.canBackfill = true
                    // Nobody is hurt, so that the fight lasts.
                    seen.sheets[match]?.balance.weapons[0].damage = -20
                    seen.backfillStatus = status
                }
                let token = try await api.token(two, match, instance: instance.id)
                try await withGameClient(instance.port) { client in
                    try await client.join(token)
                    #expect(try await client.next()?.type == "joined")
                    try await eventually("the seat is asked for three times") {
                        api.seen.withLock { $0.backfills.filter { $0 == .init(open: [1, 0], left: [one]) }.count >= 3 }
                    }
                }
            }
        }
    }

    @Test("who goes when their fighter has fallen has not left; who goes before has, though their fighter falls later")
    func fallen() async throws {
        let (one, two, three) = (Self.one, Self.two, Self.three)
        try await withAPIAndInstance({
            $0.play.joinWait = .seconds(30)
            $0.play.ticksMax = 2_000
            $0.play.stateEvery = 1
        }) { api, instance in
            let match = api.addMatch([one, two, three])
            // The first falls by one hit, and hits nobody; the second hits hard; the third stands long.
            api.seen.withLock { seen in
                seen.sheets[match]?.balance.characters = [
                    .init(id: "a", name: "A", health: 1, damage: 0, weapon: "w"),
                    .init(id: "b", name: "B", health: 500, damage: 1, weapon: "w"),
                ]
                seen.sheets[match]?.balance.weapons[0].damage = 0
            }
            let tokens = [
                try await api.token(one, match, instance: instance.id),
                try await api.token(two, match, instance: instance.id),
                try await api.token(three, match, instance: instance.id),
            ]
            async let third = play(instance.port, token: tokens[2])
            async let second: Void = withGameClient(instance.port) { client in
                try await client.join(tokens[1])
                while let frame = try await client.next(), frame.type != "state" {}
                try await client.send(#"{"type":"leave"}"# + "\n")
            }
            try await withGameClient(instance.port) { client in
                try await client.join(tokens[0])
                while let frame = try await client.next() {
                    if frame.players?.first(where: { $0.playerId == one })?.health == 0 { break }
                }
                try await client.send(#"{"type":"leave"}"# + "\n")
            }
            try await second
            #expect(try await third.last?.type == "finished")
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(report.players.map(\.left) == [nil, true, nil])
        }
    }

    @Test("who comes back to a seat that another has taken is told that the team is full")
    func replaced() async throws {
        let (one, two, three) = (Self.one, Self.two, Self.three)
        try await withAPIAndInstance({
            Self.long(&$0)
            // The match would last for a minute.
            $0.stopGrace = .milliseconds(10)
        }) { api, instance in
            let match = api.addMatch([one, two])
            api.seen.withLock { $0.sheets[match]?.balance.weapons[0].damage = -20 }
            let first = try await api.token(one, match, instance: instance.id)
            let again = try await api.token(one, match, instance: instance.id)
            let staying = try await api.token(two, match, instance: instance.id)
            let late = try await api.token(three, match, instance: instance.id)
            try await withGameClient(instance.port) { stayed in
                try await stayed.join(staying)
                try await withGameClient(instance.port) { client in
                    try await client.join(first)
                    var frame = try await client.next()
                    while frame?.type != "state" { frame = try await client.next() }
                    try await client.send(#"{"type":"leave"}"# + "\n")
                    // Closed by the server: the room knows by now.
                    _ = try await client.rest()
                }
                api.seen.withLock {
                    $0.sheets[match]?.teams = MatchSheet.of([[one, three], [two]], match: match).teams
                }
                try await eventually("the seat of who left is free for another") {
                    try await withGameClient(instance.port) { client in
                        try await client.join(late)
                        guard try await client.next()?.type == "joined" else { return false }
                        #expect(try await play(instance.port, token: again).map(\.code) == ["full"])
                        return true
                    }
                }
            }
        }
    }

    @Test("who was to come late and never did is in no fight and not among the result's players, which says so")
    func neverCame() async throws {
        let (one, two, three) = (Self.one, Self.two, Self.three)
        try await withAPIAndInstance({
            Self.long(&$0)
            $0.play.ticksMax = 1_200
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
                let frames = try await client.rest()
                #expect(frames.last?.type == "finished")
                #expect(frames.allSatisfy { $0.players?.contains { $0.playerId == three } != true })
            }
            #expect(try await second.last?.type == "finished")
            try await eventually("the result is posted") { api.seen.withLock { $0.results[match] != nil } }
            let report = try #require(api.seen.withLock { $0.results[match]?.first })
            #expect(report.players.map(\.playerId) == [one, two])
            #expect(report.neverCame == [three] && report.patch == PatchVersion(1))
        }
    }
}
