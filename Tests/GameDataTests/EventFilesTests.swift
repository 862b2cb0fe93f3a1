import Foundation
import GRDB
import GameModel
import Logging
import Records
import TestSupport
import Testing

@testable import GameData

@Suite("Event files")
struct EventFilesTests {
    /// 2026-11-26.
    private static let day = 20_783
    private static let life = StreamLife("life/0")

    @Test("entries of different days go to files of their own; the oldest day goes with its file, and its totals stay")
    func days() async throws {
        try await withEvents { events in
            let entries = try (0..<4).map { try Self.finished("p\($0)", at: Self.day + $0) }
            #expect(try await events.store(entries, shard: 0, life: Self.life).events == 4)
            #expect(events.paths().map(\.file.name) == (26...29).map { "2026-11-\($0).0.sqlite" })
            let today = EventDay(number: Self.day + 3)
            for name in ["2026-11-26.0.sqlite", "2026-11-27.0.sqlite"] {
                #expect(try await events.removeOldestDay(keeping: 1, today: today).map(\.name) == [name])
            }
            // Yesterday stays, however little is to be kept.
            #expect(try await events.removeOldestDay(keeping: 1, today: today).isEmpty)
            #expect(try await events.count() == 2)
            try await events.copyTotals(shard: 0)
            let rows = try await EventTotalsRepository(events).characters(patch: PatchVersion(3))
            #expect(rows.map(\.day) == ["2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"])
            #expect(rows.map(\.totals.picks) == [1, 1, 1, 1])
            let left = try FileManager.default.contentsOfDirectory(atPath: events.files.folder)
            #expect(!left.contains { $0.hasPrefix("2026-11-26") || $0.hasPrefix("2026-11-27") }, "\(left)")
        }
    }

    @Test("a day's file of the time when an entry was one event keeps its rows, by the ids of today")
    func fileOfSingleEvents() async throws {
        try await withEvents { events in
            let file = EventFile(day: EventDay(number: Self.day), shard: 1)
            try FileManager.default.createDirectory(atPath: events.files.folder, withIntermediateDirectories: true)
            let first = RecordsSchema(
                name: EventsSchema.daySchema.name, migrations: [EventsSchema.daySchema.migrations[0]])
            let old = try RecordsDatabase.open(
                path: events.files.path(of: file), durability: .normal, schemas: [first], logger: testLogger)
            // 4,096 among them is what 1 becomes.
            let sequences: [Int64] = [0, 1, 2, 4_096, 8_192]
            try await old.write { db in
                for sequence in sequences {
                    try db.execute(
                        sql: "INSERT INTO events (id, kind, version, flag, at, json) VALUES (?, 'hit', 1, 0, 5, '{}')",
                        arguments: [5 << 36 | sequence])
                }
                try db.execute(sql: "INSERT INTO stream_totals (life, entries, batch) VALUES ('life/0', 5, 1)")
                try db.execute(sql: "UPDATE batches SET number = 1")
            }
            try old.close()
            let start = EventID(StreamEntryID(milliseconds: 0, sequence: 0))
            let stored = try await events.after(start, shard: 1, limit: 9)
            #expect(stored.map(\.id.entry.sequence) == sequences.map { UInt64($0) })
            let at = UInt64(Self.day) * 86_400_000 + 5
            #expect(stored.allSatisfy { $0.id.entry.milliseconds == at && $0.id.place == 0 })
            try await events.copyTotals(shard: 1)
            #expect(try await events.losses(of: 1).stored == 5)
        }
    }

