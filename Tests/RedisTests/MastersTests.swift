import Redis
import TestSupport
import Testing

@Suite("Every master", .serialized) struct MastersTests {
    @Test("a command without keys runs on every master of a cluster, and one with keys is refused") func everyMaster()
        async throws
    {
        try await withCluster { redis, cluster in
            let ports = try await redis.everyMaster(["CONFIG", "GET", "port"]).map { $0.array?.last?.int }
            #expect(ports == cluster.nodes.map(\.port), "in the order of their slots")
            for number in 0..<300 { _ = try await redis.send(["SET", RedisArgument("k\(number)"), 1]) }
            let sizes = try await redis.everyMaster(["DBSIZE"]).compactMap(\.int)
            #expect(sizes.count == 3 && sizes.allSatisfy { $0 > 50 } && sizes.reduce(0, +) == 300)
            await #expect(throws: RedisError.self) { try await redis.everyMaster(["DEL", "k1"]) }
            await #expect(throws: RedisError.self) { try await redis.everyMaster(["CONFIG", "GET"]) }
            _ = try await redis.everyMaster(["FLUSHALL"])
            #expect(try await redis.everyMaster(["DBSIZE"]).allSatisfy { $0.int == 0 })
        }
    }

    @Test("a scan finds the keys of every master, each of them") func scan() async throws {
        try await withCluster { redis, _ in try await scan(redis) }
        try await withRedis { redis, _ in
            #expect(try await redis.everyMaster(["DBSIZE"]).map(\.int) == [0])
            try await scan(redis)
        }
    }

    private func scan(_ redis: RedisClient) async throws {
        var empty = 0
        for try await keys in redis.scan(matching: "*") { empty += keys.count }
        #expect(empty == 0)
        for number in 0..<500 {
            _ = try await redis.send([
                "SET", RedisArgument("\(number.isMultiple(of: 2) ? "even" : "odd"):\(number)"), 1,
            ])
        }
        var found: Set<RedisKey> = []
        for try await keys in redis.scan(matching: "even:*", effort: 10) { found.formUnion(keys) }
        #expect(found == Set(stride(from: 0, to: 500, by: 2).map { RedisKey("even:\($0)") }))
    }
}
