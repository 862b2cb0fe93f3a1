import Redis
import TestSupport
import Testing

@Suite("Calls of several commands on a connection of their own") struct ApartTests {
    private func wait(_ replicas: Int, _ milliseconds: Int) -> RedisCommand {
        RedisCommand(["WAIT", RedisArgument(replicas), RedisArgument(milliseconds)], isSafeToRepeat: true)
    }

    @Test("its replies come in order, error replies in place, and nobody else waits for it") func order() async throws {
        try await withRedis { redis, _ in
            async let slow = redis.pipelineBlocking([["RPUSH", "l", "x"], wait(1, 0)], timeout: .seconds(30))
            try await eventually("it blocks") {
                try await redis.send(["INFO", "clients"]).expectString().contains("blocked_clients:1\r\n")
            }
            let replies = try await redis.pipelineBlocking(
                [["SET", "s", 1], RedisCommand(["LLEN", "s"], isSafeToRepeat: true), wait(1, 5)], timeout: .seconds(10))
            #expect(replies[0].string == "OK")
            #expect(throws: RedisError.self) { try replies[1].expectInt() }
            #expect(replies[2].int == 0, "there is no replica")
            #expect(try await redis.send(["GET", "s"]).int == 1)
            let clients = try await redis.send(["CLIENT", "LIST", "TYPE", "normal"]).expectString()
            let waiting = try #require(
                clients.split(separator: "\n").first { $0.contains(" cmd=wait ") && $0.contains(" flags=b") })
            let number = try #require(waiting.split(separator: " ").first?.dropFirst(3))
            _ = try await redis.send(["CLIENT", "UNBLOCK", RedisArgument(String(number))])
            #expect(try await slow.map(\.int) == [1, 0])
        }
    }

    @Test("a call that timed out ends on the server too, and the next one is answered its own") func timedOut()
        async throws
    {
        try await withRedis { redis, _ in
            await #expect(throws: RedisError.timedOut(mayHaveRun: true)) {
                try await redis.pipelineBlocking([["SET", "a", 1], wait(1, 0)], timeout: .milliseconds(50))
            }
            try await eventually("nothing blocks on the server") {
                try await redis.send(["INFO", "clients"]).expectString().contains("blocked_clients:0\r\n")
            }
            let replies = try await redis.pipelineBlocking(
                [["INCR", "a"], RedisCommand(["GET", "a"], isSafeToRepeat: true)], timeout: .seconds(5))
            #expect(replies.map(\.int) == [2, 2])
        }
    }

    @Test("calls beyond blockingConnectionsMax take turns, in order, and too long a line is an error") func line()
        async throws
    {
        let one = { (configuration: inout RedisConfiguration) in
            configuration.blockingConnectionsMax = 1
            configuration.commandTimeout = .seconds(10)
        }
        try await withRedis(configure: one) { redis, _ in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await redis.pipelineBlocking([["INCR", "n"], wait(0, 1)], timeout: .seconds(10))[0]
                            .expectInt()
                    }
                }
                var numbers: Set<Int> = []
                for try await number in group { numbers.insert(number) }
                #expect(numbers == Set(1...50))
            }
            #expect(try await redis.send(["INFO", "clients"]).expectString().contains("connected_clients:2\r\n"))

            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: RedisError.cancelled) {
                        try await redis.pipelineBlocking([["INCR", "n"], wait(1, 0)], timeout: .seconds(60))
                    }
                }
                try await eventually("it blocks") {
                    try await redis.send(["INFO", "clients"]).expectString().contains("blocked_clients:1\r\n")
                }
                let error = await #expect(throws: RedisError.self) {
                    try await redis.pipelineBlocking([["INCR", "n"]], timeout: .seconds(60))
                }
                #expect(error?.description.contains("blockingConnectionsMax = 1") == true)
                // One that is cancelled in line leaves it.
                let waiting = Task { try await redis.pipelineBlocking([["INCR", "n"]], timeout: .seconds(60)) }
                waiting.cancel()
                await #expect(throws: RedisError.cancelled) { try await waiting.value }
                group.cancelAll()
            }
            #expect(try await redis.pipelineBlocking([["INCR", "n"]], timeout: .seconds(5))[0].int == 52)
        }
    }

    @Test("what must not run twice may only stand first") func unsafe() async throws {
        try await withRedis { redis, _ in
            let error = await #expect(throws: RedisError.self) {
                try await redis.pipelineBlocking([["INCR", "n"], ["INCR", "n"]], timeout: .seconds(5))
            }
            #expect(error?.description.contains("all commands but the first must be safe to repeat") == true)
            await #expect(throws: RedisError.self) {
                try await redis.pipelineBlocking([["SUBSCRIBE", "x"]], timeout: .seconds(5))
            }
            let replies = try await redis.pipelineBlocking([], timeout: .seconds(5))
            #expect(replies.isEmpty)
            #expect(try await redis.send(["GET", "n"]).isNull)
        }
    }

    @Test("in a cluster it goes to the node of its slot, follows it there, and runs its first command once")
    func moves() async throws {
        try await withCluster { redis, cluster in
            let slot = try await redis.send(["CLUSTER", "KEYSLOT", "{t}"]).expectInt()
            let source = cluster.owner(of: slot)
            let target = (source + 1) % 3
            let call: [RedisCommand] = [
                ["INCR", "{t}n"], RedisCommand(["GET", "{t}n"], isSafeToRepeat: true), wait(0, 1),
            ]
            #expect(try await redis.pipelineBlocking(call, timeout: .seconds(10)).map(\.int) == [1, 1, 0])
            try await cluster.beginMove(slot: slot, from: source, to: target)
            #expect(try await redis.pipelineBlocking(call, timeout: .seconds(10)).map(\.int) == [2, 2, 0])
            try await cluster.moveKey("{t}n", from: source, to: target)
            #expect(
                try await redis.pipelineBlocking(call, timeout: .seconds(10)).map(\.int) == [3, 3, 0], "it went by ASK")
            try await cluster.endMove(slot: slot, from: source, to: target)
            #expect(
                try await redis.pipelineBlocking(call, timeout: .seconds(10)).map(\.int) == [4, 4, 0],
                "it went by MOVED")
            let error = await #expect(throws: RedisError.self) {
                try await redis.pipelineBlocking(
                    [["INCR", "a"], RedisCommand(["GET", "b"], isSafeToRepeat: true)], timeout: .seconds(10))
            }
            #expect(error?.description.contains("CROSSSLOT") == true)
        }
    }

    @Test("a replicated script is answered with its reply and the replicas that have it, and raises what it raises")
    func script() async throws {
        let master = try await RedisServer.start(arguments: ["--repl-diskless-sync-delay", "0"], tcp: true)
        let replica = try await RedisServer.start(
            arguments: ["--replicaof", "127.0.0.1", String(master.port ?? 0)], tcp: true)
        defer {
            master.stop()
            replica.stop()
        }
        let set = RedisScript(name: "set", source: "return redis.call('SETNX', KEYS[1], ARGV[1])")
        let raise = RedisScript(name: "raise", source: "return redis.error_reply('WRONG turn')")
        let witness: RedisCommand = ["INCR", "{k}seen"]
        try await withClient(try master.configuration()) { redis in
            try await eventually("the replica follows") {
                try await redis.send(["INFO", "replication"]).expectString().contains("state=online")
            }
            for reply: RESPValue in [.integer(1), .integer(0)] {
                let answer = try await redis.run(
                    set, keys: ["{k}"], arguments: [7], witness: witness, replicas: 1, within: .seconds(30))
                #expect(answer == ReplicatedReply(reply: reply, acknowledged: 1))
                #expect(try await replica.command("GET {k}") == "$1")
            }
            let few = try await redis.run(
                set, keys: ["{k}"], arguments: [7], witness: witness, replicas: 3, within: .seconds(5))
            #expect(few.acknowledged == 1)
            await #expect(throws: RedisError.server("WRONG turn")) {
                try await redis.run(
                    raise, keys: ["{k}"], arguments: [], witness: witness, replicas: 1, within: .seconds(30))
            }
            await #expect(throws: RedisError.self) {
                try await redis.run(set, keys: ["{k}"], arguments: [7], witness: witness, replicas: 1, within: .zero)
            }
        }
    }
}
