import Redis
import Synchronization
import TestSupport
import Testing

@Suite("Cluster whose slots move and whose nodes die", .serialized) struct ClusterMoveTests {
    /// The slot of `{t}`, as the server computes it.
    private func slot(_ redis: RedisClient) async throws -> Int {
        try await redis.send(["CLUSTER", "KEYSLOT", "{t}"]).expectInt()
    }

    @Test("while a slot moves from node to node under load, no write is lost, doubled or refused") func underLoad()
        async throws
    {
        try await withCluster { redis, cluster in
            let slot = try await slot(redis)
            let first = cluster.owner(of: slot)
            let end = Flag()
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for caller in 0..<16 {
                    group.addTask {
                        var count = 0
                        while !end.isUp {
                            let key = RedisArgument("{t}\((caller + count) % 40)")
                            if count % 4 == 0 {
                                let replies = try await redis.pipeline([["INCR", key], ["INCR", "x\(count)"]])
                                _ = try replies[0].expectInt()
                                _ = try replies[1].expectInt()
                            } else {
                                _ = try await redis.send(["INCR", key])
                            }
                            count += 1
                        }
                        return count
                    }
                }
                for step in 0..<6 {
                    let (source, target) = ((first + step) % 3, (first + step + 1) % 3)
                    try await cluster.beginMove(slot: slot, from: source, to: target)
                    for number in 0..<20 {
                        try await cluster.moveKey(RedisKey("{t}\(number)"), from: source, to: target)
                    }
                    try await cluster.endMove(slot: slot, from: source, to: target)
                }
                end.raise()
                return try await group.reduce(0, +)
            }
            var sum = 0
            for number in 0..<40 { sum += try await redis.send(["GET", "{t}\(number)"]).int ?? 0 }
            #expect(sum == total)
            #expect(total > 0)
            try await eventually("nothing is in flight") { redis.inFlightCount == 0 }
        }
    }

    @Test("of a slot on its way each key is asked for where it is, and keys apart are waited for") func halfMoved()
        async throws
    {
        try await withCluster { redis, cluster in
            let slot = try await slot(redis)
            let source = cluster.owner(of: slot)
            let target = (source + 1) % 3
            for name in ["a", "b", "c"] { _ = try await redis.send(["SET", "{t}\(name)", RedisArgument(name)]) }
            try await cluster.beginMove(slot: slot, from: source, to: target)
            try await cluster.moveKey("{t}a", from: source, to: target)

            #expect(try await redis.send(["GET", "{t}a"]).string == "a", "it went by ASK")
            #expect(try await redis.send(["GET", "{t}b"]).string == "b", "it stayed")
            let popped = try await redis.sendBlocking(["BLPOP", "{t}none", "0.01"], timeout: .seconds(10))
            #expect(popped.isNull, "a key that is not there yet is asked for at the target")
            let replies = try await redis.pipeline([
                ["GET", "{t}a"], ["GET", "{t}b"], ["SET", "{t}d", "d"], ["GET", "other"], ["GET", "{t}c"],
            ])
            #expect(replies.map(\.string) == ["a", "b", "OK", nil, "c"])
            let script = RedisScript(name: "get", source: "return redis.call('GET', KEYS[1])")
            #expect(try await redis.run(script, keys: ["{t}a"], arguments: []).string == "a")
            // One whose time ends while it is being asked again is told as timed out, without the reason.
            try await eventually("the error tells what the server said") {
                let short = await #expect(throws: RedisError.self) {
                    try await redis.send(["MGET", "{t}a", "{t}b"], timeout: .seconds(2))
                }
                #expect(short?.isOutage == true)
                return short?.description.contains("TRYAGAIN") == true
            }

            async let both = redis.send(["MGET", "{t}a", "{t}b"], timeout: .seconds(60))
            async let transaction = redis.pipeline(
                [["MULTI"], ["GET", "{t}a"], ["GET", "{t}b"], ["EXEC"]], timeout: .seconds(60))
            try await cluster.endMove(slot: slot, from: source, to: target)
            #expect(try await both.array?.map(\.string) == ["a", "b"])
            #expect(try await transaction.last?.array?.map(\.string) == ["a", "b"])
        }
    }

    @Test("a blocked read follows its slot to the new node") func blocked() async throws {
        try await withCluster { redis, cluster in
            let slot = try await slot(redis)
            let source = cluster.owner(of: slot)
            let target = (source + 1) % 3
            async let popped = redis.sendBlocking(["BLPOP", "{t}list", 0], timeout: .seconds(300))
            try await eventually("it blocks at the source") { try await isBlocked(cluster, source) }
            try await cluster.beginMove(slot: slot, from: source, to: target)
            try await cluster.endMove(slot: slot, from: source, to: target)
            try await eventually("it blocks at the target") { try await isBlocked(cluster, target) }
            _ = try await redis.send(["RPUSH", "{t}list", "item"])
            #expect(try await popped.array?.last?.string == "item")
        }
    }

    @Test("a sharded subscription follows its slot, and its reader is told of the gap") func subscription() async throws
    {
        try await withCluster { redis, cluster in
            let slot = try await slot(redis)
            let source = cluster.owner(of: slot)
            let target = (source + 1) % 3
            let subscription = try redis.subscribe(to: [.shard("{t}")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            try await cluster.beginMove(slot: slot, from: source, to: target)
            try await cluster.endMove(slot: slot, from: source, to: target)
            #expect(try await events.next() == .gap(.reconnected))
            #expect(try await redis.send(["SPUBLISH", "{t}", "here"]).int == 1)
            let event = try await events.next()
            #expect(event == .message(RedisMessage(topic: .shard("{t}"), channel: "{t}", payload: Array("here".utf8))))
        }
    }

    @Test("while one node is dead the others serve, and after its return it serves again") func deadNode() async throws
    {
        let settings = ["--cluster-require-full-coverage", "no", "--appendonly", "yes"]
        try await withCluster(arguments: settings) { redis, cluster in
            let slot = try await slot(redis)
            let dead = cluster.owner(of: slot)
            let names = (0..<100).map { "n\($0)" }
            var lost: Set<String> = []
            for name in names {
                _ = try await redis.send(["SET", RedisArgument(name), RedisArgument(name)])
                let own = try await redis.send(["CLUSTER", "KEYSLOT", RedisArgument(name)]).expectInt()
                if cluster.owner(of: own) == dead { lost.insert(name) }
            }
            cluster.nodes[dead].kill()
            try await eventually("the client sees the loss") { !redis.isConnected }
            let error = await #expect(throws: RedisError.self) {
                try await redis.send(["SET", "{t}", 1], timeout: .milliseconds(150))
            }
            #expect(error?.isOutage == true)
            var answered = 0
            for name in names {
                let timeout: Duration = lost.contains(name) ? .milliseconds(100) : .seconds(30)
                do throws(RedisError) {
                    let reply = try await redis.send(["GET", RedisArgument(name)], timeout: timeout)
                    #expect(reply.string == name)
                    answered += 1
                } catch {
                    #expect(error.isOutage, "\(error)")
                }
            }
            #expect(answered > 30)
            async let waiting = redis.send(["SET", "{t}", 2], timeout: .seconds(90))
            async let popped = redis.sendBlocking(["BLPOP", "{t}list", 0], timeout: .seconds(300))
            try await cluster.nodes[dead].restart()
            #expect(try await waiting.string == "OK")
            _ = try await redis.send(["RPUSH", "{t}list", "item"], timeout: .seconds(90))
            #expect(try await popped.array?.last?.string == "item")
        }
    }

    private func isBlocked(_ cluster: RedisCluster, _ index: Int) async throws -> Bool {
        let info = try await cluster.send(["INFO", "clients"], to: index).expectString()
        return info.contains("blocked_clients:1\r\n")
    }
}

/// Told by one task to others.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isUp: Bool { value.load(ordering: .relaxed) }

    func raise() { value.store(true, ordering: .relaxed) }
}