    @Test("a month's error of a clock, of Redis's and the host's alike, costs no day more than it makes up")
    func wrongClocks() async throws {
        try await withEvents { events in
            for day in 0..<5 {
                _ = try await events.store([try Self.finished("p", at: Self.day + day)], shard: day % 2)
            }
            // The host's clock alone, ahead and behind.
            for today in [Self.day + 400, Self.day - 400] {
                #expect(try await events.removeOldestDay(keeping: 5, today: EventDay(number: today)).isEmpty)
            }
            // Redis's clock as well: files of days to come.
            _ = try await events.store([try Self.finished("p", at: Self.day + 4 + 31)], shard: 0)
            let today = EventDay(number: Self.day + 4 + 31)
            #expect(try await events.removeOldestDay(keeping: 5, today: today).count == 1)
            for _ in 0..<5 { #expect(try await events.removeOldestDay(keeping: 5, today: today).isEmpty) }
            // Set right again, nothing more goes.
            let right = EventDay(number: Self.day + 4)
            #expect(try await events.removeOldestDay(keeping: 5, today: right).isEmpty)
            #expect(try await events.count() == 5)
        }
    }

    @Test("a player's match that is told again on the next day counts once, in whichever order the days are stored")
    func overMidnight() async throws {
        for order in [[0, 1], [1, 0]] {
            try await withEvents { events in
                for day in order {
                    let entries = ["ada", "bob"].enumerated().prefix(2 - day).map { index, name in (index, name) }
                    let told = try entries.map {
                        try Self.finished($0.1, at: Self.day + day, sequence: UInt64($0.0), damage: 5)
                    }
                    #expect(try await events.store(told, shard: 2, life: Self.life).events == told.count)
                }
                try await events.copyTotals(shard: 2)
                let rows = try await EventTotalsRepository(events).characters(patch: PatchVersion(3))
                #expect(rows.map(\.totals.picks).reduce(0, +) == 2)
                #expect(try await EventTotalsRepository(events).regions(of: PlayerID("ada"))[pool.region]?.matches == 1)
            }
        }
    }

    @Test("shards that go over more files than are kept open at once don't close each other's")
    func manyFiles() async throws {
        try await withEvents { events in
            for shard in 0..<GameDataKeys.shardCount {
                let entries = try (0..<5).map { try Self.finished("p\($0)", at: Self.day + $0) }
                _ = try await events.store(entries, shard: shard, life: Self.life)
            }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for shard in 0..<GameDataKeys.shardCount {
                    tasks.addTask { for _ in 0..<5 { try await events.copyTotals(shard: shard) } }
                }
                try await tasks.waitForAll()
            }
            let stored = try await events.losses(of: 0).stored
            #expect(stored == 5)
        }
    }

    @Test("what was stored before days had files stays, and is found, exported and counted as other events are")
    func firstForm() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let logger = Logger(label: "test.events")
        let old = RecordsSchema(
            name: EventsSchema.schema.name, migrations: Array(EventsSchema.schema.migrations.prefix(1)))
        let before = try RecordsDatabase.open(
            path: folder.file("events.sqlite"), durability: .normal, schemas: [old], logger: logger)
        try await before.write { db in
            try db.execute(
                sql: """
                    INSERT INTO events VALUES
                        (3, '1764158400000-10', 'kill', 7, 'm', 'ada', '{"a":1}'),
                        (3, '1764158400000-9', 'kill', 6, 'm', NULL, '{}'), (1, '99-0', 'dance', 5, NULL, 'bob', '{}');
                    INSERT INTO quarantined_events VALUES (2, '7-1', 'broken', 'v=9', 1);
                    """)
        }
        try before.close()

