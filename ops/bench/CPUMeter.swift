import Foundation
import GameModel
import Redis

/// The CPU time that the server and this process have used up to a moment, and the server's memory.
struct CPUMeter: Sendable {
    /// In µs, user and system together, all threads.
    let redis: Double
    let client: Double
    /// `used_memory`, in bytes.
    let memory: Double
    let instant = ContinuousClock.now

    /// Reads both now.
    static func read(_ client: RedisClient) async throws -> CPUMeter {
        let cpu = try await info(client, "cpu")
        let memory = try await info(client, "memory")
        return CPUMeter(
            redis: ((cpu["used_cpu_user"] ?? 0) + (cpu["used_cpu_sys"] ?? 0)) * 1e6,
            client: ownMicros(), memory: memory["used_memory"] ?? 0)
    }

    /// The CPU time of this process so far, in µs.
    static func ownMicros() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return micros(usage.ru_utime) + micros(usage.ru_stime)
    }

    private init(redis: Double, client: Double, memory: Double) {
        self.redis = redis
        self.client = client
        self.memory = memory
    }

    /// The seconds from here to a later reading.
    func seconds(to later: CPUMeter) -> Double { (later.instant - instant).inSeconds }

    private static func info(_ client: RedisClient, _ section: String) async throws -> [String: Double] {
        let text = try await client.send(RedisCommand("INFO", RedisArgument(section))).expectString()
        var fields: [String: Double] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let sides = line.split(separator: ":")
            if sides.count == 2, let number = Double(sides[1]) { fields[String(sides[0])] = number }
        }
        return fields
    }

    private static func micros(_ time: timeval) -> Double { Double(time.tv_sec) * 1e6 + Double(time.tv_usec) }
}
