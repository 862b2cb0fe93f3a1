import Configuration
import Matchmaking
import Redis

/// What a ranker process is told: where Redis is, and how it keeps time.
///
/// Read from: `muster.redis.url` (text), `muster.health.port` (0…65535, 0 = any), `muster.health.host` (text),
/// `muster.ranker.lease-ms` (300…60000), `muster.ranker.tick-ms` (1…10000), `muster.ranker.band-tickets`
/// (100…10000000), `muster.matchmaking.rules` (path of a rules file; without one, the built-in rules).
public struct RankerConfiguration: Sendable, Equatable {
    public var redisURL = "redis://127.0.0.1:6379"
    public var healthHost = "127.0.0.1"
    /// 0 = any free one.
    public var healthPort = 0
    /// How long a silent ranker's pools stay with it, in ms. Renewed four times within it.
    public var leaseMs = 2_000
    /// The longest time between two matchings of a pool in which tickets wait, in ms.
    public var tickMs = 100
    /// With more waiting tickets than these for each of its rating bands, a pool is divided among more rankers.
    public var bandTickets = 20_000
    /// `nil`: the built-in rules.
    public var rulesFile: String?

    public init() {}

    public init(reader: ConfigReader) {
        redisURL = reader.string(forKey: "muster.redis.url", default: redisURL)
        healthHost = reader.string(forKey: "muster.health.host", default: healthHost)
        healthPort = reader.int(forKey: "muster.health.port", default: healthPort)
        leaseMs = reader.int(forKey: "muster.ranker.lease-ms", default: leaseMs)
        tickMs = reader.int(forKey: "muster.ranker.tick-ms", default: tickMs)
        bandTickets = reader.int(forKey: "muster.ranker.band-tickets", default: bandTickets)
        rulesFile = reader.string(forKey: "muster.matchmaking.rules")
    }

    /// Refuses what can't work, naming the setting.
    public func validate() throws {
        guard (0...65_535).contains(healthPort) else {
            throw RankerConfigurationError(key: "muster.health.port", reason: "\(healthPort) is not 0 to 65535")
        }
        guard (300...60_000).contains(leaseMs) else {
            throw RankerConfigurationError(key: "muster.ranker.lease-ms", reason: "\(leaseMs) is not 300 to 60000")
        }
        guard (1...10_000).contains(tickMs) else {
            throw RankerConfigurationError(key: "muster.ranker.tick-ms", reason: "\(tickMs) is not 1 to 10000")
        }
        guard (100...10_000_000).contains(bandTickets) else {
            throw RankerConfigurationError(
                key: "muster.ranker.band-tickets", reason: "\(bandTickets) is not 100 to 10000000")
        }
        _ = try RedisConfiguration(url: redisURL)
    }

    var timing: Ranker.Timing {
        Ranker.Timing(
            lease: .milliseconds(leaseMs), round: .milliseconds(leaseMs / 4), tick: .milliseconds(tickMs),
            deadlines: .milliseconds(250), bandTickets: bandTickets)
    }
}

/// A setting that can't work.
public struct RankerConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public let key: String
    public let reason: String

    public init(key: String, reason: String) {
        self.key = key
        self.reason = reason
    }

    public var description: String { "\(key): \(reason)" }
}
