import Foundation
import GameModel
import Jobs
import Redis

/// Reads what the checks judge. It writes nothing but the scripts that every worker of this build loads too.
struct DoctorReader: Sendable {
    /// How long the PINGs are spread over.
    var period = Duration.seconds(1)
    var pings = 200

    /// Reads one server.
    ///
    /// - Throws: where the server does not answer; what it refuses is noted and passed over.
    func server(_ redis: RedisClient, address: String, isForCluster: Bool) async throws -> ServerReading {
        var reading = ServerReading(address: address, isForCluster: isForCluster)
        reading.info = Self.fields(try await redis.ask(["INFO"]).value?.string ?? "")
        reading.config = try await settings(redis)
        (reading.spikes, reading.slowlog) = try await slowMoments(redis)
        reading.scripts = try await scripts(redis)
        reading.rights = try await RightsReader(redis: redis).read()
        if reading.info["cluster_enabled"] == "1" {
            reading.cluster = Self.fields(try await redis.ask(["CLUSTER", "INFO"]).value?.string ?? "")
        }
        reading.clock = try await clock(redis)
        for _ in 0..<pings {
            let begin = ContinuousClock.now
            _ = try await redis.ask(["PING"])
            reading.pings.append(Int((ContinuousClock.now - begin).inSeconds * 1_000_000))
            try await Task.sleep(for: period / pings)
        }
        return reading
    }

    /// The masters of a cluster, as the client that speaks to it is told; a node that does not know its own host is
    /// where it was asked.
    func masters(
        _ redis: RedisClient, asked: RedisConfiguration.Address
    ) async throws -> [RedisConfiguration.Address] {
        var masters: [RedisConfiguration.Address] = []
        for range in try await redis.ask(["CLUSTER", "SLOTS"]).value?.array ?? [] {
            guard let parts = range.array, parts.count > 2, let node = parts[2].array, node.count > 1,
                let port = node[1].int
            else { continue }
            let host = node[0].string ?? ""
            let address = host.isEmpty ? asked : .tcp(host: host, port: port)
            if !masters.contains(address) { masters.append(address) }
        }
        return masters
    }

    /// Reads one queue; what fails is noted, unless it is that Redis is away.
    func queue(_ name: QueueName, _ redis: RedisClient) async throws -> (reading: QueueReading, buried: Int) {
        var reading = QueueReading(name: name.rawValue)
        let queue = JobQueue(name: name, redis: redis)
        do throws(JobError) {
            let counts = try await queue.counts()
            reading.enqueued = counts.enqueued
            reading.waiting = counts.waiting
            reading.laterOrLeased = counts.later + counts.leased
            reading.dead = counts.dead
            reading.oldestWaitingMs = counts.oldestWaitingMs
            let workers = try await JobWorkers(queue: queue).list(includingSilent: true)
            reading.running = workers.filter { $0.isLive && $0.worker.state == .running }.count
            reading.resting = workers.filter { $0.isLive && $0.worker.state != .running }.count
            reading.silent = workers.filter { !$0.isLive }.count
            return (reading, counts.buried)
        } catch {
            // A refusal that may pass, as a replica's, is what the doctor came for; no reply at all is not.
            guard case .redis(.server(let text)) = error else {
                if error.isOutage { throw error }
                reading.failure = "\(error)"
                return (reading, 0)
            }
            reading.failure = text
        }
        return (reading, 0)
    }

    private static let settingNames = [
        "maxmemory-policy", "appendfsync", "save", "client-output-buffer-limit", "maxclients",
        "latency-monitor-threshold", "stop-writes-on-bgsave-error", "min-replicas-to-write",
    ]

    /// Asked for one by one: together they can be only from 7.0 on.
    private func settings(_ redis: RedisClient) async throws -> [String: String]? {
        var settings: [String: String]?
        for reply in try await redis.pipeline(Self.settingNames.map { ["CONFIG", "GET", RedisArgument($0)] }) {
            guard let pair = reply.array else { continue }
            settings = settings ?? [:]
            if pair.count == 2, let name = pair[0].string { settings?[name] = pair[1].string }
        }
        return settings
    }

