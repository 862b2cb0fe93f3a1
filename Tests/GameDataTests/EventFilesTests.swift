import Foundation
import GameModel
import TestSupport
import Testing

@testable import GameData

@Suite("Event files")
struct EventFilesTests {
    /// 2026-11-26.
    private static let day = 20_783
    private static let life = StreamLife("life/0")

    @Test("entries of two days go to two files; a day that is too old goes with its file, and its totals stay")
    func days() async throws {
        try await withEvents { events in
            let entries = try (0..<3).map { try Self.finished("p\($0)", at: Self.day + $0) }
            #expect(try await events.store(entries, shard: 0, life: Self.life).events == 3)
            #expect(events.paths().map(\.file.name) == (26...28).map { "2026-11-\($0).0.sqlite" })
            // A clock that runs ahead by a year removes nothing but what is old beside the newest day.
            let removed = try await events.removeOldDays(keeping: 2, today: EventDay(number: Self.day + 365))
            #expect(removed.map(\.name) == ["2026-11-26.0.sqlite"])
            #expect(try await events.removeOldDays(keeping: 1, today: EventDay(number: Self.day)).isEmpty)
            #expect(try await events.count() == 2)
            try await events.copyTotals(shard: 0, newest: nil)
            let rows = try await EventTotalsRepository(events).characters(patch: PatchVersion(3))
            #expect(rows.map(\.day) == ["2026-11-26", "2026-11-27", "2026-11-28"])
            #expect(rows.map(\.totals.picks) == [1, 1, 1])
            let left = try FileManager.default.contentsOfDirectory(atPath: events.files.folder)
            #expect(!left.contains { $0.hasPrefix("2026-11-26") }, "\(left)")
        }
    }

    @Test("totals count a row once: not when its batch is stored again, nor when its player's match is told again")
    func totals() async throws {
        try await withEvents { events in
            let entries = [
                try Self.finished("ada", at: Self.day, sequence: 1, outcome: .won, damage: 300, latency: 20),
                try Self.finished(
                    "bob", at: Self.day, sequence: 2, outcome: .lost, damage: 100, latency: 60, left: true),
                // The same match of the same player, as an append whose reply was lost makes it.
                try Self.finished("ada", at: Self.day, sequence: 3, outcome: .won, damage: 300, latency: 20),
            ]
            for _ in 0..<2 {
                _ = try await events.store(entries, shard: 1, life: Self.life)
                try await events.copyTotals(shard: 1, newest: nil)
            }
            let totals = EventTotalsRepository(events)
            let row = try #require(try await totals.characters(patch: PatchVersion(3), mode: duel).first)
            #expect((row.totals.picks, row.totals.wins, row.totals.leaves, row.totals.damage) == (2, 1, 1, 400))
            #expect(try await totals.characters(patch: PatchVersion(3), mode: Mode("squad")).isEmpty)
            #expect(try await totals.patches().map(\.picks) == [2])
            let bob = try #require(try await totals.regions(of: PlayerID("bob"))[pool.region])
            #expect((bob.averageLatencyMs, bob.leaverRate, bob.matches) == (60, 1, 1))
            #expect(try await totals.regions(of: PlayerID("ada"))[pool.region]?.averageLatencyMs == 20)
            #expect(try await totals.regions(of: PlayerID("eve")).isEmpty)
        }
    }

    @Test("events of unknown kinds, newer versions and wrong data are kept as they came, and say so")
    func raw() async throws {
        try await withEvents { events in
            let at = Int64(Self.day) * 86_400_000
            let texts = [
                "dance\t1\t\(at)\tm\tada\t{\"a\":1}", "kill\t2\t\(at)\tm\tada\t{\"b\":2}",
                "player_finished\t1\t\(at)\tm\tada\t{\"character\":7}", "kill\t1\t\(at)\tm\t\t{}",
            ]
            let entries = texts.enumerated().map { index, text in
                Self.entry(text, at: Self.day, sequence: UInt64(index))
            }
            let stored = try await events.store(entries, shard: GameDataKeys.shard(for: "m"), life: Self.life)
            #expect((stored.events, stored.raw, stored.quarantined) == (4, 3, 0))
            var query = EventQuery()
            query.match = MatchID("m")
            let found = try await events.events(query)
            #expect(found.map(\.flag) == [.unknownKind, .newerVersion, .malformed, .known])
            #expect(found.map(\.event.json) == ["{\"a\":1}", "{\"b\":2}", "{\"character\":7}", "{}"])
            try await events.copyTotals(shard: GameDataKeys.shard(for: "m"), newest: nil)
            #expect(try await EventTotalsRepository(events).patches().isEmpty)
        }
    }

