import Fleet
import Foundation
import GameData
import GameModel
import TestSupport
import Testing

/// Game instances on several hosts, and what a pulled cable between a host and the rest does to their matches.
@Suite("A fleet on several hosts", .enabled(if: NetworkHosts.hindrance == nil, "\(NetworkHosts.hindrance ?? "")"))
struct FleetHostTests {
    private static let eu = Region("eu")
    private static let us = Region("us")
    private static let isLong = ProcessInfo.processInfo.environment["MUSTER_FULL"] != nil
    /// Fights of some seconds, so that many are under way at once, spread over all instances.
    private static let slowFights = ["instance.tick-ms=200", "allocator.strategy=spread"]
    /// Of about twenty seconds, longer than it takes all players to come: each host is full for a while, on a slow
    /// machine too.
    private static let slowestFights = ["instance.tick-ms=1000", "allocator.strategy=spread"]

    @Test("two hosts with an allocator each: matches of one region are played on both, and the books balance")
    func twoHosts() async throws {
        let players = Self.isLong ? 2_000 : 100
        let slots = Self.isLong ? 40 : 4
        try await withMusterOnHosts(games: 2) { muster in
            let settings =
                Self.slowFights + ["instance.slots=\(slots)", "allocator.free-slots-min=\(slots / 2)"]
                // None is ended for want of players or of time for heartbeats, or what it has played could not be told
                // from the other host's.
                + ["allocator.calm-seconds=86400", "allocator.silent-ms=20000", "allocator.dead-ms=60000"]
            // Either host has one, whatever the players do.
            try await muster.startAllocator(1, on: muster.game[0], regions: "eu", settings: settings)
            try await muster.startAllocator(
                2, on: muster.game[1], regions: "eu", settings: settings + ["allocator.instances-min=2"])
            let ending = try await muster.load([
                "--players", "\(players)", "--seconds", Self.isLong ? "180" : "6", "--modes", "duel", "--regions", "eu",
                "--drain", "180", "--require-finished", "0.95",
            ])
            #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
            if Self.isLong { print(ending.output) }
            let rows = try await MatchRow.all(in: muster.up.folder).values
            let finished = Dictionary(grouping: rows.filter { $0.state == .finished }, by: \.instance)
            for host in muster.game {
                // Also one whose heartbeat is late at this moment.
                let there = try await muster.fleet.list(Self.eu).instances
                    .filter { $0.host == host.address(.outside) }.map(\.instance)
                let count = there.reduce(0) { $0 + (finished[$1]?.count ?? 0) }
                #expect(count > 0, "host \(host.number) has played some")
                if Self.isLong { print("host \(host.number): \(count) matches on \(there.count) instances") }
            }
            try await muster.expectBooksBalance()
        }
    }

