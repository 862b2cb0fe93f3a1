import Foundation
import GameData
import GameModel
import IngestWorker
import Logging
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@Suite("Lost events")
struct EventLossTests {
    @Test("entries that the cap dropped unread are counted, and those stored are not")
    func trimmed() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                try await SampleHits.append(redis, 0..<100)
                let life = try await group.life()
                let entries = try await group.read(limit: 30, block: .milliseconds(1))
                _ = try await events.store(entries, shard: 0, life: life)
                // Stored and not settled: counted twice, as waiting and as stored, and never as lost.
                #expect(try await Self.losses(group, events).trimmed == 0)
                try await group.settle(entries.map(\.id))
                #expect(try await Self.losses(group, events).trimmed == 0)
                _ = try await redis.send(
                    RedisCommand("XTRIM", RedisArgument(GameDataKeys.events(shard: 0)), "MAXLEN", "20"))
                var losses = try await Self.losses(group, events)
                #expect((losses.trimmed, losses.wiped, losses.stored) == (50, 0, 30))
                let rest = try await group.read(limit: 100, block: .milliseconds(1))
                #expect(rest.count == 20)
                _ = try await events.store(rest, shard: 0, life: life)
                try await group.settle(rest.map(\.id))
                losses = try await Self.losses(group, events)
                #expect((losses.trimmed, losses.wiped, losses.stored) == (50, 0, 50))
                // Another process goes on counting where this one ended.
                let other = EventGroup(redis: redis, shard: 0, consumer: "two")
                try await other.create()
                #expect(try await Self.losses(other, events) == losses)
            }
        }
    }

    @Test("what Redis lost is counted apart, and the stream's next life begins at nothing lost")
    func wiped() async throws {
        try await withRedis { redis, server in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                try await SampleHits.append(redis, 0..<40)
                let entries = try await group.read(limit: 10, block: .milliseconds(1))
                _ = try await events.store(entries, shard: 0, life: try await group.life())
                try await group.settle(entries.map(\.id))
                #expect(try await Self.losses(group, events).lost == 0)
                try await server.flush()
                // The stream is there again before anyone names its new life.
                try await SampleHits.append(redis, 40..<45)
                #expect(try await group.read(limit: 10, block: .milliseconds(1)).isEmpty)
                let next = try await group.read(limit: 10, block: .milliseconds(1))
                #expect(next.count == 5)
                _ = try await events.store(next, shard: 0, life: try await group.life())
                try await group.settle(next.map(\.id))
                let losses = try await Self.losses(group, events)
                #expect((losses.wiped, losses.trimmed, losses.lives, losses.stored) == (30, 0, 2, 15))
            }
        }
    }

    @Test(
        "accounts that are noted in another order than they were given take nothing back; an older copy of Redis does")
    func interleaved() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                try await SampleHits.append(redis, 0..<10)
                let first = try await group.account()
                try await SampleHits.append(redis, 10..<30)
                let second = try await group.account()
                #expect(first.toldUs < second.toldUs)
                for account in [second, first, second, first] { try await events.noteLosses(account) }
                #expect(try await events.losses(of: 0).rewound == 0)
                var older = second
                older.added -= 5
                older.length -= 5
                older.toldUs += 1
                // Who only reads sees it, and notes nothing.
                #expect(try await events.losses(of: 0, with: older).rewound == 5)
                #expect(try await events.losses(of: 0).rewound == 0)
                #expect(try await events.noteLosses(older).rewound == 5)
                // A clock that was set back by days stops the count for no longer than it takes to see it.
                older.added -= 2
                older.length -= 2
                older.toldUs -= 86_400_000_000
                #expect(try await events.noteLosses(older).rewound == 7)
            }
        }
    }

    @Test("what looks dropped by the cap is no loss before all files were looked at")
    func notCopied() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                try await SampleHits.append(redis, 0..<10)
                let entries = try await group.read(limit: 10, block: .milliseconds(1))
                _ = try await events.store(entries, shard: 0, life: try await group.life())
                try await group.settle(entries.map(\.id))
                // Another process stored them, and died before it copied anything.
                let account = try await group.account()
                #expect(try await events.noteLosses(account, isWhole: false).trimmed == 0)
                #expect(try await Self.losses(group, events).trimmed == 0)
            }
        }
    }

    @Test("lives follow each other as they were noted, whatever the host's clock says")
    func livesInOrder() async throws {
        try await withRedis { redis, server in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                try await SampleHits.append(redis, 0..<8)
                try await events.noteLosses(try await group.account(), at: Instant(milliseconds: 9_000))
                try await server.flush()
                try await group.create()
                try await SampleHits.append(redis, 0..<3)
                let losses = try await events.noteLosses(
                    try await group.account(), at: Instant(milliseconds: 1_000))
                // The eight of the first life, and none of the three that wait.
                #expect((losses.wiped, losses.lives) == (8, 2))
            }
        }
    }

    @Test("about how many events lost entries held is told by what is stored, and not told where nothing is")
    func lostEvents() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                let life = try await group.create()
                try await SampleHits.append(redis, 0..<40, inEntry: 4)
                let trim = RedisCommand("XTRIM", RedisArgument(GameDataKeys.events(shard: 0)), "MAXLEN", "8")
                _ = try await redis.send(trim)
                var losses = try await Self.losses(group, events)
                #expect((losses.lost, losses.lostEventsAbout) == (2, nil))
                let entries = try await group.read(limit: 6, block: .milliseconds(1))
                let poison = EventEntry(
                    id: entries[5].id, fields: [Array("e2".utf8), Array("kill\t1\t5\t\t\t{}\nkill".utf8)])
                for _ in 0..<2 {
                    _ = try await events.store(entries.dropLast() + [poison], shard: 0, life: life)
                }
                try await group.settle(entries.map(\.id))
                losses = try await Self.losses(group, events)
                // Five entries of four, and one of one event that can be read.
                #expect((losses.stored, losses.storedEvents) == (6, 21))
                #expect((losses.lost, losses.lostEventsAbout) == (2, 7))
            }
        }
    }

    @Test("a stream that takes more memory than its cap loses its oldest entries, and each is counted")
    func byteCap() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let cap = 1024 * 1024
                let log = EventLog(redis: redis, bytesMax: cap)
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                let life = try await group.create()
                func bytes() async throws -> Int {
                    let key = RedisArgument(GameDataKeys.events(shard: 0))
                    return try await redis.send(RedisCommand("MEMORY", "USAGE", key, "SAMPLES", "0")).int ?? 0
                }
                var most = 0
                for start in stride(from: 0, to: 20_000, by: 200) {
                    try await log.append(SampleHits.events(start..<start + 200))
                    most = max(most, try await bytes())
                }
                // What is appended between two looks, and room that the allocator rounds up to.
                #expect(most > cap / 2 && most < cap * 5 / 4, "\(most)")
                let account = try await group.account()
                #expect(account.added == 100 && account.length < 50, "\(account)")
                let losses = try await Self.losses(group, events)
                #expect(losses.trimmed == 100 - account.length)
                // The newest are there, whole and in order.
                let left = try await group.read(limit: 100, block: .milliseconds(1))
                let numbers = try left.flatMap { try $0.events() }.map(\.at.milliseconds)
                #expect(numbers == Array(Int64(20_000 - numbers.count)..<20_000) && numbers.count == 200 * left.count)
                _ = try await events.store(left, shard: 0, life: life)
                try await group.settle(left.map(\.id))
                let after = try await Self.losses(group, events)
                #expect((after.trimmed, after.stored) == (losses.trimmed, left.count))
                #expect(after.lostEventsAbout == 200 * losses.trimmed)
            }
        }
    }

    @Test("what a stream takes is counted, not guessed by its oldest entries: large ones before small, and the reverse")
    func mixedSizes() async throws {
        let cap = 4 * 1024 * 1024
        for isLargeFirst in [true, false] {
            try await withRedis { redis, _ in
                let key = RedisArgument(GameDataKeys.events(shard: 0))
                func bytes() async throws -> Int {
                    try await redis.send(RedisCommand("MEMORY", "USAGE", key, "SAMPLES", "0")).int ?? 0
                }
                func add(_ count: Int, of size: Int) async throws {
                    let value = RedisArgument(String(repeating: "x", count: size))
                    let replies = try await redis.pipeline(
                        (0..<count).map { _ in RedisCommand("XADD", key, "*", "e2", value) })
                    #expect(replies.allSatisfy { $0.string != nil })
                }
                func length() async throws -> Int { try await redis.send(RedisCommand("XLEN", key)).int ?? 0 }
                // 2 MB in large ones and 1 MB in small ones: by the mean of the oldest nodes it would be 20 MB or less
                // than 2.
                for size in isLargeFirst ? [60_000, 250] : [250, 60_000] {
                    try await add(size == 250 ? 4_000 : 30, of: size)
                }
                let log = EventLog(redis: redis, bytesMax: cap)
                for start in 0..<20 { try await log.append(SampleHits.events(start * 100..<start * 100 + 100)) }
                #expect(try await length() == 4_050, "below the cap nothing is dropped")
                try await add(60, of: 60_000)
                #expect(try await bytes() > cap)
                for start in 20..<50 { try await log.append(SampleHits.events(start * 100..<start * 100 + 100)) }
                let kept = try await bytes()
                #expect(kept < cap + cap / 8 && kept > cap / 2, "\(kept)")
            }
        }
    }

    @Test("a stream below its cap loses nothing, whatever is appended to the others")
    func belowCap() async throws {
        try await withRedis { redis, _ in
            let log = EventLog(redis: redis, bytesMax: 1024 * 1024)
            try await log.append(SampleHits.events(0..<500))
            let others = (0..<10_000).map { number in
                EncodedEvent(
                    kind: "hit", at: .now, matchId: MatchID("match-\(number % 50)"), playerId: nil,
                    json: "{\"text\":\"\(String(repeating: "x", count: 500))\"}")
            }.filter { $0.shard != 0 }
            for start in stride(from: 0, to: others.count, by: 500) {
                try await log.append(Array(others[start..<min(start + 500, others.count)]))
            }
            let depths = try await StreamDepth.read(redis)
            let kept = try await EventGroup(redis: redis, shard: 0, consumer: "one").account()
            #expect(depths[0].length == kept.added && kept.added > 0)
            var trimmed = 0
            for shard in 1..<GameDataKeys.shardCount {
                let account = try await EventGroup(redis: redis, shard: shard, consumer: "one").account()
                trimmed += account.added - account.length
            }
            #expect(trimmed > 0)
        }
    }

    @Test(
        "on a full disk events wait in the stream and are still taken in; with room again all are stored",
        .enabled(if: SmallDisk.mayMount, "the small disk needs the right to mount"))
    func fullDisk() async throws {
        try await withRedis { redis, _ in
            try await SmallDisk.with(kilobytes: 16_384) { folder in
                let logger = Logger(label: "test.ingest", factory: { _ in SwiftLogNoOpLogHandler() })
                let events = try EventsRepository.open(folder: folder, logger: logger)
                var configuration = EventIngestConfiguration()
                configuration.block = .milliseconds(50)
                configuration.linger = .milliseconds(10)
                configuration.backoff = .milliseconds(50)
                configuration.backoffMax = .milliseconds(200)
                // The files are made before the disk is full, as they are on a day that is under way.
                let group = EventGroup(redis: redis, shard: 0, consumer: "first")
                try await group.create()
                try await SampleHits.append(redis, 0..<1)
                let first = try await group.read(limit: 1, block: .milliseconds(1))
                _ = try await events.store(first, shard: 0, life: try await group.life())
                try await group.settle(first.map(\.id))
                let ballast = URL(filePath: folder + "/ballast")
                SmallDisk.fill(ballast)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    let ingest = EventIngest(
                        redis: redis, events: events, configuration: configuration, consumer: "one", logger: logger)
                    tasks.addTask { try await ingest.run() }
                    defer { tasks.cancelAll() }
                    for start in stride(from: 1, to: 10_001, by: 500) {
                        try await SampleHits.append(redis, start..<start + 500, inEntry: 500)
                    }
                    // What ingest can't do, this can't do either.
                    let probe = Self.entries(3_000)
                    await #expect(throws: RecordsError.self) { try await events.store(probe, shard: 0) }
                    let depth = try await StreamDepth.read(redis)[0]
                    #expect(depth.length > 0 && depth.pel <= configuration.batchMax, "\(depth)")
                    try await SampleHits.append(redis, 10_001..<10_101, inEntry: 100)
                    try FileManager.default.removeItem(at: ballast)
                    try await eventually("all are stored") { try await events.count() == 10_101 }
                    try await eventually("all are settled") {
                        try await StreamDepth.read(redis)[0].length == 0
                    }
                    #expect(try await Self.losses(group, events).lost == 0)
                }
                try events.close()
            }
        }
    }

    private static func losses(_ group: EventGroup, _ events: EventsRepository) async throws -> EventLosses {
        let account = try await group.account()
        try await events.copyTotals(shard: group.shard)
        return try await events.noteLosses(account)
    }

    /// Entries that no stream has.
    private static func entries(_ count: Int) -> [EventEntry] {
        (0..<count).map { number in
            EventEntry(
                id: StreamEntryID(milliseconds: 1, sequence: UInt64(number)),
                fields: [
                    Array("e2".utf8), Array("hit\t1\t1\t\t\t{\"t\":\"\(String(repeating: "x", count: 900))\"}".utf8),
                ])
        }
    }

    /// Hits in one match of shard 0, whose times are their numbers, so many in an entry.
}
