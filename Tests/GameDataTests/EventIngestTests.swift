import GRDB
import GameModel
import Logging
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import GameData
@testable import IngestWorker

@Suite("Event ingest")
struct EventIngestTests {
    @Test("appended events end in SQLite, and the streams are empty then")
    func wholeWay() async throws {
        try await withStage { stage in
            let events = try Self.events(2_000)
            try await stage.log.append(events)
            // A request of 2,000 events: at most 500 in an entry, so one or two in each shard.
            let before = try await StreamDepth.read(stage.redis)
            #expect((4...8).contains(before.map(\.length).reduce(0, +)), "\(before)")
            try await stage.ingesting {
                try await eventually("all are stored") { try await stage.repository.count() == 2_000 }
                try await eventually("the streams are empty") {
                    try await StreamDepth.read(stage.redis).allSatisfy { $0.length == 0 && $0.pel == 0 && $0.lag == 0 }
                }
            }
            let match = try #require(events.first?.matchId)
            let stored = try await stage.repository.events(of: match)
            #expect(Set(stored) == Set(events.filter { $0.matchId == match }))
        }
    }

    @Test("a batch that was stored and not settled before a crash is stored once")
    func crashBetweenCommitAndSettle() async throws {
        try await withStage { stage in
            try await stage.log.append(try Self.events(300))
            var crashed = 0
            for shard in 0..<GameDataKeys.shardCount {
                let dead = EventGroup(redis: stage.redis, shard: shard, consumer: "dead")
                let life = try await dead.create()
                let entries = try await dead.read(limit: 5_000, block: .milliseconds(1))
                crashed += try await stage.repository.store(entries, shard: shard, life: life).events
            }
            #expect(crashed == 300)
            try await stage.ingesting {
                try await eventually("the dead consumer's entries are settled") { try await stage.pel() == 0 }
            }
            #expect(try await stage.repository.count() == 300)
            #expect(try await stage.repository.countedEvents() == 300)
            for losses in try await stage.losses() { #expect(losses.lost == 0, "shard \(losses.shard)") }
        }
    }

    @Test("a dead consumer's entries, read and never stored, are claimed and stored")
    func deadConsumer() async throws {
        try await withStage { stage in
            try await stage.log.append(try Self.events(300))
            for shard in 0..<GameDataKeys.shardCount {
                let dead = EventGroup(redis: stage.redis, shard: shard, consumer: "dead")
                try await dead.create()
                _ = try await dead.read(limit: 5_000, block: .milliseconds(1))
            }
            #expect(try await stage.pel() > 0)
            try await stage.ingesting {
                try await eventually("all are stored") { try await stage.repository.count() == 300 }
                try await eventually("all are settled") { try await stage.pel() == 0 }
            }
        }
    }

    @Test("two workers side by side, each with the files open for itself, store each event once, and lose none")
    func twoWorkers() async throws {
        try await withStage { stage in
            let other = try EventsRepository.open(folder: stage.folder, logger: Logger(label: "test.ingest"))
            try await stage.ingesting(workers: [stage.repository, other]) {
                for _ in 0..<20 { try await stage.log.append(try Self.events(100)) }
                try await eventually("all are stored") { try await stage.repository.count() == 2_000 }
                try await eventually("all are settled") { try await stage.pel() == 0 }
                try await eventually("all are counted") {
                    try await stage.losses().map(\.storedEvents).reduce(0, +) == 2_000
                }
            }
            try other.close()
            #expect(try await stage.repository.count() == 2_000)
            for losses in try await stage.losses() {
                #expect((losses.trimmed, losses.wiped, losses.rewound) == (0, 0, 0), "shard \(losses.shard)")
            }
        }
    }

    @Test("a backlog of several days is totalled, every day of it, and nothing of it is taken for lost")
    func backlog() async throws {
        try await withStage { stage in
            try await stage.ingesting {
                // The copy of all days that a process begins with is over: from here on it copies what it touches.
                try await eventually("the first account is noted") {
                    try await stage.repository.losses(of: 0).lives == 1
                }
                for day in 20_000..<20_006 {
                    let event = try FinishedPlayer(
                        character: "ranger", mode: duel, region: pool.region, patch: PatchVersion(3), outcome: .won,
                        kills: 1, deaths: 0, damage: 5, durationMs: 1
                    ).event(PlayerID("ada"), in: MatchID("m-\(day)"), at: Instant(milliseconds: 1))
                    let key = RedisArgument(GameDataKeys.events(shard: 0))
                    _ = try await stage.redis.send(
                        RedisCommand(
                            "XADD", key, RedisArgument("\(day * 86_400_000)-1"), RedisArgument(EventEntry.formName),
                            RedisArgument(EventEntry.value(of: [event]))))
                }
                try await eventually("all are settled") { try await stage.waiting() == 0 }
                try await eventually("all days are copied") {
                    try await EventTotalsRepository(stage.repository).characters(patch: PatchVersion(3)).count == 6
                }
                #expect(try await stage.repository.losses(of: 0).stored == 6)
                #expect(try await stage.losses().allSatisfy { $0.lost == 0 && $0.rewound == 0 })
            }
        }
    }

    @Test("after FLUSHALL the group is made anew, and what is appended then is stored")
    func flush() async throws {
        try await withStage { stage in
            try await stage.ingesting {
                try await stage.log.append(try Self.events(10))
                try await eventually("the first are stored") { try await stage.repository.count() == 10 }
                try await stage.server.flush()
                try await stage.log.append(try Self.events(10))
                try await eventually("those after are stored") { try await stage.repository.count() == 20 }
            }
        }
    }

    @Test("a poison entry is set apart with its reason, and those behind it are stored")
    func poison() async throws {
        try await withStage { stage in
            let key = GameDataKeys.events(shard: 0)
            _ = try await stage.redis.send(RedisCommand("XADD", RedisArgument(key), "7-1", "v", "9", "kind", "kill"))
            try await stage.log.append(try Self.events(100))
            try await stage.ingesting {
                try await eventually("the good are stored") { try await stage.repository.count() == 100 }
                try await eventually("all are settled") { try await stage.pel() == 0 }
            }
            let apart = try await stage.repository.quarantined()
            #expect(apart.map(\.entryId) == ["7-1"])
            #expect(apart.first?.reason == "version 9 is not known")
            #expect(apart.first?.fields == "v=9\nkind=kill")
        }
    }

    @Test("one event of an entry that can't be read is set apart by itself and by its name, and the others are stored")
    func poisonWithin() async throws {
        try await withStage { stage in
            let lines = [
                "kill\t1\t5\tm\tada\t{}", "KILL\t1\t5\t\t\t{}", "kill\t1\t6\tm\tbob\t{}", "",
                "kill\t1\t7\tm\t\t{\"a\":2}",
            ]
            let key = RedisArgument(GameDataKeys.events(shard: 0))
            for id in ["7-1", "7-2"] {
                _ = try await stage.redis.send(
                    RedisCommand("XADD", key, RedisArgument(id), "e2", RedisArgument(lines.joined(separator: "\n"))))
            }
            try await stage.ingesting {
                try await eventually("all are settled") { try await stage.waiting() == 0 }
            }
            let found = try await stage.repository.events(EventQuery())
            #expect(found.map(\.id.description) == ["7-1", "7-1.2", "7-1.4", "7-2", "7-2.2", "7-2.4"])
            #expect(found.map(\.event.at.milliseconds) == [5, 6, 7, 5, 6, 7])
            var exported: [EventID] = []
            try await stage.repository.export(EventQuery()) { exported += $0.map(\.id) }
            #expect(exported == found.map(\.id))
            let apart = try await stage.repository.quarantined()
            #expect(apart.map(\.entryId) == ["7-1.1", "7-1.3", "7-2.1", "7-2.3"])
            #expect(apart.map(\.reason).prefix(2) == ["kind is missing or wrong", "1 parts, and must be 6"])
            #expect(apart.map(\.fields).prefix(2) == ["e2=KILL\t1\t5\t\t\t{}", "e2="])
            try await stage.repository.copyTotals(shard: 0)
            let losses = try await stage.repository.losses(of: 0)
            #expect((losses.stored, losses.storedEvents) == (2, 6))
        }
    }

    @Test("bytes of one event that are no text harm none of those beside it")
    func noText() async throws {
        try await withStage { stage in
            let good = Array("kill\t1\t5\tm\tada\t{\"a\":\"ä\"}".utf8)
            let bad = Array("kill\t1\t5\tm\tada\t{\"a\":\"".utf8) + [0xC3] + Array("\"}".utf8)
            let value = Array([good, bad, good].joined(separator: [UInt8(ascii: "\n")]))
            let entry = EventEntry(
                id: StreamEntryID(milliseconds: 1, sequence: 1), fields: [Array("e2".utf8), value])
            let stored = try await stage.repository.store([entry], shard: 1)
            #expect((stored.events, stored.quarantined, stored.entries) == (2, 1, 1))
            let found = try await stage.repository.events(EventQuery())
            #expect(found.map(\.id.place) == [0, 2] && found.allSatisfy { $0.event.json == "{\"a\":\"ä\"}" })
            #expect(try await stage.repository.quarantined().map(\.reason) == ["a part is not UTF-8"])
        }
    }

    @Test("an entry has places for 4,096 events; what is beyond is set apart together, and the others are stored")
    func places() async throws {
        try await withStage { stage in
            let events = (0..<4_100).map { number in
                EncodedEvent(
                    kind: "hit", at: Instant(milliseconds: Int64(number)), matchId: MatchID("m"), playerId: nil,
                    json: "{}")
            }
            let entries = (1...2).map { sequence in
                EventEntry(id: StreamEntryID(milliseconds: 1, sequence: UInt64(sequence)), of: events)
            }
            for isRepeated in [false, true] {
                let stored = try await stage.repository.store(entries, shard: 1)
                let new = isRepeated ? 0 : 1
                #expect((stored.events, stored.quarantined) == (new * 8_192, new * 2))
                #expect((stored.entries, stored.total) == (new * 2, 8_194))
            }
            #expect(try await stage.repository.count() == 8_192)
            let apart = try await stage.repository.quarantined()
            #expect(apart.map(\.entryId) == ["1-1.4096", "1-2.4096"])
            #expect(apart.first?.reason == "more than 4096 events in an entry")
            #expect(apart.first?.fields.split(separator: "\n").count == 4)
            let far = EventEntry(id: StreamEntryID(milliseconds: 1, sequence: 1 << 24), of: events.prefix(2))
            let stored = try await stage.repository.store([far], shard: 1)
            #expect((stored.events, stored.quarantined, stored.entries) == (0, 1, 1))
        }
    }

    @Test("entries of the first form are read beside those of today, and each is counted")
    func firstForm() async throws {
        try await withStage { stage in
            let key = RedisArgument(GameDataKeys.events(shard: 0))
            for number in 0..<3 {
                _ = try await stage.redis.send(
                    RedisCommand(
                        "XADD", key, "*", "v", "1", "kind", "kill", "at", RedisArgument(number), "match", "m", "player",
                        "ada", "data", #"{"a":1}"#))
            }
            try await stage.log.append(try Self.events(100))
            try await stage.ingesting {
                try await eventually("all are stored") { try await stage.repository.count() == 103 }
                try await eventually("all are settled") { try await stage.waiting() == 0 }
            }
            let found = try await stage.repository.events(of: MatchID("m"))
            #expect(found.map(\.at.milliseconds) == [0, 1, 2] && found.allSatisfy { $0.json == #"{"a":1}"# })
            #expect(try await stage.repository.countedEvents() == 103)
        }
    }

    @Test("a batch is divided between entries only, and each part is stored whole")
    func parts() async throws {
        try await withStage { stage in
            let events = try Self.events(500)
            let entries = (0..<7).map { number in
                EventEntry(
                    id: StreamEntryID(milliseconds: 1, sequence: UInt64(number)),
                    of: events[number * 70..<number * 70 + 70])
            }
            let stored = try await stage.repository.store(entries, shard: 1, rowsMax: 100)
            #expect((stored.events, stored.entries, stored.total) == (490, 7, 490))
            // Two entries in each transaction, and one in the last.
            let path = try #require(stage.repository.paths().first?.path)
            let database = try RecordsDatabase.open(
                path: path, durability: .normal, schemas: [EventsSchema.daySchema], logger: Logger(label: "test"))
            #expect(try await database.read { try Int.fetchOne($0, sql: "SELECT number FROM batches") } == 4)
            try database.close()
        }
    }

    @Test("how many entries are read follows how many events they held: down at once, up step by step, within limits")
    func readSize() {
        var size = ReadSize(events: 5_000)
        #expect(size.entries == 10)
        size.note(entries: 10, events: 5_000)
        #expect(size.entries == 10)
        var steps: [Int] = []
        for _ in 0..<10 {
            size.note(entries: size.entries, events: size.entries)
            steps.append(size.entries)
        }
        #expect(steps == [20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000, 1_000])
        size.note(entries: 0, events: 0)
        #expect(size.entries == 1_000)
        size.note(entries: 2, events: 8_192)
        #expect(size.entries == 1)
        size.note(entries: 1, events: 200)
        #expect(size.entries == 2)
    }

    @Test("storing a batch again changes nothing, and says so")
    func repeated() async throws {
        try await withStage { stage in
            let fields = ["v", "1", "kind", "kill", "at", "5", "match", "m", "player", "", "data", "{}"]
            let entries = [
                EventEntry(id: StreamEntryID(milliseconds: 1, sequence: 1), fields: fields.map { Array($0.utf8) }),
                EventEntry(id: StreamEntryID(milliseconds: 1, sequence: 2), fields: []),
            ]
            let first = try await stage.repository.store(entries, shard: 1)
            #expect((first.events, first.quarantined, first.repeated, first.entries) == (1, 1, 0, 2))
            let second = try await stage.repository.store(entries, shard: 1)
            #expect((second.events, second.quarantined, second.repeated, second.entries) == (0, 0, 2, 0))
            // The same id in another shard is another entry.
            #expect(try await stage.repository.store(entries, shard: 2).events == 1)
        }
    }

    @Test("consumers with nothing pending are removed once silent; one that holds entries stays")
    func retire() async throws {
        try await withStage { stage in
            let events = try Self.events(100).filter { $0.shard == 0 }
            for event in events { try await stage.log.append([event]) }
            let holder = EventGroup(redis: stage.redis, shard: 0, consumer: "holder")
            let idle = EventGroup(redis: stage.redis, shard: 0, consumer: "idle")
            try await holder.create()
            #expect(try await holder.read(limit: 5_000, block: .milliseconds(1)).count == events.count)
            // A read that finds nothing does not always make the consumer known, so it is named outright.
            _ = try await stage.redis.send(
                RedisCommand(
                    "XGROUP", "CREATECONSUMER", RedisArgument(GameDataKeys.events(shard: 0)),
                    RedisArgument(EventGroup.name), "idle"))
            #expect(try await idle.retireConsumers(idle: .seconds(600)) == 0)
            #expect(try await idle.retireConsumers(idle: .zero) == 1)
            #expect(try await StreamDepth.read(stage.redis)[0].consumers == 1)
            #expect(try await stage.pel() == events.count)
            let unknown = EventGroup(redis: stage.redis, shard: 3, consumer: "x")
            #expect(try await unknown.retireConsumers(idle: .zero) == 0)
        }
    }

    @Test("reading from a stream that does not exist makes it, and waits")
    func noGroup() async throws {
        try await withStage { stage in
            let group = EventGroup(redis: stage.redis, shard: 1, consumer: "first")
            #expect(try await group.read(limit: 10, block: .milliseconds(1)) == [])
            let claimed = try await group.claim(idle: .zero, limit: 10, cursor: EventGroup.firstCursor)
            #expect(claimed.entries == [])
            #expect(claimed.cursor == EventGroup.firstCursor)
            try await group.create()
        }
    }

    /// Kills in seven matches.
    static func events(_ count: Int) throws -> [EncodedEvent] {
        let events = (0..<count).map { index in
            GameEvent(
                kind: "kill", at: Instant(milliseconds: Int64(index)), matchId: MatchID("match-\(index % 7)"),
                playerId: PlayerID("player-\(index)"), data: ["index": .integer(Int64(index))])
        }
        return try stride(from: 0, to: count, by: GameEvent.batchMax).flatMap { start in
            try GameEvent.encode(Array(events[start..<min(start + GameEvent.batchMax, count)]))
        }
    }
}
