import Foundation
import GameData
import GameModel
import Redis
import TestSupport
import Testing

/// What a wiped Redis and wrong clocks do to fights that are under way.
@Suite("Fights under faults") struct FleetFaultTests {
    @Test("Redis wiped while four fights go on: each is fought to its end, and its result recorded once")
    func wiped() async throws {
        // No ingest yet: the streams then tell which fights have begun. Slow fights, so that several go on at once, and
        // a long silence is no death here: what is tried is the wipe, not a machine that has no time for heartbeats.
        let arguments = [
            "--ingest", "0", "--ranker", "1", "--verifier", "1", "--set", "allocator.regions=eu", "--set",
            "instance.tick-ms=1000", "--set", "allocator.silent-ms=20000", "--set", "allocator.dead-ms=60000",
        ]
        try await withMuster(arguments) { up in
            let state = try #require(try up.state())
            async let load = up.muster(
                [
                    "load", "--api", state.apiUrl, "--players", "24", "--seconds", "4", "--modes", "duel", "--regions",
                    "eu", "--drain", "180", "--require-finished", "0.9", "--no-progress",
                ], onData: false)
            var fights: Set<MatchID> = []
            try await withClient(RedisConfiguration(url: state.redisUrl)) { redis in
                try await eventually(within: .seconds(120), "four fights go on") {
                    fights = Set(try await Fights.running(redis, up.folder).map(\.match))
                    return fights.count >= 4
                }
                _ = try await redis.send(RedisCommand("FLUSHALL"))
            }
            let ingest = try await GuardedProcess.start(
                [try MusterUp.executable(), "ingest", "--redis", state.redisUrl, "--data", up.folder.path],
                log: up.folder.file("ingest.log"))
            defer { ingest.end() }
            let ending = try await load
            #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
            try await up.expectEveryoneIsTold()
            let rows = try await MatchRow.all(in: up.folder)
            for match in fights {
                #expect(rows[match]?.state == .finished, "\(match): \(rows[match]?.reason ?? "no reason")")
            }
        }
    }

    @Test("clocks of allocator, instances and ingest that are wrong by hours, and jump: matches are played and count")
    func wrongClocks() async throws {
        let clocks = try (0..<3).map { _ in try WrongClock() }
        defer { for clock in clocks { clock.remove() } }
        let arguments = ["--allocator", "0", "--ingest", "0", "--ranker", "1", "--verifier", "1"]
        try await withMuster(arguments) { up in
            let state = try #require(try up.state())
            let muster = try MusterUp.executable()
            // Instances have the environment of their allocator, and here a clock of their own.
            let wrapper = up.folder.file("muster-instance")
            let other = clocks[2].environment(hours: 3).map { "\($0.key)=\($0.value)" }.sorted()
            try Data("#!/bin/sh\nexec env \(other.joined(separator: " ")) \(muster) \"$@\"\n".utf8)
                .write(to: URL(filePath: wrapper))
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: wrapper)
            let token = try String(contentsOfFile: up.folder.file("keys/instance.token"), encoding: .utf8)
            func start(_ role: String, _ settings: [String], _ clock: WrongClock, hours: Int) async throws
                -> GuardedProcess
            {
                let environment = clock.environment(hours: hours).merging([
                    "MUSTER_INSTANCE_TOKEN": token.trimmingCharacters(in: .whitespacesAndNewlines),
                    // Which ends what is left of them when it stops.
                    "MUSTER_SUPERVISOR_PID": String(state.pid),
                ]) { $1 }
                return try await GuardedProcess.start(
                    [muster, role, "--redis", state.redisUrl, "--data", up.folder.path]
                        + settings.flatMap { ["--set", $0] }, log: up.folder.file("\(role).log"),
                    environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
            }
            let allocator = try await start(
                "allocator",
                [
                    "allocator.regions=eu", "api.url=\(state.apiUrl)", "health.port=0",
                    "allocator.executable=\(wrapper)",
                ],
                clocks[0], hours: 5)
            defer { allocator.end() }
            let ingest = try await start("ingest", [], clocks[1], hours: -7)
            defer { ingest.end() }
            try await Rounds(up).play {
                for (index, hours) in [-9, 2, -4].enumerated() {
                    let ended = try await Self.finished(up)
                    try await eventually(within: .seconds(180), "matches are played, by whatever clock") {
                        try await Self.finished(up) >= ended + 2
                    }
                    try clocks[index].jump(hours: hours)
                }
                let ended = try await Self.finished(up)
                try await eventually(within: .seconds(180), "matches are played after the jumps") {
                    try await Self.finished(up) >= ended + 2
                }
            }
            try await up.expectEveryoneIsTold()
        }
    }

    private static func finished(_ up: MusterUp) async throws -> Int {
        try await MatchRow.all(in: up.folder).values.filter { $0.state == .finished }.count
    }
}