    @Test(
        "hosts cut off from Redis and the API for 30 s: fights go on, results count once, nothing new is sent there",
        .timeLimit(.minutes(20)))
    func cutOff() async throws {
        // No ingest yet: the streams then tell which fights have begun.
        // Passwords are hashed at a lower cost, so that the players come at once.
        let quick = ["--set", "password.scrypt.log-n=12", "--set", "password.scrypt.p=1"]
        try await withMusterOnHosts(games: 3, ["--ingest", "0"] + quick) { muster in
            let settings = Self.slowestFights + ["instance.slots=6", "allocator.free-slots-min=1"]
            let (lonely, neighbour, other) = (muster.game[0], muster.game[1], muster.game[2])
            try await muster.startAllocator(1, on: lonely, regions: "eu", settings: settings)
            try await muster.startAllocator(
                2, on: neighbour, regions: "eu", settings: settings + ["allocator.instances-min=2"])
            let beside = Set(try await muster.instances(on: neighbour, region: Self.eu))
            // The one host of its region: nobody else can take its instances for dead.
            try await muster.startAllocator(3, on: other, regions: "us", settings: settings)
            async let load = muster.load([
                "--players", "80", "--seconds", "10", "--drain", "300", "--modes", "duel", "--regions", "eu,us",
                "--require-finished", "0.95",
            ])
            let cut = try await fightsOn([lonely, other], muster)
            let begin = Instant.now
            try await NetworkHost.cut([lonely, other], .inside, for: .seconds(30))
            let end = begin + .seconds(30)
            // The results that wait are applied from now on.
            let ingest = try await muster.center.start(
                [try MusterUp.executable(), "ingest", "--redis", muster.server.url, "--data", muster.up.folder.path],
                log: muster.up.folder.file("ingest.log"))
            defer { ingest.end() }
            let ending = try await load
            #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
            try await expectEnds(of: cut, lonely: lonely, other: other, muster)
            try await expectNothingPlaced(on: cut[lonely.number]?.instances ?? [], from: begin, to: end, muster)
            let rows = try await MatchRow.all(in: muster.up.folder).values
            #expect(
                rows.contains { beside.contains($0.instance) && $0.state == .finished }, "the neighbour has played")
            try await muster.expectBooksBalance()
            for host in [lonely, other] {
                try await eventually(within: .seconds(180), "host \(host.number) takes matches again") {
                    try await !muster.instances(on: host, region: host.number == other.number ? Self.us : Self.eu)
                        .isEmpty
                }
            }
        }
    }

    // MARK: Steps

    /// What runs on a host at one moment.
    private struct Scene {
        var instances: Set<InstanceID>
        var fights: Set<MatchID>
    }

    /// Waits until some fights go on on each of the hosts; what is there then, by the host's number.
    private func fightsOn(_ hosts: [NetworkHost], _ muster: MusterOnHosts) async throws -> [Int: Scene] {
        var scenes: [Int: Scene] = [:]
        do {
            try await eventually(within: .seconds(180), "matches are fought on each host") {
                let running = try await Fights.running(muster.redis, muster.up.folder)
                let instances =
                    try await muster.fleet.list(Self.eu).instances + muster.fleet.list(Self.us).instances
                for host in hosts {
                    // Also those whose heartbeat is late at this moment.
                    let there = instances.filter { $0.host == host.address(.outside) }.map(\.instance)
                    scenes[host.number] = Scene(
                        instances: Set(there), fights: Set(running.filter { there.contains($0.instance) }.map(\.match)))
                }
                return scenes.values.allSatisfy { $0.fights.count >= 2 }
            }
        } catch {
            throw TestSupportError("\(error); last seen: \(scenes.mapValues { "\($0.fights.count) fights" })")
        }
        return scenes
    }

    /// Where a neighbour watched, the fights count as lost and their late results are refused; where nobody did, they
    /// are recorded once the cable is plugged in again. That each counted once or not at all, the audit holds.
    private func expectEnds(
        of cut: [Int: Scene], lonely: NetworkHost, other: NetworkHost, _ muster: MusterOnHosts
    ) async throws {
        let fights = cut.values.flatMap(\.fights)
        var rows: [MatchID: MatchRow] = [:]
        try await eventually(within: .seconds(180), "each fight has its end in the books") {
            rows = try await MatchRow.all(in: muster.up.folder)
            return fights.allSatisfy { [.finished, .abandoned].contains(rows[$0]?.state) }
        }
        for match in cut[other.number]?.fights ?? [] {
            #expect(rows[match]?.state == .finished, "\(match): \(rows[match]?.reason ?? "no reason")")
        }
        let lost = (cut[lonely.number]?.fights ?? []).filter { rows[$0]?.state == .abandoned }
        #expect(!lost.isEmpty, "the neighbour noticed the silence")
        for match in lost { #expect(rows[match]?.reason?.isEmpty == false, "it is said why") }
    }

    /// An instance that is silent gets no match once its silence was noticed.
    private func expectNothingPlaced(
        on instances: Set<InstanceID>, from begin: Instant, to end: Instant, _ muster: MusterOnHosts
    ) async throws {
        let noticed = begin + muster.fleet.configuration.silentAfter + .seconds(10)
        let rows = try await MatchRow.all(in: muster.up.folder).values
        let late = rows.filter { instances.contains($0.instance) && $0.placedAt > noticed && $0.placedAt < end }
        #expect(late.isEmpty, "\(late.map(\.match))")
    }
}
