import NIOCore
import TestSupport
import Testing

@testable import Redis

@Suite("Cluster", .serialized) struct ClusterTests {
    @Test("each key is found on the node that has its slot, from one node's address") func routing() async throws {
        try await withCluster { redis, cluster in
            for number in 0..<300 { _ = try await redis.send(["SET", key(number), RedisArgument(number)]) }
            for number in 0..<300 { #expect(try await redis.send(["GET", key(number)]).int == number) }
            for index in cluster.nodes.indices {
                #expect(try await cluster.send(["DBSIZE"], to: index).int ?? 0 > 50, "every node has its part")
            }
            #expect(redis.isConnected)
        }
    }

    @Test("slots are computed as the server does, hash tags too") func slots() async throws {
        try await withCluster { redis, _ in
            let keys = ["", "a", "{}", "{}a", "{a}", "x{a}y", "{a", "a}", "{{a}}", "{a}{b}", "ключ", "foo{}{bar}"]
            for key in keys + (0..<200).map({ "key-\($0)" }) {
                let slot = try await redis.send(["CLUSTER", "KEYSLOT", RedisArgument(key)]).int
                #expect(ClusterSlot.slot(of: RedisArgument(key)) == slot, "\(key)")
                #expect(ClusterSlot.slot(of: RedisArgument(Array(key.utf8))) == slot, "\(key)")
            }
            #expect(ClusterSlot.slot(of: 123) == ClusterSlot.slot(of: "123"))
        }
    }

    @Test("the keys of a command are found where the server finds them") func keys() async throws {
        let commands: [RedisCommand] = [
            ["GET", "a"], ["set", "a", "v"], ["MGET", "a", "b"], ["MSET", "a", 1, "b", 2], ["DEL", "a", "b", "c"],
            ["EVAL", "return 1", 2, "a", "b", "c"], ["EVALSHA", "f", 1, "a", "b"], ["BLPOP", "a", "b", 0],
            ["BZMPOP", 0, 2, "a", "b", "MIN"], ["BLMPOP", 0, 1, "a", "LEFT"], ["LMPOP", 2, "a", "b", "LEFT"],
            ["ZUNIONSTORE", "d", 2, "a", "b"], ["ZUNION", 2, "a", "b"], ["SINTERCARD", 2, "a", "b"],
            ["XREAD", "COUNT", 1, "STREAMS", "a", "b", 0, 0], ["XADD", "a", "*", "f", "v"],
            ["XREADGROUP", "GROUP", "g", "c", "streams", "a", ">"], ["XINFO", "STREAM", "a"],
            ["XGROUP", "CREATE", "a", "g", "$"], ["OBJECT", "ENCODING", "a"], ["BITOP", "AND", "d", "a", "b"],
            ["RENAME", "a", "b"], ["LMOVE", "a", "b", "LEFT", "RIGHT"], ["COPY", "a", "b"], ["SMOVE", "a", "b", "m"],
            ["SDIFFSTORE", "d", "a", "b"], ["PFMERGE", "d", "a"], ["MEMORY", "USAGE", "a"], ["TOUCH", "a", "b"],
            ["ZRANGESTORE", "d", "a", 0, 1], ["SORT", "a"], ["ZADD", "a", 1, "m"], ["HSET", "a", "f", "v"],
        ]
        try await withCluster { redis, _ in
            for command in commands {
                let known = try await redis.send(RedisCommand(["COMMAND", "GETKEYS"] + command.arguments))
                let own = CommandKeys.keys(of: command).map(\.text)
                #expect(known.array?.map { $0.string ?? "" } == own, "\(command.arguments.map(\.text))")
            }
        }
    }

    @Test("keys of several slots are refused before anything is sent, and named") func crossSlot() async throws {
        try await withCluster { redis, _ in
            for command: RedisCommand in [
                ["MGET", "a", "b"], ["MSET", "a", 1, "b", 2], ["EVAL", "return 1", 2, "a", "b"],
                ["BLPOP", "a", "b", 0],
            ] {
                let error = await #expect(throws: RedisError.self) { try await redis.send(command) }
                guard case .invalidConfiguration(let text) = error else {
                    Issue.record("got \(String(describing: error))")
                    continue
                }
                #expect(text.hasPrefix("CROSSSLOT") && text.contains("“a” and “b”"))
            }
            await #expect(throws: RedisError.self) {
                try await redis.pipeline([["SET", "x", 1], ["MGET", "a", "b"]])
            }
            let unsent = try await redis.send(["GET", "x"])
            #expect(unsent.isNull)
            let tagged = try await redis.send(["MGET", "{t}a", "{t}b"])
            #expect(tagged.array?.count == 2)
        }
    }

