import Foundation
import GRDB
import Redis
import TestSupport
import Testing

/// What a crash, a wipe or a cut does to players, money and results: nothing that matters is lost.
@Suite(.serialized) struct FaultTests {
    /// Runs players against a whole Muster, does harm once some of them are on their way, and then checks the books.
    private func harm(
        players: Int = 40, _ arguments: [String] = [], _ body: @Sendable (MusterUp) async throws -> Void
    ) async throws {
        try await withMuster(arguments) { up in
            let api = try #require(try up.state()).apiUrl
            async let load = up.muster(
                [
                    "load", "--api", api, "--players", "\(players)", "--seconds", "10", "--modes", "duel",
                    "--regions", "eu", "--drain", "180", "--idle-timeout", "60", "--require-finished", "0.9",
                ], onData: false)
            try await eventually(within: .seconds(180), "players have bought something") {
                try await self.paidOrders(up) >= 5
            }
            try await body(up)
            let ending = try await load
            #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
            let audit = try await up.muster(["audit", "--wait", "180"])
            #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
        }
    }

    /// Read from the file and not by a command: on a busy machine the players would be through when that has started.
    private func paidOrders(_ up: MusterUp) async throws -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(30)
        let file = try DatabaseQueue(path: up.folder.file("accounts.sqlite"), configuration: configuration)
        let count = try await file.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM purchases WHERE state = 'paid'")
        }
        try file.close()
        return count ?? 0
    }

    @Test("kill -9 of each worker under load: it comes back, and the books balance")
    func killWorkers() async throws {
        try await harm { up in
            for name in ["verifier-1", "allocator-1", "ranker-1", "ingest-1", "ranker-2", "ingest-2", "api-1"] {
                let restarts = try up.killProcess(name)
                try await eventually(within: .seconds(180), "\(name) is back") {
                    let member = try up.state()?.processes.first { $0.name == name }
                    return member?.pid != nil && (member?.restarts ?? 0) > restarts
                }
            }
        }
    }

    @Test("kill -9 of everything but redis at once: all of it comes back, players go on, and the books balance")
    func killEverything() async throws {
        try await harm { up in
            let names = try #require(try up.state()).processes.map(\.name).filter { $0 != "redis" }
            let instances = try up.instances()
            for name in names { try up.killProcess(name) }
            for pid in instances { kill(pid, SIGKILL) }
        }
    }

    @Test("kill -9 of every instance in mid-match: its matches fail, its players queue again and play elsewhere")
    func killInstances() async throws {
        // Slow fights, so that several go on at once for as long as players come.
        try await harm(["--set", "instance.tick-ms=800"]) { up in
            let url = try #require(try up.state()).redisUrl
            try await withClient(RedisConfiguration(url: url)) { client in
                func matches() async throws -> [String] {
                    let reply = try await client.send(RedisCommand("HKEYS", "muster:fleet:{eu}:allocations"))
                    return reply.array?.compactMap(\.string) ?? []
                }
                try await eventually("matches are played") { try await matches().count >= 3 }
                let instances = try up.instances()
                let running = try await matches()
                for pid in instances { kill(pid, SIGKILL) }
                try await eventually("each match has ended") {
                    for match in running {
                        let reply = try await client.send(
                            RedisCommand("HGET", RedisArgument("muster:mm:{duel:eu}:match:\(match)"), "state"))
                        guard ["failed", "finished"].contains(reply.string) else { return false }
                    }
                    return true
                }
            }
        }
    }

    @Test("a worker of each kind and an instance, paused past every lease and resumed: nothing is done twice")
    func pauseWorkers() async throws {
        try await harm(["--allocator", "2", "--verifier", "2"]) { up in
            var pids = try ["ranker-1", "allocator-1", "ingest-1", "verifier-1"].map { try up.pid(of: $0) }
            pids += try up.instances().prefix(1)
            // Longer than leases (10 s) and an instance's silence (10 s) may last.
            try await MusterUp.pause(pids, for: .seconds(12))
        }
    }

    @Test("three FLUSHALLs under load: every accepted order and every posted result survives, once")
    func flushAll() async throws {
        try await harm { up in
            let url = try #require(try up.state()).redisUrl
            try await withClient(RedisConfiguration(url: url)) { client in
                for _ in 1...3 {
                    try await eventually("Redis is full of tickets, jobs and leases") {
                        (try await client.send(RedisCommand("DBSIZE")).int ?? 0) > 20
                    }
                    _ = try await client.send(RedisCommand("FLUSHALL"))
                }
            }
        }
    }

    @Test("kill -9 of redis-server under load: everything recovers by itself")
    func killRedis() async throws {
        try await harm { up in try up.killProcess("redis") }
    }
}
