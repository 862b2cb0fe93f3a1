import Foundation
import GameModel
import Logging
import Matchmaking
import Redis
import TestSupport
import Testing

/// Tickets, pools and matches on a Redis of its own, and the commands on them.
private struct Desk {
    let service: MatchmakingService
    let redis: RedisClient
    let url: String

    func muster(_ words: [String]) async throws -> MusterUp.Ending { try await MusterUp.run(words + ["--redis", url]) }

    /// A command that has to succeed; its output.
    func say(_ words: String...) async throws -> String {
        let ending = try await muster(words)
        try #require(ending.status == 0, "\(words): \(ending.errors)")
        return ending.output
    }

    /// A command that has to succeed; its JSON.
    func json<T: Decodable>(_ type: T.Type = T.self, _ words: String...) async throws -> T {
        let ending = try await muster(words + ["--json"])
        try #require(ending.status == 0, "\(words): \(ending.errors)")
        return try JSONDecoder().decode(T.self, from: Data(ending.output.utf8))
    }

    /// A command that has to fail: it prints nothing on its output, and these words on standard error.
    func refuses(_ words: [String], saying parts: String...) async throws {
        let ending = try await muster(words)
        #expect(ending.status != 0 && ending.output.isEmpty, "\(words): \(ending.status) \(ending.output)")
        for part in parts { #expect(ending.errors.contains(part), "\(words): \(ending.errors)") }
    }

    func queue(_ player: String, rating: Double, mode: String = "duel") async throws -> TicketID {
        try await service.createTicket(
            TicketRequest(
                player: PlayerID(player), mode: Mode(mode), region: Region("eu"),
                skill: Skill(rating: rating, deviation: 80))
        ).id
    }
}

private func withDesk(_ body: (Desk) async throws -> Void) async throws {
    try await withRedis { redis, server in
        try await body(Desk(service: MatchmakingService(redis: redis), redis: redis, url: server.url))
    }
}

@Suite struct MatchmakingCommandTests {
    private struct Tickets: Decodable {
        let tickets: [TicketFacts]
        let isCut: Bool
    }

    @Test("tickets ls lists who waits, the longest-waiting first, by state, mode, player and limit")
    func list() async throws {
        try await withDesk { desk in
            #expect(try await desk.say("tickets", "ls").contains("no ticket waits"))
            let a = try await desk.queue("ada", rating: 1500)
            // Two who are queued in the same millisecond would have waited as long.
            #expect(try await desk.say("tickets", "ls").contains(a.rawValue))
            let b = try await desk.queue("ben", rating: 1900)
            let c = try await desk.queue("cleo", rating: 1500, mode: "trio")
            let table = try await desk.say("tickets", "ls")
            #expect(table.contains(/duel\.eu\.\S+ +queued +1 +1500 +\S+/), "\(table)")
            func ids(_ words: String...) async throws -> [TicketID] {
                let ending = try await desk.muster(["tickets", "ls", "--json"] + words)
                return try JSONDecoder().decode(Tickets.self, from: Data(ending.output.utf8)).tickets.map(\.id)
            }
            #expect(try await ids() == [a, b, c])
            #expect(try await ids("--mode", "trio") == [c])
            #expect(try await ids("--player", "ben") == [b])
            #expect(try await ids("--player", "zoe") == [])
            #expect(try await ids("--player", "ben", "--mode", "duel") == [b])
            #expect(try await ids("--player", "ben", "--mode", "trio") == [])
            #expect(try await ids("--state", "proposed") == [])
            let cut = try await desk.json(Tickets.self, "tickets", "ls", "--limit", "2")
            #expect(cut.tickets.map(\.id) == [a, b] && cut.isCut)
            try await desk.refuses(
                ["tickets", "ls", "--mode", "chess"], saying: "no pool of chess", "duel:eu", "--rules FILE")
            try await desk.refuses(["tickets", "ls", "--state", "expired"], saying: "muster tickets show ID")
        }
    }