    @Test("a query finds by kind, match, player and time over days and shards, oldest or newest first")
    func query() async throws {
        try await withEvents { events in
            for shard in 0..<2 {
                let entries = (0..<6).map { index in
                    let kind = index % 2 == 0 ? "hit" : "kill"
                    return Self.entry(
                        "\(kind)\t1\t0\t\tplayer-\(shard)\t{}", at: Self.day + index / 3, sequence: UInt64(index))
                }
                _ = try await events.store(entries, shard: shard, life: Self.life)
            }
            #expect(try await events.events(EventQuery()).count == 12)
            var query = EventQuery()
            query.kind = "kill"
            query.player = PlayerID("player-1")
            #expect(try await events.events(query).map(\.id.sequence) == [1, 3, 5])
            query.isNewestFirst = true
            query.limit = 2
            #expect(try await events.events(query).map(\.id.sequence) == [5, 3])
            var second = EventQuery()
            second.from = Instant(milliseconds: Int64(Self.day + 1) * 86_400_000)
            #expect(try await events.events(second).map(\.id.sequence) == [3, 3, 4, 4, 5, 5])
            second.to = second.from
            #expect(try await events.events(second).isEmpty)
            var exported = 0
            try await events.export(EventQuery()) { exported += $0.count }
            #expect(exported == 12)
        }
    }

    @Test("what the API tells of a result is understood by ingest")
    func finishedPlayers() throws {
        let placement = MatchPlacement.of(["ada", "bob"], patch: 3)
        let record = MatchRecord(
            matchId: placement.matchId, mode: placement.mode, region: placement.region,
            instanceId: placement.instanceId, patch: placement.patch, rules: "standard", bots: [], state: .reported,
            placedAt: placement.placedAt, roster: placement.roster)
        var result = placement.result(winner: 1)
        result.players[1].left = true
        let told = try FinishedPlayer.events(
            of: record, result, latencies: [PlayerID("ada"): 12.5], at: Instant(milliseconds: 7))
        #expect(told.map(\.playerId) == [PlayerID("ada"), PlayerID("bob")])
        let entries = told.enumerated().map { index, event in
            EventEntry(
                id: StreamEntryID(milliseconds: 7, sequence: UInt64(index)),
                fields: EventEntry.texts(of: event).map { Array($0.utf8) })
        }
        let batch = EventBatch(entries, kinds: .known)
        #expect(batch.rows.allSatisfy { $0.flag == .known })
        // Who left has lost, whatever became of their team.
        #expect(batch.finished.map(\.how.outcome) == [.lost, .lost])
        #expect(batch.finished.map(\.how.latencyMs) == [12.5, nil])
        #expect(batch.finished.map(\.how.character) == ["ranger", "ranger"])
    }

    private static func entry(_ text: String, at day: Int, sequence: UInt64) -> EventEntry {
        EventEntry(
            id: StreamEntryID(milliseconds: UInt64(day) * 86_400_000, sequence: sequence),
            fields: [Array("e2".utf8), Array(text.utf8)])
    }

    private static func finished(
        _ player: String, at day: Int, sequence: UInt64 = 0, outcome: MatchSummary.Outcome = .won, damage: Int = 10,
        latency: Double? = nil, left: Bool = false
    ) throws -> EventEntry {
        let event = try FinishedPlayer(
            character: "ranger", mode: duel, region: pool.region, patch: PatchVersion(3), outcome: outcome, left: left,
            kills: 1, deaths: 0, damage: damage, durationMs: 1_000, latencyMs: latency
        ).event(PlayerID(player), in: MatchID("m"), at: Instant(milliseconds: 1))
        return EventEntry(
            id: StreamEntryID(milliseconds: UInt64(day) * 86_400_000, sequence: sequence),
            fields: EventEntry.texts(of: event).map { Array($0.utf8) })
    }
}
