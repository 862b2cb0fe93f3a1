import Foundation
import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

private let squadEU = Pool(mode: Mode("squad"), region: Region("eu"))

/// Squads of three in Europe only.
private func squads(_ change: (inout ModeRules) -> Void = { _ in }) -> MatchmakingRules {
    var rules = ModeRules(teamSize: 3)
    change(&rules)
    return MatchmakingRules(modes: [Mode("squad"): rules], regions: [Region("eu")])
}

extension MatchmakingService {
    /// Begins a party.
    fileprivate func form(_ leader: String, with party: [String]) async throws -> Ticket {
        try await createTicket(
            TicketRequest(
                leader: TicketMember(player: PlayerID(leader)), mode: Mode("squad"), region: Region("eu"),
                party: party.map { PlayerID($0) }))
    }

    fileprivate func join(_ ticket: Ticket, _ player: String) async throws -> Ticket {
        try await join(ticket.id, TicketMember(player: PlayerID(player)))
    }

    /// The ticket that claims a player.
    func claim(of player: String) async throws -> TicketID? {
        try await redis.send(RedisCommand("GET", RedisArgument(MatchmakingKeys.claim(PlayerID(player)))))
            .string.map { TicketID($0) }
    }

    /// Moves a waiting ticket's deadline into the past.
    func makeOverdue(_ ticket: TicketID) async throws {
        guard let pool = ticket.pool else { return }
        let deadlines = RedisArgument(MatchmakingKeys(pool).deadlines)
        _ = try await redis.send(RedisCommand("ZADD", deadlines, "XX", "1", RedisArgument("t:\(ticket)")))
    }
}

