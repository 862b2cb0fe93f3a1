import Fleet
import Foundation
import GRDB
import GameData
import GameModel
import Redis
import Synchronization
import TestSupport
import Testing

/// A Muster on several hosts: Redis, the API and the workers on the first; on each of the next an allocator with its
/// game instances; players on the last. Redis and the API are on the inside network, the game ports on the outside one.
///
/// Allocators write `data.sqlite`, so the hosts share its folder, as a network disk would; game instances reach the
/// house by the network alone.
final class MusterOnHosts: Sendable {
    let up: MusterUp
    let server: RedisServer
    let redis: RedisClient
    let center: NetworkHost
    /// The hosts of allocators and instances.
    let game: [NetworkHost]
    let players: NetworkHost
    /// Held, for a guarded process ends when nobody holds it.
    private let allocators = Mutex<[GuardedProcess]>([])

    init(up: MusterUp, server: RedisServer, redis: RedisClient, hosts: [NetworkHost]) {
        self.up = up
        self.server = server
        self.redis = redis
        center = hosts[0]
        game = Array(hosts.dropFirst().dropLast())
        players = hosts[hosts.count - 1]
    }

    var fleet: FleetService { FleetService(redis: redis) }
    private var apiPort: Int { 8_080 }

    /// Starts an allocator that keeps instances on its own host, and waits until so many of them take matches.
    func startAllocator(
        _ number: Int, on host: NetworkHost, regions: String, instances: Int = 1, settings: [String] = []
    ) async throws {
        let token = try String(contentsOfFile: up.folder.file("keys/instance.token"), encoding: .utf8)
        let given = [
            "allocator.regions=\(regions)", "api.url=http://\(center.address(.inside)):\(apiPort)",
            "instance.host=\(host.address(.outside))", "health.port=0",
        ]
        let process = try await host.start(
            [try MusterUp.executable(), "allocator", "--redis", server.tcpURL, "--data", up.folder.path]
                + (given + settings).flatMap { ["--set", $0] },
            log: up.folder.file("allocator-\(number).log"),
            environment: [
                "MUSTER_INSTANCE_TOKEN": token.trimmingCharacters(in: .whitespacesAndNewlines),
                // The instances end with the host, whoever kills it.
                "MUSTER_SUPERVISOR_PID": String(host.anchor),
            ])
        allocators.withLock { $0.append(process) }
        for region in regions.split(separator: ",") {
            try await eventually(within: .seconds(180), "\(instances) instances of \(region) run on \(host.number)") {
                try await self.instances(on: host, region: Region(String(region))).count >= instances
            }
        }
    }

    /// The instances on a host that take matches now.
    func instances(on host: NetworkHost, region: Region) async throws -> [InstanceID] {
        try await fleet.list(region).instances
            .filter { $0.host == host.address(.outside) && $0.freeSlots != nil }.map(\.instance)
    }

    /// Runs `muster load` on the players' host to its end.
    func load(_ arguments: [String]) async throws -> MusterUp.Ending {
        try await players.run(
            [try MusterUp.executable(), "load", "--api", "http://\(center.address(.outside)):\(apiPort)"]
                + ["--no-progress"] + arguments)
    }

    /// The books agree once all that was open has settled.
    func expectBooksBalance() async throws {
        let audit = try await up.muster(["audit", "--wait", "120"])
        #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
    }

    /// The last lines of everything's log.
    func logs() -> String {
        let files = game.indices.map { "allocator-\($0 + 1).log" }
        let texts = files.map { name in
            let text = FileManager.default.contents(atPath: up.folder.file(name)) ?? Data()
            return "\(name):\n"
                + String(decoding: text, as: UTF8.self).split(separator: "\n").suffix(40).joined(separator: "\n")
        }
        return texts.joined(separator: "\n")
    }
}

/// Runs the body with a Muster on `games` hosts for instances, one for all else and one for players.
/// - Parameter arguments: of the `muster up` on the first host, which starts no allocator.
func withMusterOnHosts(
    games: Int, _ arguments: [String] = [], isolation: isolated (any Actor)? = #isolation,
    _ body: (MusterOnHosts) async throws -> Void
) async throws {
    try await withNetworkHosts(games + 2) { hosts in
        let server = try await RedisServer.start(on: hosts[0])
        defer { server.stop() }
        // All players come from one address, which is no strangers' here.
        let limits = ["log-ins", "registrations", "orders", "quotes", "exports", "others", "accounts-per-hour"]
            .flatMap { ["--set", "api.limits.\($0)=0"] }
        let own = ["--redis", server.url, "--host", "0.0.0.0", "--port", "8080", "--allocator", "0", "--ranker", "1"]
        try await withMuster(own + limits + arguments, on: hosts[0]) { up in
            try await withClient(try server.configuration()) { redis in
                let whole = MusterOnHosts(up: up, server: server, redis: redis, hosts: hosts)
                do {
                    try await body(whole)
                } catch {
                    throw TestSupportError("\(error)\n\(whole.logs())")
                }
                // While the API is there to be told, and before `muster up` looks for what is left.
                for host in whole.game { host.powerOff() }
            }
        }
    }
}

/// One row of the matches in `data.sqlite`.
struct MatchRow {
    let match: MatchID
    let instance: InstanceID
    let state: MatchRecord.State
    let placedAt: Instant
    let reason: String?

    /// All matches of a data folder, by their ids.
    static func all(in folder: TemporaryFolder) async throws -> [MatchID: MatchRow] {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let file = try DatabaseQueue(path: folder.file("data.sqlite"), configuration: configuration)
        let rows = try await file.read { db in
            try Row.fetchAll(db, sql: "SELECT match_id, instance_id, state, placed_at, reason FROM matches").map {
                MatchRow(
                    match: MatchID($0["match_id"]), instance: InstanceID($0["instance_id"]),
                    state: MatchRecord.State(rawValue: $0["state"]) ?? .placed,
                    placedAt: Instant(milliseconds: $0["placed_at"]), reason: $0["reason"])
            }
        }
        try file.close()
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.match, $0) })
    }
}

/// The fights that go on now, while no ingest empties the event streams: those that have begun and have no result yet.
enum Fights {
    static func running(_ redis: RedisClient, _ folder: TemporaryFolder) async throws -> [MatchRow] {
        var begun: Set<MatchID> = []
        for shard in 0..<GameDataKeys.shardCount {
            let key = RedisArgument(GameDataKeys.events(shard: shard))
            let reply = try await redis.send(RedisCommand("XRANGE", key, "-", "+"))
            for entry in reply.array ?? [] {
                guard let parts = entry.array, parts.count == 2, let text = parts[0].string,
                    let id = StreamEntryID(text), let fields = parts[1].array
                else { continue }
                let told = EventEntry(id: id, fields: fields.map { Array(($0.string ?? "").utf8) })
                for event in try told.events() where event.kind == "match_started" {
                    if let match = event.matchId { begun.insert(match) }
                }
            }
        }
        return try await MatchRow.all(in: folder).values.filter { begun.contains($0.match) && $0.state == .placed }
    }
}
