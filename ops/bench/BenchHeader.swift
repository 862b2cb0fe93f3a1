import Foundation
import Redis

/// Under which conditions the figures were measured.
struct BenchHeader: Sendable, Encodable {
    let version: String
    /// In words: "AOF everysec", "snapshots", "none"; "unknown" where the server does not say (`CONFIG` is refused).
    let persistence: String
    let cores: Int
    let build: String

    static func read(_ redis: RedisClient) async throws -> BenchHeader {
        let info = try await redis.send(RedisCommand("INFO", "server")).expectString()
        let version = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
        #if DEBUG
            let build = "debug build: not for comparing"
        #else
            let build = "release build"
        #endif
        return BenchHeader(
            version: version.map { String($0.dropFirst(14)) } ?? "?", persistence: await persistence(redis),
            cores: ProcessInfo.processInfo.activeProcessorCount, build: build)
    }

    var line: String { "redis-server \(version) · persistence: \(persistence) · \(cores) cores · \(build)" }

    private static func persistence(_ redis: RedisClient) async -> String {
        do {
            let reply = try await redis.send(RedisCommand("CONFIG", "GET", "append*")).expectFields()
            if reply["appendonly"]?.string == "yes" { return "AOF \(reply["appendfsync"]?.string ?? "?")" }
            let save = try await redis.send(RedisCommand("CONFIG", "GET", "save")).expectFields()
            return save["save"]?.string?.isEmpty ?? true ? "none" : "snapshots"
        } catch {
            return "unknown"
        }
    }
}