@Suite("A party")
struct PartyTests {
    @Test("tells who can't join it for what is wrong before it looks at the player's other tickets")
    func refusedBeforeClaim() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let own = try await service.createTicket(
                TicketRequest(player: PlayerID("b"), mode: Mode("squad"), region: Region("eu")))
            let party = try await service.form("a", with: ["b"])
            let member = TicketMember(player: PlayerID("b"), avoids: [PlayerID("a")])
            let refusal = await #expect(throws: MatchmakingError.self) { try await service.join(party.id, member) }
            #expect(refusal != .ticketActive(own.id))
            #expect(try await service.claim(of: "b") == own.id)
        }
    }

    @Test("those who follow the party's ticket are told when another member joins, though its state stays")
    func followed() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let watcher = TicketWatcher(redis: redis, rules: squads(), logger: testLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watcher.run() }
                defer { group.cancelAll() }
                let ticket = try await service.form("ada", with: ["bob", "cyd"])
                async let seen = watcher.next(differingFrom: ticket, within: .seconds(300)) {
                    try await service.ticket(ticket.id)
                }
                try await eventually("it is watched") { watcher.watchCount == 1 }
                _ = try await service.join(ticket, "bob")
                let next = try await seen
                #expect(next?.state == .forming && next?.hasJoined(PlayerID("bob")) == true)
            }
        }
    }

    @Test("waits until all joined, and is queued at that time, its members in the order of the invitation")
    func whole() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let ticket = try await service.form("ada", with: ["bob", "cyd"])
            #expect(ticket.state == .forming && ticket.leader == PlayerID("ada"))
            #expect(ticket.players.map(\.rawValue) == ["ada", "bob", "cyd"])
            #expect(ticket.members.map(\.player.rawValue) == ["ada"])
            #expect(try await service.depth(of: squadEU).waiting.count == 0)

            let cyd = TicketMember(
                player: PlayerID("cyd"), skill: Skill(rating: 1_700, deviation: 60), games: 12,
                attributes: ["sprache": .text("Französisch 日本語 \"🎮\"")])
            let two = try await service.join(ticket.id, cyd)
            #expect(two.state == .forming && two.hasJoined(PlayerID("cyd")) && !two.hasJoined(PlayerID("bob")))
            #expect(try await service.join(ticket.id, TicketMember(player: cyd.player)) == two, "again")

            let three = try await service.join(ticket, "bob")
            #expect(three.state == .queued && three.queuedAt >= two.queuedAt && three.queuedAt == three.since)
            #expect(three.members.map(\.player.rawValue) == ["ada", "bob", "cyd"])
            #expect(three.members[2] == cyd, "what a member brought is kept to the letter")
            #expect(try await service.depth(of: squadEU).waiting.count == 1)
            #expect(try await service.ticket(ticket.id) == three)
            for player in ["ada", "bob", "cyd"] { #expect(try await service.claim(of: player) == ticket.id) }
            // A ranker's view holds the same.
            let view = try await PoolView.load(MatchmakingKeys(squadEU), redis: redis)
            #expect(view.waiting.count == 1)
        }
    }

    @Test("is shown to whom it invites until they join, it ends, or the invitation runs out")
    func invitations() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let bob = PlayerID("bob")
            let first = try await service.form("ada", with: ["bob"])
            let second = try await service.form("cyd", with: ["bob", "dan"])
            #expect(Set(try await service.invitations(of: bob).map(\.id)) == [first.id, second.id])
            #expect(try await service.invitations(of: PlayerID("ada")).isEmpty)
            _ = try await service.turnDown(first.id, by: bob)
            #expect(try await service.invitations(of: bob).map(\.id) == [second.id])
            _ = try await service.join(second, "bob")
            #expect(try await service.invitations(of: bob).isEmpty)
            #expect(try await service.invitations(of: PlayerID("dan")).map(\.id) == [second.id])
            // Nobody fills a player's memory: the oldest invitations give way.
            for leader in 0..<(MatchmakingService.invitationsMax + 5) {
                _ = try await service.form("leader\(leader)", with: ["eve"])
            }
            let eve = MatchmakingKeys.invitations(PlayerID("eve"))
            let kept = try await redis.send(RedisCommand("ZCARD", RedisArgument(eve)))
            #expect(kept.int == MatchmakingService.invitationsMax)
            #expect(try await redis.send(RedisCommand("PTTL", RedisArgument(eve))).int ?? 0 > 0)
        }
    }

    @Test("ends when a member turns it down; the others may queue at once, and nobody is cooled down")
    func turnedDown() async throws {
        try await withRedis { redis, _ in
            let rules = squads { $0.cooldown = CooldownRule(seconds: 60) }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let ticket = try await service.form("ada", with: ["bob", "cyd"])
            _ = try await service.join(ticket, "bob")
            let ended = try await service.turnDown(ticket.id, by: PlayerID("cyd"))
            #expect(ended.state == .cancelled && ended.reason == "turned-down")
            #expect(ended.endedBy == [PlayerID("cyd")])
            #expect(try await service.turnDown(ticket.id, by: PlayerID("cyd")) == ended, "again")
            for player in ["ada", "bob", "cyd"] {
                #expect(try await service.claim(of: player) == nil)
                #expect(try await service.cooldown(of: PlayerID(player)) == nil)
            }
            let again = try await service.form("bob", with: ["ada"])
            #expect(again.state == .forming)
            // Once it is queued, there is nothing to turn down: a member withdraws it.
            _ = try await service.join(again, "ada")
            await #expect(throws: MatchmakingError.ticketState(again.id, .queued, action: "turn down")) {
                try await service.turnDown(again.id, by: PlayerID("ada"))
            }
            #expect(try await service.cancel(again.id, by: PlayerID("ada")).state == .cancelled)
        }
    }

    @Test("that not all join in time expires, and frees who did")
    func notJoined() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let ticket = try await service.form("ada", with: ["bob", "cyd"])
            _ = try await service.join(ticket, "bob")
            try await service.settleDeadlines(of: squadEU)
            #expect(try await service.ticket(ticket.id)?.state == .forming, "not before its time")
            try await service.makeOverdue(ticket.id)
            try await service.settleDeadlines(of: squadEU)
            let ended = try await service.ticket(ticket.id)
            #expect(ended?.state == .expired && ended?.reason == "not-joined")
            await #expect(throws: MatchmakingError.ticketState(ticket.id, .expired, action: "join")) {
                try await service.join(ticket, "cyd")
            }
            for player in ["ada", "bob", "cyd"] { #expect(try await service.claim(of: player) == nil) }
        }
    }

    @Test("takes nobody who is not invited, and nobody who has another ticket")
    func strangers() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let ticket = try await service.form("ada", with: ["bob"])
            await #expect(throws: MatchmakingError.foreignTicket(ticket.id)) { try await service.join(ticket, "eve") }
            await #expect(throws: MatchmakingError.foreignTicket(ticket.id)) {
                try await service.turnDown(ticket.id, by: PlayerID("eve"))
            }
            let other = try await service.form("bob", with: ["ada"])
            await #expect(throws: MatchmakingError.ticketActive(other.id)) { try await service.join(ticket, "bob") }
            await #expect(throws: MatchmakingError.ticketActive(ticket.id)) { try await service.join(other, "ada") }
            #expect(try await service.claim(of: "bob") == other.id)
            _ = try await service.cancel(other.id, by: PlayerID("bob"))
            #expect(try await service.join(ticket, "bob").state == .queued)
        }
    }

    @Test("is whole whichever order its members join in, all at once")
    func race() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(
                redis: redis,
                rules: squads {
                    $0.teamSize = 20; $0.partyMax = 20
                }, logger: testLogger)
            let names = (0..<19).map { "p\($0)" }
            let ticket = try await service.form("ada", with: names)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in names { group.addTask { _ = try await service.join(ticket, name) } }
                try await group.waitForAll()
            }
            let whole = try await service.ticket(ticket.id)
            #expect(whole?.state == .queued && whole?.members.map(\.player.rawValue) == ["ada"] + names)
            #expect(try await service.depth(of: squadEU).entered == 1)
        }
    }

    @Test("whose joining member's process died in between locks nobody out")
    func crashes() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: squads(), logger: testLogger)
            let ticket = try await service.form("ada", with: ["bob"])
            let bob = PlayerID("bob")
            // Claimed, and then its process died: the player may join, or turn down, all the same.
            _ = try await PlayerClaims(redis: redis).claim(bob, for: ticket.id, lifeMs: 60_000)
            await #expect(throws: MatchmakingError.ticketActive(ticket.id)) { try await service.form("bob", with: []) }
            _ = try await service.turnDown(ticket.id, by: bob)
            #expect(try await service.form("bob", with: []).state == .queued)

            // The ticket ended, and whoever ended it died before it freed the players.
            let second = try await service.form("cyd", with: ["dan"])
            _ = try await service.join(second, "dan")
            _ = try await service.cancel(second.id)
            for player in ["cyd", "dan"] {
                _ = try await PlayerClaims(redis: redis).claim(PlayerID(player), for: second.id, lifeMs: 60_000)
                #expect(try await service.form(player, with: []).state == .queued)
            }
            // The ticket's keys are gone.
            let third = try await service.form("eve", with: ["fay"])
            _ = try await service.join(third, "fay")
            _ = try await redis.send(RedisCommand("DEL", RedisArgument(MatchmakingKeys(squadEU).ticket(third.id))))
            for player in ["eve", "fay"] { #expect(try await service.form(player, with: []).state == .queued) }
        }
    }
}
