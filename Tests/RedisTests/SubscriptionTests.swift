import Synchronization
import TestSupport
import Testing

@testable import Redis

@Suite("Publish and subscribe") struct SubscriptionTests {
    @Test(
        "channels, patterns and sharded channels bring their messages in order, with where they came from"
    )
    func topics() async throws {
        try await withRedis { redis, _ in
            let subscription = try redis.subscribe(to: [
                .channel("news"), .pattern("match.*"), .shard("shard"),
            ])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            for round in 0..<50 {
                _ = try await redis.send(["PUBLISH", "news", RedisArgument(round)])
                _ = try await redis.send(["PUBLISH", "match.7", RedisArgument([0xFF, UInt8(round)])])
                _ = try await redis.send(["SPUBLISH", "shard", RedisArgument(round)])
            }
            for round in 0..<50 {
                let news = try await events.next()
                #expect(news == message(.channel("news"), "news", Array("\(round)".utf8)))
                let match = try await events.next()
                #expect(match == message(.pattern("match.*"), "match.7", [0xFF, UInt8(round)]))
                let shard = try await events.next()
                #expect(shard == message(.shard("shard"), "shard", Array("\(round)".utf8)))
            }
            #expect(try await redis.send(["PUBLISH", "other", "x"]).int == 0)
        }
    }

