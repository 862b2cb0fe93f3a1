import Foundation
import GameModel
import Jobs
import Redis
import TestSupport
import Testing

@testable import muster

/// What is read of a server that is as it should be.
private func healthy() -> ServerReading {
    var server = ServerReading(address: "here:6379")
    server.info = [
        "redis_version": "7.0.15", "maxmemory_policy": "noeviction", "maxmemory": "1073741824",
        "used_memory": "104857600", "evicted_keys": "0", "connected_clients": "12", "maxclients": "10000",
        "rejected_connections": "0", "aof_enabled": "1", "aof_last_write_status": "ok",
        "aof_last_bgrewrite_status": "ok", "rdb_last_bgsave_status": "ok", "loading": "0", "role": "master",
        "connected_slaves": "1", "master_repl_offset": "5000", "repl_backlog_size": "1048576",
        "slave0": "ip=10.0.0.2,port=6380,state=online,offset=4000,lag=1", "cluster_enabled": "0",
    ]
    server.config = [
        "appendfsync": "everysec", "save": "", "latency-monitor-threshold": "100", "min-replicas-to-write": "1",
        "client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        "stop-writes-on-bgsave-error": "yes",
    ]
    server.pings = (1...200).map { 100 + $0 }
    server.clock = .init(offsetMs: -3, uncertaintyMs: 0.2)
    server.spikes = [.init(event: "fork", secondsAgo: 7200, latestMs: 900, highestMs: 900)]
    server.slowlog = .init(count: 3, worst: ("SCAN", 12_000, 30))
    server.scripts = .init(total: 20, known: 20)
    server.rights = .init(user: "default", tried: ["BLPOP", "EVALSHA"])
    return server
}

/// Something that is not as it should be, and what the doctor is to call it.
private struct Ailment: Sendable, CustomTestStringConvertible {
    let area: String
    let level: DoctorFinding.Level
    /// What the finding or its remedy must speak of.
    let word: String
    let change: @Sendable (inout ServerReading) -> Void

    init(
        _ area: String, _ level: DoctorFinding.Level, _ word: String,
        _ change: @escaping @Sendable (inout ServerReading) -> Void
    ) {
        (self.area, self.level, self.word, self.change) = (area, level, word, change)
    }

    var testDescription: String { "\(area): \(word)" }

    static let ofTheServer = [
        Ailment("version", .problem, "6.2.14") { $0.info["redis_version"] = "6.2.14" },
        Ailment("version", .warning, "does not tell") { $0.info["redis_version"] = nil },
        Ailment("eviction", .problem, "noeviction") { $0.info["maxmemory_policy"] = "allkeys-lru" },
        Ailment("eviction", .problem, "7 keys") { $0.info["evicted_keys"] = "7" },
        Ailment("memory", .warning, "80 %") { $0.info["used_memory"] = "858993460" },
        Ailment("memory", .problem, "95 %") { $0.info["used_memory"] = "1020054733" },
        Ailment("memory", .warning, "maxmemory") {
            $0.info["maxmemory"] = "0"
            $0.info["used_memory_rss"] = "6000000000"
            $0.info["total_system_memory"] = "8000000000"
        },
        Ailment("clients", .problem, "maxclients") { $0.info["connected_clients"] = "9500" },
        Ailment("clients", .warning, "3 were refused") { $0.info["rejected_connections"] = "3" },
        Ailment("clock", .warning, "2.0s ahead") { $0.clock = .init(offsetMs: 2_000, uncertaintyMs: 1) },
        Ailment("clock", .problem, "2m behind") { $0.clock = .init(offsetMs: -130_000, uncertaintyMs: 1) },
        Ailment("clock", .warning, "TIME") { $0.clock = nil },
        Ailment("scripts", .problem, "jobs.reserve") { $0.scripts.failures = ["jobs.reserve": "ERR no"] },
        Ailment("rights", .problem, "+blpop +evalsha") {
            $0.rights.refused = ["EVALSHA": "NOPERM", "BLPOP": "NOPERM"]
        },
        Ailment("info", .problem, "+info") { $0.info = [:] },
    ]

