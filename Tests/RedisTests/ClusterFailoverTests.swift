import Redis
import TestSupport
import Testing

@Suite("Cluster whose masters are replaced by their replicas", .serialized) struct ClusterFailoverTests {
    @Test("when a master is killed, commands, blocked reads, scripts and subscriptions go to its replica") func killed()
        async throws
    {
        try await withReplicas { redis, cluster, index in
            let replicated = try await redis.pipelineBlocking(
                [["SET", "{t}kept", "yes"], RedisCommand(["WAIT", 1, 30_000], isSafeToRepeat: true)],
                timeout: .seconds(60))
            #expect(replicated.last?.int == 1)
            let subscription = try redis.subscribe(to: [.shard("{t}")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await popWhatComes(redis) }
                try await eventually("the read blocks") { try await isBlocked(cluster.nodes[index]) }
                cluster.nodes[index].kill()
                try await pushUntilTaken(redis)
                try await group.waitForAll()
            }
            #expect(try await port(redis, index) == cluster.replicas[index].port)
            #expect(try await redis.send(["GET", "{t}kept"]).string == "yes")
            let script = RedisScript(name: "get", source: "return redis.call('GET', KEYS[1])")
            #expect(try await redis.run(script, keys: ["{t}kept"], arguments: []).string == "yes")
            #expect(try await events.next() == .gap(.reconnected))
            #expect(try await redis.send(["SPUBLISH", "{t}", "here"]).int == 1)

            // The former master comes back as a replica, and nobody goes to it.
            try await cluster.nodes[index].restart()
            try await eventually("it follows the new master") {
                try await cluster.nodes[index].command("ROLE") == "*5"
            }
            for round in 1...20 { #expect(try await redis.send(["INCR", "{t}n"]).int == round) }
            #expect(try await port(redis, index) == cluster.replicas[index].port)
        }
    }

    @Test("a master that stopped answering is left, by blocked reads too, once its replica took over") func paused()
        async throws
    {
        try await withReplicas { redis, cluster, index in
            defer { cluster.nodes[index].resume() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await popWhatComes(redis) }
                try await eventually("the read blocks") { try await isBlocked(cluster.nodes[index]) }
                cluster.nodes[index].pause()
                try await pushUntilTaken(redis)
                try await group.waitForAll()
            }
            #expect(try await port(redis, index) == cluster.replicas[index].port)
        }
    }

    @Test("a failover by an operator's command loses no write and doubles none") func byCommand() async throws {
        // The servers hold writes back for up to ten seconds where they are slow to change over.
        try await withReplicas(configure: { $0.commandTimeout = .seconds(60) }) { redis, cluster, index in
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                let end = Flag()
                for _ in 0..<8 {
                    group.addTask {
                        var count = 0
                        while !end.isUp {
                            _ = try await redis.send(["INCR", "{t}n"])
                            count += 1
                        }
                        return count
                    }
                }
                try await eventually("the load runs") { try await redis.send(["GET", "{t}n"]).int ?? 0 > 500 }
                try await eventually("the replica is the master") {
                    // A failover that takes longer than five seconds is given up by the servers: it is asked for again.
                    try await cluster.replicas[index].command("CLUSTER FAILOVER")
                    do {
                        try await eventually(within: .seconds(15), "the failover is done") {
                            try await cluster.replicas[index].command("ROLE") == "*3"
                        }
                        return true
                    } catch is TestSupportError {
                        return false
                    }
                }
                let before = try await redis.send(["GET", "{t}n"]).expectInt()
                try await eventually("the load goes on there") {
                    try await redis.send(["GET", "{t}n"]).int ?? 0 > before + 500
                }
                end.raise()
                return try await group.reduce(0, +)
            }
            #expect(try await redis.send(["GET", "{t}n"]).int == total)
            #expect(try await port(redis, index) == cluster.replicas[index].port)
        }
    }

    /// A cluster with a replica for each master, and which of them has the slot of `{t}`.
    private func withReplicas(
        configure: (inout RedisConfiguration) -> Void = { _ in },
        _ body: (RedisClient, RedisCluster, Int) async throws -> Void
    ) async throws {
        // A master that is only starved for a moment must not be replaced.
        let cluster = try await RedisCluster.start(replicas: 1, arguments: ["--cluster-node-timeout", "5000"])
        defer { cluster.stop() }
        var configuration = try RedisConfiguration(url: cluster.url)
        configure(&configuration)
        try await withClient(configuration) { redis in
            try await eventually("every master is connected") { redis.isConnected }
            let slot = try await redis.send(["CLUSTER", "KEYSLOT", "{t}"]).expectInt()
            try await body(redis, cluster, cluster.owner(of: slot))
        }
    }

    /// What any worker does: it asks again until it is answered.
    private func popWhatComes(_ redis: RedisClient) async throws {
        try await eventually("a read is answered") {
            do throws(RedisError) {
                let popped = try await redis.sendBlocking(["BLPOP", "{t}list", 0], timeout: .seconds(300))
                return popped.array?.last?.string == "item"
            } catch  where error.isOutage {
                return false
            }
        }
    }

    private func pushUntilTaken(_ redis: RedisClient) async throws {
        try await eventually("the new master takes writes") {
            do throws(RedisError) {
                let length = try await redis.send(["RPUSH", "{t}list", "item"]).expectInt()
                return length > 0
            } catch  where error.isOutage {
                return false
            }
        }
    }

    private func isBlocked(_ server: RedisServer) async throws -> Bool {
        try await withClient(try server.configuration()) { client in
            try await client.send(["INFO", "clients"]).expectString().contains("blocked_clients:1\r\n")
        }
    }

    /// The port of the node that serves the slot of `{t}`, by the client's own way to it.
    private func port(_ redis: RedisClient, _ index: Int) async throws -> Int? {
        let ports = try await redis.everyMaster(["CONFIG", "GET", "port"]).map { $0.array?.last?.int }
        return ports[index]
    }
}
