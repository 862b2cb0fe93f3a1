import ArgumentParser
import Foundation
import GameModel
import Jobs
import Redis

/// `muster doctor`: is this Redis fit for queues, and do they move?
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check Redis and the queues on it; each finding comes with its remedy.",
        discussion: """
            Looks at version, eviction, memory, persistence, replicas, latency, clock, scripts, rights, connections, \
            dead letters and live workers; of a cluster, at each master. Exits with 1 if there is a problem; a warning \
            is none. It changes nothing; the scripts that it has Redis compile are those that workers load.

            Example:
              muster doctor
              muster doctor --redis redis-cluster://10.0.0.5:6379 --queue mails --json
            """)

    @OptionGroup var shared: SharedOptions
    @Option(
        name: .customLong("queue"), parsing: .singleValue,
        help: ArgumentHelp("A queue besides those of the house; repeatable.", valueName: "name"))
    var queues: [String] = []
    @Option(help: ArgumentHelp("How long to look at each server.", valueName: "seconds")) var seconds = 1.0
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard seconds >= 0.1, seconds <= 60 else { throw ValidationError("--seconds takes 0.1 to 60.") }
        for queue in queues where QueueName(rawValue: queue) == nil {
            throw ValidationError("'\(queue)' is no name of a queue: 1 to 64 of a-z, 0-9, ':', '-', '.' and '_'.")
        }
    }

    func run() async throws {
        let findings = try await look(at: try shared.redisURL())
        let report = DoctorReport(at: Instant.now.milliseconds, findings: findings)
        let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        print(json ? try report.json() : report.text(isColored: isatty(STDOUT_FILENO) == 1 && noColor.isEmpty))
        if report.problems > 0 { throw ExitCode.failure }
    }

    private func look(at url: String) async throws -> [DoctorFinding] {
        let reader = DoctorReader(period: .seconds(seconds))
        let configuration = try RedisConnection.configuration(url: url)
        var names = try shared.queues()
        for name in queues.map({ QueueName($0) }) where !names.contains(name) { names.append(name) }
        let all = names
        return try await RedisConnection.with(url: url) { redis in
            var before: [QueueName: Int] = [:]
            for name in all { before[name] = try await reader.queue(name, redis).buried }
            var findings = try await Self.servers(redis, configuration, reader).flatMap { ServerChecks.all($0) }
            var read: [QueueReading] = []
            for name in all {
                var (reading, buried) = try await reader.queue(name, redis)
                reading.buriedMeanwhile = max(0, buried - (before[name] ?? buried))
                read.append(reading)
            }
            findings += QueueChecks.all(read)
            return findings
        }
    }

    /// The one server, or each master of the cluster by a connection of its own.
    private static func servers(
        _ redis: RedisClient, _ configuration: RedisConfiguration, _ reader: DoctorReader
    ) async throws -> [ServerReading] {
        guard case .cluster(let seeds) = configuration.discovery, let seed = seeds.first else {
            return [try await reader.server(redis, address: "\(configuration.address)", isForCluster: false)]
        }
        var readings: [ServerReading] = []
        for address in try await reader.masters(redis, asked: seed) {
            var single = configuration
            single.discovery = .none
            single.address = address
            readings.append(
                try await RedisConnection.with(single, named: "\(address)") { node in
                    try await reader.server(node, address: "\(address)", isForCluster: true)
                })
        }
        guard !readings.isEmpty else {
            throw CommandFailure(
                "The cluster at \(seed) names no master, so there is none to look at.",
                nextStep: "Give its nodes their slots: redis-cli --cluster create, or --cluster fix \(seed).")
        }
        return readings
    }
}