    static let ofDurability = [
        Ailment("loading", .problem, "loading") { $0.info["loading"] = "1" },
        Ailment("persistence", .warning, "everysec") { $0.config?["appendfsync"] = "no" },
        Ailment("persistence", .problem, "appendonly yes") { $0.info["aof_enabled"] = "0" },
        Ailment("persistence", .warning, "900 1") {
            $0.info["aof_enabled"] = "0"
            $0.config?["save"] = "900 1"
        },
        Ailment("persistence", .warning, "CONFIG") {
            $0.info["aof_enabled"] = "0"
            $0.config = nil
        },
        Ailment("disk", .problem, "AOF") { $0.info["aof_last_write_status"] = "err" },
        Ailment("disk", .warning, "rewrite") { $0.info["aof_last_bgrewrite_status"] = "err" },
        Ailment("disk", .problem, "snapshot") {
            $0.config?["save"] = "900 1"
            $0.info["rdb_last_bgsave_status"] = "err"
        },
        Ailment("replication", .problem, "redis-sentinel://") { $0.info["role"] = "slave" },
        Ailment("replication", .problem, "min-replicas-to-write") { $0.config?["min-replicas-to-write"] = "2" },
        Ailment("replication", .warning, "10.0.0.2:6380") {
            $0.info["slave0"] = "ip=10.0.0.2,port=6380,state=online,offset=4000,lag=40"
            $0.config?["min-replicas-to-write"] = "0"
        },
        Ailment("replication", .warning, "backlog") { $0.info["master_repl_offset"] = "9000000" },
    ]

    static let ofSpeed = [
        Ailment("latency", .warning, "20 ms") { $0.pings = Array(repeating: 20_000, count: 10) },
        Ailment("latency", .problem, "300 ms") { $0.pings = Array(repeating: 300_000, count: 10) },
        Ailment("spikes", .warning, "aof-fsync-always") {
            $0.spikes = [.init(event: "aof-fsync-always", secondsAgo: 60, latestMs: 450, highestMs: 450)]
        },
        Ailment("slowlog", .warning, "KEYS") { $0.slowlog = .init(count: 1, worst: ("KEYS", 250_000, 60)) },
        Ailment("buffers", .warning, "64 KiB") { $0.config?["client-output-buffer-limit"] = "normal 65536 0 0" },
        Ailment("cluster", .problem, "redis-cluster://") {
            $0.info["cluster_enabled"] = "1"
            $0.cluster = ["cluster_state": "ok", "cluster_slots_assigned": "16384", "cluster_slots_ok": "16384"]
        },
        Ailment("cluster", .problem, "16000 of 16384") {
            $0.info["cluster_enabled"] = "1"
            $0.isForCluster = true
            $0.cluster = ["cluster_state": "fail", "cluster_slots_assigned": "16384", "cluster_slots_ok": "16000"]
        },
    ]
}

@Suite struct DoctorCheckTests {
    @Test("a server that is as it should be is called well in every respect")
    func healthyServer() {
        let findings = ServerChecks.all(healthy())
        #expect(findings.allSatisfy { $0.level == .ok }, "\(findings.filter { $0.level != .ok })")
        #expect(findings.count >= 12 && findings.allSatisfy { $0.server == "here:6379" })
    }

    @Test(
        "each ailment of a server is found, with why it matters and what to do",
        arguments: Ailment.ofTheServer + Ailment.ofDurability + Ailment.ofSpeed)
    private func ailments(_ ailment: Ailment) throws {
        var server = healthy()
        ailment.change(&server)
        let findings = ServerChecks.all(server).filter { $0.level != .ok }
        let found = try #require(findings.first { $0.area == ailment.area }, "\(findings)")
        #expect(found.level == ailment.level)
        let remedy = try #require(found.remedy)
        #expect("\(found.what) \(remedy)".contains(ailment.word), "\(found)")
        #expect(found.why?.isEmpty == false)
    }

    @Test("what a managed Redis refuses is said, and is no problem by itself")
    func managed() {
        var server = healthy()
        server.config = nil
        server.spikes = nil
        server.slowlog = nil
        server.scripts = .init(total: 20, refusal: "NOPERM")
        server.rights = .init(user: "app", tried: ["EVALSHA"], untried: "NOPERM")
        let findings = ServerChecks.all(server)
        #expect(findings.allSatisfy { $0.level == .ok }, "\(findings.filter { $0.level != .ok })")
        #expect(findings.first { $0.area == "persistence" }?.what.contains("CONFIG is refused") == true)
    }