    @Test("tickets why tells the window, what is missing, and what refused each of the nearest")
    func why() async throws {
        try await withDesk { desk in
            let a = try await desk.queue("ada", rating: 1500)
            let b = try await desk.queue("ben", rating: 5000)
            let c = try await desk.queue("cleo", rating: 5500)
            let text = try await desk.say("tickets", "why", a.rawValue)
            for words in [
                /is queued/, /Waited [\d.]+ s; window ±\d+/, /No ranker serves the pool duel:eu/,
                /Missing: 1 player\./, /rating-window +±[\d.]+ +1500/, /the nearest 2 others/,
                /rating 5000, waited [\d.]+ s\n +rating-window: 3500 away \(limit: ±/,
            ] { #expect(text.contains(words), "\(text)") }
            let reasons = try await desk.json(TicketReasons.self, "tickets", "why", a.rawValue, "--nearest", "1")
            #expect(reasons.explanation?.nearest.map(\.ticket) == [b])
            #expect(try await desk.say("tickets", "why", b.rawValue).contains(c.rawValue))
            try await desk.refuses(
                ["tickets", "why", "\(TicketID(in: Pool("duel:eu")!, ULID()))"], saying: "knows no ticket",
                "muster tickets ls")
            try await desk.refuses(["tickets", "why", "five"], saying: "'five' is no ticket's id")
        }
    }

    @Test("tickets cancel asks first, ends what waits, and tells of each that it could not")
    func cancel() async throws {
        try await withDesk { desk in
            let a = try await desk.queue("ada", rating: 1500)
            let b = try await desk.queue("ben", rating: 5000)
            let unknown = TicketID(in: Pool("duel:eu")!, ULID())
            try await desk.refuses(["tickets", "cancel", a.rawValue], saying: "Cancel ticket \(a)?", "--yes")
            #expect(try await desk.service.ticket(a)?.state == .queued)
            #expect(try await desk.say("tickets", "cancel", a.rawValue, "--yes") == "\(a) is cancelled\n")
            let ending = try await desk.muster(["tickets", "cancel", b.rawValue, unknown.rawValue, "--yes"])
            #expect(ending.status == 1)
            #expect(ending.output == "\(b) is cancelled\n")
            #expect(ending.errors.contains("ticket \(unknown) is gone"))
            let shown = try await desk.say("tickets", "show", a.rawValue)
            #expect(shown.contains(/state +cancelled/) && shown.contains(/reason +by-player/))
            #expect(try await desk.say("tickets", "why", a.rawValue).contains("as cancelled: by-player"))
        }
    }

    @Test("pools ls counts each pool, and pools show draws who waits by rating and waiting")
    func pools() async throws {
        try await withDesk { desk in
            for (index, rating) in [1010.0, 1510, 1520, 1530].enumerated() {
                _ = try await desk.queue("p\(index)", rating: rating)
            }
            let list = try await desk.say("pools", "ls")
            #expect(list.contains(/duel:eu +4 +\S+ +- +- +0 +0 +0 +1 +none/), "\(list)")
            #expect(try await desk.say("pools", "ls", "--mode", "trio").contains("trio:us"))
            let drawn = try await desk.say("pools", "show", "duel:eu")
            for words in [
                /waiting +4 tickets, 4 players/, /ranker +none: start one/, /< 5 s/,
                // In the first column, or in a later one where the command was slow to start.
                /1500 to 1550 +(?:· +)*3 ██/, /1000 to 1050 +(?:· +)*1 ▓▓/, /all +(?:0 +)*4/,
            ] { #expect(drawn.contains(words), "\(drawn)") }
            #expect(drawn.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(drawn)")
            #expect(try await desk.say("pools", "show", "trio:eu").contains("nobody waits"))
            try await desk.refuses(["pools", "show", "chess:eu"], saying: "no pool 'chess:eu'", "duel:eu")
        }
    }

    @Test("matches show tells why a match was made: each rule, its limit then, and the match's value")
    func matches() async throws {
        struct Matches: Decodable {
            let matches: [MatchFacts]
        }
        struct Shown: Decodable {
            let match: MatchFacts
            let tickets: [TicketFacts]
        }
        try await withDesk { desk in
            #expect(try await desk.say("matches", "ls").contains("no match is under way"))
            let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let a = try await desk.queue("ada", rating: 1500)
            let b = try await desk.queue("ben", rating: 1560)
            try await withServices([Ranker(redis: desk.redis, logger: quiet)]) {
                try await eventually("the two are in a match") {
                    try await desk.service.ticket(a)?.state == .proposed
                }
            }
            // From here on nobody ranks: the proposal stands, however long the commands take.
            let listed = try await desk.json(Matches.self, "matches", "ls")
            let match = try #require(listed.matches.first)
            #expect(listed.matches.count == 1 && match.state == .proposed && match.players == 2)
            let table = try await desk.say("matches", "ls", "--mode", "duel")
            #expect(table.contains(/duel\.eu\.\S+ +proposed +eu +2 +0 +\S+ +standard/), "\(table)")
            let text = try await desk.say("matches", "show", match.id.rawValue)
            for words in [
                /state +proposed/, /rules +standard/, /accepted +0 of 2/, /team 1, predicted to win [\d.]+ %/,
                /ada +1500 +±80/, /ben +1560/, /why these: around duel\.eu\.\S+, which had waited/,
                /rating-window +±[\d.]+ +60/,
            ] { #expect(text.contains(words), "\(text)") }
            let shown = try await desk.json(Shown.self, "matches", "show", match.id.rawValue)
            #expect(Set(shown.tickets.map(\.id)) == [a, b])
            let why = try await desk.say("tickets", "why", a.rawValue)
            #expect(why.contains("is proposed to it, which waits"))
            _ = try await desk.service.decline(b)
            try await desk.refuses(
                ["matches", "show", "\(MatchID(in: Pool("duel:eu")!, ULID()))"], saying: "knows no match",
                "muster matches ls")
        }
    }
}
