import GameModel
import Redis
import TestSupport
import Testing

@testable import GameData

@Suite("A tail of events")
struct EventTailTests {
    @Test("a tail tells each event once, first the last ones, whether it waits or is stored")
    func tail() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                try await SampleHits.append(redis, 0..<10)
                func storeNext(_ count: Int) async throws {
                    let entries = try await group.read(limit: count, block: .milliseconds(1))
                    _ = try await events.store(entries, shard: 0)
                    try await group.settle(entries.map(\.id))
                }
                try await storeNext(6)
                var tail = EventTail(redis: redis, events: events)
                let last = try await tail.last(7, of: EventQuery())
                #expect(last.map(\.event.at.milliseconds) == Array(3..<10))
                #expect(try await tail.next().isEmpty)
                try await SampleHits.append(redis, 10..<20)
                try await storeNext(8)
                #expect(try await tail.next().map(\.event.at.milliseconds) == Array(10..<20))
                try await storeNext(8)
                #expect(try await tail.next().isEmpty)
            }
        }
    }

    @Test("a tail tells entries of many events in their order, more than fit a page, and those of one ms as they came")
    func tailOfEntries() async throws {
        try await withRedis { redis, _ in
            try await withEvents { events in
                let key = RedisArgument(GameDataKeys.events(shard: 0))
                let group = EventGroup(redis: redis, shard: 0, consumer: "one")
                try await group.create()
                let ms = 1_764_158_400_000
                func add(_ sequence: Int, _ numbers: Range<Int>) async throws {
                    _ = try await redis.send(
                        RedisCommand(
                            "XADD", key, "\(ms)-\(sequence)", "e2",
                            RedisArgument(EventEntry.value(of: SampleHits.events(numbers)))))
                }
                for entry in 1...12 { try await add(entry, entry * 10..<entry * 10 + 10) }
                func store(_ count: Int) async throws {
                    let entries = try await group.read(limit: count, block: .milliseconds(1))
                    _ = try await events.store(entries, shard: 0)
                    try await group.settle(entries.map(\.id))
                }
                // Entries 1 to 5 are stored, the others wait.
                try await store(5)
                var tail = EventTail(redis: redis, events: events)
                let last = try await tail.last(75, of: EventQuery())
                #expect(last.map(\.event.at.milliseconds) == Array(55..<130))
                #expect(last.first?.id.description == "\(ms)-5.5" && last.last?.id.description == "\(ms)-12.9")
                #expect(try await tail.next().isEmpty)
                // More entries wait than one look reads, and more rows are stored than one look reads.
                for entry in 13...162 { try await add(entry, entry * 10..<entry * 10 + 10) }
                let many = EventEntry(
                    id: StreamEntryID(milliseconds: UInt64(ms), sequence: 163), of: SampleHits.events(1_630..<5_630))
                let more = EventEntry(
                    id: StreamEntryID(milliseconds: UInt64(ms), sequence: 164), of: SampleHits.events(5_630..<9_630))
                let rest = EventEntry(
                    id: StreamEntryID(milliseconds: UInt64(ms), sequence: 165), of: SampleHits.events(9_630..<13_630))
                try await store(20)
                _ = try await events.store([many, more, rest], shard: 0)
                var told: [Int64] = []
                for _ in 0..<10 { told += try await tail.next().map(\.event.at.milliseconds) }
                #expect(told == Array(130..<13_630))
            }
        }
    }
}