    @Test("a clock that is read over a slow line is not blamed for the line")
    func slowLine() {
        var server = healthy()
        server.clock = .init(offsetMs: 900, uncertaintyMs: 800)
        #expect(ServerChecks.clock(server).level == .ok)
    }

    @Test("queues that stand still and dead letters that grow are problems, and what only might become one a warning")
    func queues() throws {
        var queue = QueueReading(name: "mails", enqueued: 10, running: 1)
        #expect(QueueChecks.all([queue]).allSatisfy { $0.level == .ok })
        #expect(QueueChecks.all([QueueReading(name: "unused")]).allSatisfy { $0.level == .ok })

        func found(_ area: String) throws -> DoctorFinding {
            try #require(QueueChecks.all([queue]).first { $0.area == area && $0.level != .ok })
        }
        queue.dead = 3
        #expect(try found("dead").level == .warning)
        queue.buriedMeanwhile = 1
        #expect(try found("dead").level == .problem)
        queue.oldestWaitingMs = 120_000
        #expect(try found("waiting").what.contains("mails (2m)"))
        (queue.running, queue.resting) = (0, 1)
        #expect(try found("workers").remedy == "muster workers resume --queue mails --all")
        queue.resting = 0
        #expect(try found("workers").level == .warning)
        (queue.waiting, queue.silent) = (4, 2)
        #expect(try found("workers").level == .problem)
        #expect(try found("workers").what.contains("4 jobs, 2 workers fell silent"))
        queue.failure = "NOPERM"
        #expect(try found("queues").level == .problem)
    }

    @Test("the report fits a terminal of 80 columns and has the remedy below its finding")
    func report() throws {
        var server = healthy()
        server.info["maxmemory_policy"] = "allkeys-lru"
        server.clock = .init(offsetMs: 2_000, uncertaintyMs: 1)
        let report = DoctorReport(at: 0, findings: ServerChecks.all(server) + QueueChecks.all([]))
        let lines = report.text(isColored: false).split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.filter { $0.count > 80 })")
        #expect(lines.first == "redis at here:6379")
        let place = try #require(lines.firstIndex { $0.contains("allkeys-lru") })
        #expect(lines[place].hasPrefix("  ✗ eviction"))
        #expect(lines[place...].prefix(5).contains { $0.contains("remedy: CONFIG SET maxmemory-policy noeviction") })
        #expect(lines.last?.hasPrefix("1 problem, 1 warning") == true)
    }
}

/// `muster doctor` as an operator runs it.
@Suite struct DoctorTests {
    private struct Report: Decodable {
        let problems: Int
        let findings: [DoctorFinding]

        /// The findings that a slow machine has no part in.
        var sure: [DoctorFinding] { findings.filter { !["latency", "slowlog", "spikes"].contains($0.area) } }
        func level(_ area: String) -> DoctorFinding.Level? { findings.filter { $0.area == area }.map(\.level).max() }
    }

    private static func examine(_ url: String, _ more: [String] = []) async throws -> (Report, MusterUp.Ending) {
        let ending = try await MusterUp.run(["doctor", "--redis", url, "--seconds", "0.1", "--json"] + more)
        try #require(!ending.output.isEmpty, "\(ending.errors)")
        return (try JSONDecoder().decode(Report.self, from: Data(ending.output.utf8)), ending)
    }

    @Test("a Redis that is set up for queues has no problem, and the exit code says so")
    func well() async throws {
        let server = try await RedisServer.start(arguments: ["--appendonly", "yes"])
        defer { server.stop() }
        let (report, ending) = try await Self.examine(server.url)
        #expect(report.sure.allSatisfy { $0.level == .ok }, "\(report.sure.filter { $0.level != .ok })")
        #expect((ending.status == 0) == (report.problems == 0))
        let areas = Set(report.findings.map(\.area))
        let expected: Set = [
            "version", "eviction", "memory", "persistence", "disk", "replication", "clients", "buffers", "latency",
            "spikes", "slowlog", "clock", "scripts", "rights", "workers", "dead",
        ]
        #expect(areas == expected)
    }

