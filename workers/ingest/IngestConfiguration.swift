import Configuration
import GameModel

/// The settings of an ingest process. The defaults work on a laptop.
public struct IngestConfiguration: Sendable, Equatable {
    public var redisURL = "redis://127.0.0.1:6379"
    /// The folder with `data.sqlite`, `events.sqlite` and the days' files in `events`.
    public var dataFolder = ".muster"
    public var healthHost = "127.0.0.1"
    /// The port of /healthz, /readyz and /metrics; 0 takes any that is free.
    public var healthPort = 0
    /// How many results one transaction applies.
    public var resultsMax = 64
    public var events = EventIngestConfiguration()
    /// `nil`: the built-in rules.
    public var rulesFile: String?

    public init() {}

    /// Reads, each with the default above where it is absent:
    /// - `muster.redis.url`
    /// - `muster.data`
    /// - `muster.health.host`, `muster.health.port` (0 to 65535)
    /// - `muster.ingest.results-max` (1 to 1000)
    /// - `muster.ingest.batch-max` (1 to 5000 events; an entry's worth more, as none is divided)
    /// - `muster.ingest.linger-ms` (1 to 10000)
    /// - `muster.ingest.claim-idle-ms` (1000 to 600000)
    /// - `muster.ingest.retention-days` (1 to 3650), how many days that have events are kept
    /// - `muster.matchmaking.rules`, the path of a rules file
    /// - Throws: ``IngestConfigurationError`` naming the setting that is out of its range.
    public init(reader: ConfigReader) throws {
        self.init()
        redisURL = reader.string(forKey: "muster.redis.url", default: redisURL)
        dataFolder = reader.string(forKey: "muster.data", default: dataFolder)
        healthHost = reader.string(forKey: "muster.health.host", default: healthHost)
        healthPort = reader.int(forKey: "muster.health.port", default: healthPort)
        resultsMax = reader.int(forKey: "muster.ingest.results-max", default: resultsMax)
        events.batchMax = reader.int(forKey: "muster.ingest.batch-max", default: events.batchMax)
        events.linger = .milliseconds(
            reader.int(forKey: "muster.ingest.linger-ms", default: Int(events.linger.milliseconds)))
        events.claimIdle = .milliseconds(
            reader.int(forKey: "muster.ingest.claim-idle-ms", default: Int(events.claimIdle.milliseconds)))
        events.retentionDays = reader.int(
            forKey: "muster.ingest.retention-days", default: events.retentionDays)
        rulesFile = reader.string(forKey: "muster.matchmaking.rules")
        try validate()
    }

    /// - Throws: ``IngestConfigurationError`` naming the setting.
    public func validate() throws(IngestConfigurationError) {
        try Self.check("muster.health.port", healthPort, in: 0...65_535)
        try Self.check("muster.ingest.results-max", resultsMax, in: 1...1_000)
        try Self.check("muster.ingest.batch-max", events.batchMax, in: 1...5_000)
        try Self.check("muster.ingest.linger-ms", Int(events.linger.milliseconds), in: 1...10_000)
        try Self.check("muster.ingest.claim-idle-ms", Int(events.claimIdle.milliseconds), in: 1_000...600_000)
        try Self.check("muster.ingest.retention-days", events.retentionDays, in: 1...3_650)
    }

    private static func check(
        _ setting: String, _ value: Int, in range: ClosedRange<Int>
    ) throws(IngestConfigurationError) {
        guard range.contains(value) else {
            throw IngestConfigurationError(
                description: "\(setting) is \(value), and must be \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

/// A setting that is out of its range.
public struct IngestConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
}