    @Test("a pipeline over all nodes answers in its order, with error replies in place") func pipeline() async throws {
        try await withCluster { redis, _ in
            var commands = (0..<200).map { RedisCommand("INCRBY", key($0), RedisArgument($0)) }
            commands.insert(["LPUSH", key(7), "x"], at: 100)
            let replies = try await redis.pipeline(commands)
            for number in 0..<100 { #expect(replies[number].int == number) }
            #expect(throws: RedisError.self) { try replies[100].expectInt() }
            for number in 100..<200 { #expect(replies[number + 1].int == number) }
        }
    }

    @Test("a transaction runs whole on the node of its slot, and is refused over several") func transaction()
        async throws
    {
        try await withCluster { redis, _ in
            let replies = try await redis.pipeline([
                ["MULTI"], ["SET", "{t}a", 1], ["INCR", "{t}a"], ["GET", "{t}a"], ["EXEC"],
            ])
            #expect(replies.last?.array?.last?.int == 2)
            await #expect(throws: RedisError.self) {
                try await redis.pipeline([["MULTI"], ["SET", "a", 1], ["SET", "b", 1], ["EXEC"]])
            }
        }
    }

    @Test("scripts run on the node of their keys, and each node learns them by itself") func scripts() async throws {
        let script = RedisScript(name: "add", source: "return redis.call('INCRBY', KEYS[1], ARGV[1])")
        try await withCluster { redis, cluster in
            for round in 1...2 {
                for number in 0..<20 {
                    #expect(try await redis.run(script, keys: [name(number)], arguments: [5]).int == 5 * round)
                }
            }
            for node in 0..<3 { _ = try await cluster.send(["SCRIPT", "FLUSH"], to: node) }
            let calls = (0..<60).map { (keys: [name(1_000 + $0)], arguments: [RedisArgument($0)]) }
            #expect(try await redis.pipeline(script, calls: calls).map(\.int) == (0..<60).map { $0 })
        }
    }

    @Test("blocked reads block on the node of their key and are woken there") func blocking() async throws {
        try await withCluster { redis, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let popped = try await redis.sendBlocking(["BLPOP", key(number), 0], timeout: .seconds(30))
                        #expect(popped.array?.last?.int == number)
                    }
                }
                for number in 0..<12 { _ = try await redis.send(["RPUSH", key(number), RedisArgument(number)]) }
                try await group.waitForAll()
            }
        }
    }

    @Test("channels reach subscribers through any node, sharded ones through their own") func subscriptions()
        async throws
    {
        try await withCluster { redis, _ in
            let subscription = try redis.subscribe(to: [.channel("news"), .shard("{b}1"), .shard("{b}2")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            _ = try await redis.send(["SPUBLISH", "{b}2", "two"])
            let sharded = try await events.next()
            #expect(
                sharded == .message(RedisMessage(topic: .shard("{b}2"), channel: "{b}2", payload: [116, 119, 111])))
            _ = try await redis.send(["PUBLISH", "news", "one"])
            let news = try await events.next()
            #expect(news == .message(RedisMessage(topic: .channel("news"), channel: "news", payload: [111, 110, 101])))
            #expect(throws: RedisError.self) { try redis.subscribe(to: [.shard("a"), .shard("b")]) }
        }
    }

    private func key(_ number: Int) -> RedisArgument { RedisArgument("key-\(number)") }

    private func name(_ number: Int) -> RedisKey { RedisKey("name-\(number)") }
}

/// Runs the body with a cluster of three masters and a client that is connected to all of them.
func withCluster(
    arguments: [String] = [], _ body: (RedisClient, RedisCluster) async throws -> Void
) async throws {
    let cluster = try await RedisCluster.start(arguments: arguments)
    defer { cluster.stop() }
    var configuration = try RedisConfiguration(url: cluster.url)
    configuration.commandTimeout = .seconds(60)
    try await withClient(configuration) { redis in
        try await redis.waitUntilConnected(timeout: .seconds(60))
        try await eventually("every master is connected") { redis.isConnected }
        try await body(redis, cluster)
    }
}
