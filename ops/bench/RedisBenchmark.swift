import Foundation
import Redis

/// `redis-benchmark` against the same server: what the machine can do at most. Answers `nil` where it can't be used:
/// it is not installed, or the server wants a password, TLS, or is found by sentinels or in a cluster.
struct RedisBenchmark: Sendable {
    struct Result: Sendable {
        let perSecond: Double
        /// In µs.
        let mean: Double
        let p99: Double
    }

    private let place: [String]

    init?(_ configuration: RedisConfiguration) {
        guard configuration.password == nil, configuration.tls == nil, configuration.discovery == .none else {
            return nil
        }
        switch configuration.address {
        case .tcp(let host, let port): place = ["-h", host, "-p", String(port)]
        case .unix(let path): place = ["-s", path]
        }
    }

    /// - Parameters:
    ///   - clients: connections, each with `pipeline` commands under way.
    ///   - count: commands in all.
    func run(_ command: [String], clients: Int, pipeline: Int = 1, count: Int) async throws -> Result? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["redis-benchmark"] + place
            + ["-c", String(clients), "-P", String(pipeline), "-n", String(count), "--csv"] + command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        // "test","rps","avg_latency_ms","min_latency_ms","p50…","p95…","p99…","max…", then the row.
        guard let row = text.split(separator: "\n").last else { return nil }
        let numbers = row.split(separator: "\",\"").dropFirst().compactMap { Double($0.filter { $0 != "\"" }) }
        guard numbers.count == 7 else { return nil }
        return Result(perSecond: numbers[0], mean: numbers[1] * 1000, p99: numbers[5] * 1000)
    }
}