        // Opened twice: what moves once, stays.
        for opening in 0..<2 {
            let events = try EventsRepository.open(folder: folder.path, logger: logger)
            if opening == 0 { _ = try await events.store([try Self.finished("cleo", at: Self.day)], shard: 0) }
            #expect(try await events.count() == 4)
            var query = EventQuery()
            #expect(try await events.events(query).map(\.id.entry.sequence) == [0, 9, 10, 0])
            query.isNewestFirst = true
            query.limit = 2
            #expect(try await events.events(query).map(\.event.playerId) == [PlayerID("cleo"), PlayerID("ada")])
            query = EventQuery()
            query.from = Instant(milliseconds: 100)
            query.to = Instant(milliseconds: 1_764_158_400_001)
            #expect(try await events.events(query).map(\.shard) == [3, 3])
            query.player = PlayerID("ada")
            #expect(try await events.events(query).map(\.event.json) == [#"{"a":1}"#])
            var exported: [EventFlag] = []
            try await events.export(EventQuery()) { exported += $0.map(\.flag) }
            #expect(exported.filter { $0 == .unknownKind }.count == 1 && exported.count == 4)
            #expect(try await events.quarantined().map(\.entryId) == ["7-1"])
            try events.close()
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
                try await events.copyTotals(shard: 1)
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
            try await events.copyTotals(shard: GameDataKeys.shard(for: "m"))
            #expect(try await EventTotalsRepository(events).patches().isEmpty)
        }
    }

    @Test("numbers that no match can have are kept as they came and count in no total, and totals stop at a most")
    func beyondBounds() async throws {
        try await withEvents { events in
            let whole = try Self.finished("ada", at: Self.day, damage: 7, latency: 20)
            let text = String(decoding: whole.fields[1], as: UTF8.self)
            let wrong = [
                ("\"kills\":1", "\"kills\":9223372036854775807"), ("\"kills\":1", "\"kills\":-1"),
                ("\"kills\":1", "\"kills\":1e300"), ("\"deaths\":0", "\"deaths\":100001"),
                ("\"damage\":7", "\"damage\":9223372036854775807"),
                ("\"durationMs\":1000", "\"durationMs\":9223372036854775807"),
                ("\"latencyMs\":20", "\"latencyMs\":1e308"), ("\"latencyMs\":20", "\"latencyMs\":1e999"),
                ("\"latencyMs\":20", "\"latencyMs\":-1"), ("\"latencyMs\":20", "\"latencyMs\":NaN"),
                ("\"patch\":3", "\"patch\":-9223372036854775808"),
            ].enumerated().map { index, change in
                let spoilt = text.replacing(change.0, with: change.1).replacing("ada", with: "bob-\(index)")
                #expect(spoilt.contains(change.1))
                return Self.entry(spoilt, at: Self.day, sequence: UInt64(index + 1))
            }
            let stored = try await events.store([whole] + wrong, shard: 0, life: Self.life)
            #expect((stored.events, stored.raw, stored.quarantined) == (wrong.count + 1, wrong.count, 0))
            try await events.copyTotals(shard: 0)
            let totals = EventTotalsRepository(events)
            #expect(try await totals.characters(patch: PatchVersion(3)).map(\.totals.damage) == [7])

            // What a file may hold that was written before there were bounds.
            let file = try #require(try events.files.existing(EventFile(day: EventDay(number: Self.day), shard: 0)))
            try await file.write { db in
                try db.execute(
                    sql: "UPDATE character_totals SET kills = 9223372036854775807, damage = ?",
                    arguments: [
                        Int.totalMax
                    ])
            }
            let next = try Self.finished("cleo", at: Self.day, sequence: 99, damage: 100)
            #expect(try await events.store([next], shard: 0, life: Self.life).events == 1)
            try await events.copyTotals(shard: 0)
            let sums = try #require(try await totals.characters(patch: PatchVersion(3)).first?.totals)
            #expect((sums.kills, sums.damage, sums.picks) == (Int.totalMax, Int.totalMax, 2))
            var sum = CharacterTotals()
            sum.kills = .max
            sum.add(FinishedPlayer.some(kills: .max))
            #expect(sum.kills == Int.totalMax)
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
            #expect(try await events.events(query).map(\.id.entry.sequence) == [1, 3, 5])
            query.isNewestFirst = true
            query.limit = 2
            #expect(try await events.events(query).map(\.id.entry.sequence) == [5, 3])
            var second = EventQuery()
            second.from = Instant(milliseconds: Int64(Self.day + 1) * 86_400_000)
            #expect(try await events.events(second).map(\.id.entry.sequence) == [3, 3, 4, 4, 5, 5])
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
            EventEntry(id: StreamEntryID(milliseconds: 7, sequence: UInt64(index)), of: [event])
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
            id: StreamEntryID(milliseconds: UInt64(day) * 86_400_000, sequence: sequence), of: [event])
    }
}

extension FinishedPlayer {
    fileprivate static func some(kills: Int) -> FinishedPlayer {
        FinishedPlayer(
            character: "ranger", mode: duel, region: pool.region, patch: PatchVersion(3), outcome: .won, kills: kills,
            deaths: 0, damage: 0, durationMs: .max, latencyMs: .infinity)
    }
}