    @Test("a Redis that evicts and keeps nothing has two problems, and none once the remedies were followed")
    func remedies() async throws {
        let server = try await RedisServer.start(
            arguments: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"])
        defer { server.stop() }
        let (sick, ending) = try await Self.examine(server.url)
        #expect(ending.status == 1)
        #expect(sick.sure.filter { $0.level == .problem }.map(\.area) == ["eviction", "persistence"])
        let text = try await MusterUp.run(["doctor", "--redis", server.url, "--seconds", "0.1"])
        #expect(text.status == 1 && text.output.contains("remedy: CONFIG SET maxmemory-policy noeviction"))

        for finding in sick.sure where finding.level == .problem {
            for match in (finding.remedy ?? "").matches(of: /CONFIG SET [a-z-]+ [a-z]+/) {
                #expect(try await server.command(String(match.0)) == "+OK")
            }
        }
        let (healed, _) = try await Self.examine(server.url)
        #expect(healed.sure.allSatisfy { $0.level == .ok }, "\(healed.sure.filter { $0.level != .ok })")
    }

    @Test("a user who may not block is told apart from one who may do all, with and without the right to ask")
    func rights() async throws {
        let server = try await RedisServer.start(arguments: ["--appendonly", "yes"], tcp: true)
        defer { server.stop() }
        let port = try #require(server.port)
        try await server.command("ACL SETUSER whole on >secret ~muster:* +@all -@admin")
        try await server.command("ACL SETUSER deaf on >secret ~muster:* +@all -@admin -blpop")
        try await server.command("ACL SETUSER asking on >secret ~muster:* +@all -blpop -zadd")

        let (whole, _) = try await Self.examine("redis://whole:secret@127.0.0.1:\(port)")
        #expect(whole.sure.allSatisfy { $0.level == .ok }, "\(whole.sure.filter { $0.level != .ok })")
        let (deaf, _) = try await Self.examine("redis://deaf:secret@127.0.0.1:\(port)")
        #expect(deaf.findings.first { $0.area == "rights" }?.remedy == "ACL SETUSER deaf ~muster:* +blpop")
        let (asking, ending) = try await Self.examine("redis://asking:secret@127.0.0.1:\(port)")
        #expect(asking.findings.first { $0.area == "rights" }?.remedy == "ACL SETUSER asking ~muster:* +blpop +zadd")
        #expect(ending.status == 1)
    }

    @Test("a queue in use without a worker is a problem, also one that is not of the house")
    func aloneQueue() async throws {
        try await withRedis(arguments: ["--appendonly", "yes"]) { redis, server in
            let queue = JobQueue(name: QueueName("mails"), redis: redis)
            try await queue.enqueue(encoded: [EncodedJob(id: JobID("a"), kind: "mail", payload: [])])
            let (report, ending) = try await Self.examine(server.url, ["--queue", "mails"])
            #expect(report.level("workers") == .problem && ending.status == 1)
            #expect(report.findings.contains { $0.what == "no live worker for mails (1 jobs)" })
        }
    }

    @Test("of a cluster each master is looked at, also where it is one node that has met nobody")
    func cluster() async throws {
        let alone = try await RedisCluster.start(masters: 1, arguments: ["--appendonly", "yes"])
        defer { alone.stop() }
        let (one, _) = try await Self.examine(alone.url)
        #expect(Set(one.findings.compactMap(\.server)).count == 1)
        #expect(one.level("cluster") == .ok)

        let cluster = try await RedisCluster.start(masters: 3, arguments: ["--appendonly", "yes"])
        defer { cluster.stop() }
        let (report, _) = try await Self.examine(cluster.url)
        #expect(report.sure.allSatisfy { $0.level == .ok }, "\(report.sure.filter { $0.level != .ok })")
        #expect(Set(report.findings.compactMap(\.server)).count == 3)
        let (single, ending) = try await Self.examine(cluster.nodes[0].tcpURL)
        #expect(single.level("cluster") == .problem && ending.status == 1)
    }
}