    private func slowMoments(
        _ redis: RedisClient
    ) async throws -> (spikes: [ServerReading.Spike]?, log: ServerReading.Slowlog?) {
        let replies = try await redis.pipeline([
            ["LATENCY", "LATEST"], ["SLOWLOG", "LEN"], ["SLOWLOG", "GET", 10], ["TIME"],
        ])
        let now = replies[3].array?.first?.int ?? Int(Instant.now.milliseconds / 1000)
        let spikes = replies[0].array?.compactMap { reply -> ServerReading.Spike? in
            guard let fields = reply.array, fields.count >= 4, let event = fields[0].string, let at = fields[1].int,
                let latest = fields[2].int, let highest = fields[3].int
            else { return nil }
            return .init(event: event, secondsAgo: now - at, latestMs: latest, highestMs: highest)
        }
        guard let count = replies[1].int, let entries = replies[2].array else { return (spikes, nil) }
        var log = ServerReading.Slowlog(count: count)
        for entry in entries {
            guard let fields = entry.array, fields.count >= 4, let at = fields[1].int, let time = fields[2].int,
                let command = fields[3].array?.first?.string, time > log.worst?.microseconds ?? -1
            else { continue }
            log.worst = (command, time, now - at)
        }
        return (spikes, log)
    }

    /// Has the server compile each script, and compares the name that it gives it.
    private func scripts(_ redis: RedisClient) async throws -> ServerReading.Scripts {
        let all = JobScripts.all
        var scripts = ServerReading.Scripts(total: all.count)
        let known = try await redis.ask(RedisCommand(["SCRIPT", "EXISTS"] + all.map { RedisArgument($0.sha1) }))
        switch known {
        case .refused(let text):
            scripts.refusal = text
            return scripts
        case .answered(let reply):
            scripts.known = reply.array?.filter { $0.int == 1 }.count ?? 0
        }
        let replies = try await redis.pipeline(all.map { ["SCRIPT", "LOAD", RedisArgument($0.source)] })
        for (script, reply) in zip(all, replies) {
            if case .error(let text) = reply {
                scripts.failures[script.name] = text
            } else if reply.string != script.sha1 {
                scripts.failures[script.name] = "it is named \(reply.string ?? "nothing") in place of \(script.sha1)"
            }
        }
        return scripts
    }

    /// Of several questions the one with the shortest round trip says most.
    private func clock(_ redis: RedisClient) async throws -> ServerReading.Clock? {
        var best: ServerReading.Clock?
        for _ in 0..<10 {
            let before = Date().timeIntervalSince1970
            let reply = try await redis.ask(["TIME"]).value?.array
            let after = Date().timeIntervalSince1970
            guard let reply, reply.count == 2, let seconds = reply[0].double, let micros = reply[1].double else {
                return nil
            }
            let half = (after - before) / 2
            guard half >= 0, half * 1000 < best?.uncertaintyMs ?? .infinity else { continue }
            let there = seconds + micros / 1_000_000
            best = .init(offsetMs: (there - (before + half)) * 1000, uncertaintyMs: half * 1000)
        }
        return best
    }

    /// From lines `name:value`, those of `INFO` and `CLUSTER INFO`.
    static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        return fields
    }
}

/// What a server says to a question: its answer, or why it gives none.
enum DoctorAnswer: Sendable {
    case answered(RESPValue)
    case refused(String)

    var value: RESPValue? {
        if case .answered(let value) = self { value } else { nil }
    }
}

extension RedisClient {
    /// Asks what may be refused; throws only where there is no reply.
    func ask(_ command: RedisCommand) async throws -> DoctorAnswer {
        var command = command
        command.isSafeToRepeat = true
        do {
            return .answered(try await send(command))
        } catch RedisError.server(let text) {
            return .refused(text)
        }
    }
}