    @Test(
        "after the server died the subscription comes back by itself, and the reader is told of the gap"
    )
    func gap() async throws {
        try await withRedis { redis, server in
            let subscription = try redis.subscribe(to: [.channel("news"), .pattern("match.*")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            for round in 0..<3 {
                server.kill()
                try await server.restart()
                #expect(try await events.next() == .gap(.reconnected))
                _ = try await redis.send(["PUBLISH", "match.1", RedisArgument(round)])
                let event = try await events.next()
                #expect(event == message(.pattern("match.*"), "match.1", Array("\(round)".utf8)))
            }
        }
    }

    @Test("a connection that was killed by an operator is rebuilt, too") func killed() async throws {
        try await withRedis { redis, _ in
            let subscription = try redis.subscribe(to: [.channel("news")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            #expect(try await redis.send(["CLIENT", "KILL", "TYPE", "pubsub"]).int == 1)
            #expect(try await events.next() == .gap(.reconnected))
        }
    }

    @Test("a server that went silent is found out, and the reader is told once it is subscribed again") func silent()
        async throws
    {
        let counts = Counts()
        let answer: @Sendable (Int) -> FakeServer.Answer = { connection in
            let isFirst = counts.count(connection) == 1
            return isFirst ? .bytes("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n") : .nothing
        }
        let hasty: (inout RedisConfiguration) -> Void = { $0.commandTimeout = .milliseconds(100) }
        try await withFakeServer(answer, configure: hasty) { redis in
            let subscription = try redis.subscribe(to: [.channel("news")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            #expect(try await events.next() == .gap(.reconnected))
            #expect(try await events.next() == .gap(.reconnected))
        }
    }

    @Test("a quiet subscription stays on its connection") func quiet() async throws {
        try await withRedis(configure: { $0.commandTimeout = .seconds(5) }) { redis, _ in
            let subscription = try redis.subscribe(to: [.channel("news")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            let before = try await ids(redis)
            try await eventually("pings were answered") {
                let pings = try await redis.send(["INFO", "commandstats"]).expectString().split(separator: "\r\n")
                    .first { $0.hasPrefix("cmdstat_ping:calls=") }
                let count = pings?.dropFirst("cmdstat_ping:calls=".count).prefix { $0.isNumber }
                // Two greetings, the wait for the connection, and three of the subscription's.
                return count.flatMap { Int($0) } ?? 0 >= 6
            }
            #expect(try await ids(redis) == before)
        }
    }

    @Test("a reader slower than the messages is told how many it lost, and gets the latest")
    func overflow()
        async throws
    {
        try await withRedis { redis, _ in
            let subscription = try redis.subscribe(to: [.channel("news")], bufferMax: 10)
            try await eventually("it is subscribed") {
                try await redis.send(["PUBSUB", "NUMSUB", "news"]).array?.last?.int == 1
            }
            for round in 0..<100 { _ = try await redis.send(["PUBLISH", "news", RedisArgument(round)]) }
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            var lost = 0
            var texts: [Int] = []
            while texts.last != 99 {
                switch try await events.next() {
                case .gap(.overflowed(let count)): lost += count
                case .message(let message): texts.append(Int(message.text) ?? -1)
                case let other: Issue.record("got \(String(describing: other))")
                }
            }
            #expect(lost + texts.count == 100)
            #expect(texts == texts.sorted())
        }
    }

    @Test("of more messages than fit the latest stay, and marks are never lost") func inbox() async throws {
        let inbox = SubscriptionInbox(messagesMax: 3)
        inbox.put(.subscribed)
        for round in 0..<5 { inbox.put(message(.channel("c"), "c", [UInt8(round)])) }
        inbox.put(.gap(.reconnected))
        inbox.put(.gap(.reconnected))
        inbox.put(message(.channel("c"), "c", [5]))
        inbox.end(.cancelled)
        inbox.put(.subscribed)
        #expect(try await inbox.next() == .subscribed)
        #expect(try await inbox.next() == .gap(.overflowed(lost: 3)))
        #expect(try await inbox.next() == message(.channel("c"), "c", [3]))
        #expect(try await inbox.next() == message(.channel("c"), "c", [4]))
        #expect(try await inbox.next() == .gap(.reconnected))
        #expect(try await inbox.next() == message(.channel("c"), "c", [5]))
        for _ in 0..<2 { await #expect(throws: RedisError.cancelled) { try await inbox.next() } }
    }

    @Test("a user without the right to a channel is told so") func refused() async throws {
        try await withRedis { redis, server in
            _ = try await redis.send([
                "ACL", "SETUSER", "ada", "on", ">pw", "+@all", "~*", "resetchannels", "&open",
            ])
            var configuration = try server.configuration()
            configuration.username = "ada"
            configuration.password = "pw"
            try await withClient(configuration) { ada in
                let allowed = try ada.subscribe(to: [.channel("open")])
                var open = allowed.makeAsyncIterator()
                #expect(try await open.next() == .subscribed)
                let forbidden = try ada.subscribe(to: [.channel("closed")])
                var closed = forbidden.makeAsyncIterator()
                do throws(RedisError) {
                    _ = try await closed.next()
                    Issue.record("it is subscribed")
                } catch {
                    #expect(error.serverCode == "NOPERM")
                }
            }
        }
    }

    @Test("a subscription that nobody holds, or whose client stopped, ends on the server")
    func ending() async throws {
        try await withRedis { redis, server in
            try await withClient(try server.configuration()) { other in
                var events = try other.subscribe(to: [.channel("news")]).makeAsyncIterator()
                #expect(try await events.next() == .subscribed)
                #expect(try await subscribers(redis) == 1)
            }
            try await eventually("the dropped one has ended") { try await subscribers(redis) == 0 }
            let client = RedisClient(configuration: try server.configuration(), logger: testLogger)
            let subscription = try client.subscribe(to: [.channel("news")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                var events = subscription.makeAsyncIterator()
                let first = try await events.next()
                #expect(first == .subscribed)
                group.cancelAll()
                let last = try await events.next()
                #expect(last == nil, "cancelling the run ends it")
            }
            try await eventually("the stopped one has ended") { try await subscribers(redis) == 0 }
            var late = try client.subscribe(to: [.channel("news")]).makeAsyncIterator()
            await #expect(throws: RedisError.unavailable("the client has stopped")) {
                try await late.next()
            }
        }
    }

    @Test("a cancelled reader ends at once and leaves the subscription to the next") func cancelled()
        async throws
    {
        try await withRedis { redis, _ in
            let subscription = try redis.subscribe(to: [.channel("news")])
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        for try await event in subscription { #expect(event == .subscribed) }
                    } catch {
                        Issue.record("got \(error)")
                    }
                }
                group.cancelAll()
            }
            try await eventually("it is subscribed") { try await subscribers(redis) == 1 }
            _ = try await redis.send(["PUBLISH", "news", "late"])
            var events = subscription.makeAsyncIterator()
            var event = try await events.next()
            if event == .subscribed { event = try await events.next() }
            #expect(event == message(.channel("news"), "news", Array("late".utf8)))
        }
    }

    @Test("a subscription to nothing is refused") func nothing() async throws {
        try await withRedis { redis, _ in
            #expect(throws: RedisError.self) { try redis.subscribe(to: []) }
            #expect(throws: RedisError.self) { try redis.subscribe(to: [.channel("a")], bufferMax: 0) }
        }
    }

    private func message(_ topic: RedisTopic, _ channel: String, _ payload: [UInt8])
        -> RedisSubscriptionEvent
    {
        .message(RedisMessage(topic: topic, channel: channel, payload: payload))
    }

    private func subscribers(_ redis: RedisClient) async throws -> Int? {
        try await redis.send(["PUBSUB", "NUMSUB", "news"]).array?.last?.int
    }

    /// The ids of the subscriptions' connections.
    private func ids(_ redis: RedisClient) async throws -> [Substring] {
        try await redis.send(["CLIENT", "LIST", "TYPE", "pubsub"]).expectString().split(separator: "\n")
            .map { $0.prefix { $0 != " " } }
    }
}

/// How often a connection was read.
private final class Counts: Sendable {
    private let counts = Mutex<[Int: Int]>([:])

    func count(_ connection: Int) -> Int {
        counts.withLock { counts in
            counts[connection, default: 0] += 1
            return counts[connection] ?? 0
        }
    }
}
