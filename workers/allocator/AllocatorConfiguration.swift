import Configuration
import Fleet
import Foundation
import GameModel
import Jobs
import Logging
import Matchmaking

/// What an allocator is told at its start.
public struct AllocatorConfiguration: Equatable, Sendable {
    public var redisURL = "redis://127.0.0.1:6379"
    /// The folder of `data.sqlite`.
    public var dataFolder = ".muster"
    /// The regions whose matches it places and whose instances it starts; `nil`: all that are played in when it starts.
    public var regions: [Region]?
    /// Instances that each region has at least.
    public var instancesMin = 1
    /// Instances that each region has at most.
    public var instancesMax = 16
    /// Slots kept free in each region; with fewer, another instance is started.
    public var freeSlotsMin = 10
    /// Matches after which an instance is replaced by a new one; 0: never.
    public var matchesMax = 0
    /// How long there must be too much room before an instance is drained for it.
    public var calmTime: Duration = .seconds(60)
    /// The build that it starts in regions which have no target (`muster fleet update`); `nil`: the program's own.
    public var build: String?
    /// Slots of each instance that it starts.
    public var slots = 50
    /// How many placements run at once in each pool.
    public var concurrency = 32
    /// What instances are told: the API, their token, their address.
    public var apiURL = "http://127.0.0.1:8080"
    public var instanceToken = ""
    public var instanceHost = "127.0.0.1"
    /// What else its instances are told: settings of theirs, by the names of their environment variables. Those that
    /// the allocator itself decides, like port and token, are not changed by this.
    public var instanceSettings: [String: String] = [:]
    /// The program that runs instances; by default this one.
    public var executable = ProcessDriverConfiguration.thisProgram
    /// Where instances' output goes, one file each; `nil` for standard error.
    public var instanceLogFolder: String?
    /// The process whose end ends the instances too.
    public var supervisor: Int32?
    /// How long its instances may take to finish their matches when it stops.
    public var stopGrace: Duration = .seconds(12)
    /// The port of `/healthz`, `/readyz`, `/metrics`; 0 = any.
    public var healthPort = 0
    public var logLevel: Logger.Level = .info
    public var fleet = FleetConfiguration()
    /// By what means instances run, and where players reach them.
    public var drivers = DriverSettings()
    /// `nil`: the built-in rules.
    public var rulesFile: String?

    public init() {}

    /// Reads, with type, default and range:
    /// `muster.allocator.regions` (list of text, all of the rules), `.instances-min` (0…1000, 1), `.instances-max`
    /// (1…1000, 16),
    /// `.free-slots-min` (0…100000, 10), `.concurrency` (1…1000, 32), `.matches-max` (0…1000000, 0 = never),
    /// `.calm-seconds` (0…86400, 60), `.silent-ms` (1500…600000, 2500), `.dead-ms` (`.silent-ms`…600000, 4000),
    /// `.strategy` (list of `pack`, `spread` or `region=pack`, `region=spread`; pack),
    /// `.executable` (text, this program),
    /// `.instance-logs` (folder, none), `.stop-grace-seconds` (0…3600, 12);
    /// `muster.instance.slots` (1…1000, 50), `.build` (text, any), `.token` (secret), `.host` (text, 127.0.0.1);
    /// `muster.redis.url`,
    /// `muster.data`, `muster.api.url`, `muster.supervisor.pid`, `muster.health.port`, `muster.log.level`,
    /// `muster.matchmaking.rules` (path of a rules file, the built-in rules); and what ``DriverSettings`` reads.
    public init(reader: ConfigReader) throws {
        redisURL = reader.string(forKey: "muster.redis.url", default: redisURL)
        dataFolder = reader.string(forKey: "muster.data", default: dataFolder)
        regions = reader.stringArray(forKey: "muster.allocator.regions")?
            .map { Region($0.trimmingCharacters(in: .whitespaces)) }
        instancesMin = reader.int(forKey: "muster.allocator.instances-min", default: instancesMin)
        instancesMax = reader.int(forKey: "muster.allocator.instances-max", default: instancesMax)
        freeSlotsMin = reader.int(forKey: "muster.allocator.free-slots-min", default: freeSlotsMin)
        concurrency = reader.int(forKey: "muster.allocator.concurrency", default: concurrency)
        matchesMax = reader.int(forKey: "muster.allocator.matches-max", default: matchesMax)
        calmTime = .seconds(reader.int(forKey: "muster.allocator.calm-seconds", default: 60))
        fleet.silentAfter = .milliseconds(
            reader.int(forKey: "muster.allocator.silent-ms", default: Int(fleet.silentAfter.milliseconds)))
        fleet.deadAfter = .milliseconds(
            reader.int(forKey: "muster.allocator.dead-ms", default: Int(fleet.deadAfter.milliseconds)))
        build = reader.string(forKey: "muster.instance.build")
        try readStrategies(reader.stringArray(forKey: "muster.allocator.strategy") ?? [])
        executable = reader.string(forKey: "muster.allocator.executable", default: executable)
        instanceLogFolder = reader.string(forKey: "muster.allocator.instance-logs")
        stopGrace = .seconds(reader.int(forKey: "muster.allocator.stop-grace-seconds", default: 12))
        slots = reader.int(forKey: "muster.instance.slots", default: slots)
        instanceToken = reader.string(forKey: "muster.instance.token", isSecret: true, default: instanceToken)
        instanceHost = reader.string(forKey: "muster.instance.host", default: instanceHost)
        apiURL = reader.string(forKey: "muster.api.url", default: apiURL)
        supervisor = reader.int(forKey: "muster.supervisor.pid").flatMap { Int32(exactly: $0) }
        healthPort = reader.int(forKey: "muster.health.port", default: healthPort)
        let level = reader.string(forKey: "muster.log.level", default: logLevel.rawValue)
        guard let level = Logger.Level(rawValue: level) else {
            throw AllocatorConfigurationError(key: "muster.log.level", reason: "'\(level)' is no level")
        }
        logLevel = level
        rulesFile = reader.string(forKey: "muster.matchmaking.rules")
        drivers = try DriverSettings(reader: reader)
        try validate()
    }

    /// `spread` for all regions, `eu=spread` for one.
    private mutating func readStrategies(_ items: [String]) throws(AllocatorConfigurationError) {
        for item in items {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard let strategy = parts.last.flatMap(AllocationStrategy.init(rawValue:)), parts.count <= 2 else {
                throw AllocatorConfigurationError(
                    key: "muster.allocator.strategy",
                    reason: "'\(item)' is not pack, spread, region=pack or region=spread")
            }
            if parts.count == 2 {
                fleet.strategies[Region(parts[0])] = strategy
            } else {
                fleet.strategy = strategy
            }
        }
    }

    /// Refuses what can't work, naming the key.
    public func validate() throws(AllocatorConfigurationError) {
        func hold(_ condition: Bool, _ key: String, _ reason: String) throws(AllocatorConfigurationError) {
            if !condition { throw AllocatorConfigurationError(key: "muster.\(key)", reason: reason) }
        }
        let regions = regions ?? []
        try hold(self.regions == nil || !regions.isEmpty, "allocator.regions", "names no region")
        for region in regions {
            try hold(Pool.isName(region.rawValue), "allocator.regions", "'\(region)' is no region's name")
        }
        try hold(Set(regions).count == regions.count, "allocator.regions", "names a region twice")
        try hold((0...1_000).contains(instancesMin), "allocator.instances-min", "\(instancesMin) is not 0 to 1000")
        try hold(
            (max(1, instancesMin)...1_000).contains(instancesMax), "allocator.instances-max",
            "\(instancesMax) is not \(max(1, instancesMin)) to 1000")
        try hold(
            (0...100_000).contains(freeSlotsMin), "allocator.free-slots-min", "\(freeSlotsMin) is not 0 to 100000")
        try hold((1...1_000).contains(concurrency), "allocator.concurrency", "\(concurrency) is not 1 to 1000")
        try hold(
            (1...FleetConfiguration.slotsMax).contains(slots), "instance.slots",
            "\(slots) is not 1 to \(FleetConfiguration.slotsMax)")
        try hold(
            (0...1_000_000).contains(matchesMax), "allocator.matches-max", "\(matchesMax) is not 0 to 1000000")
        try hold(
            (.zero ... .seconds(86_400)).contains(calmTime), "allocator.calm-seconds",
            "\(calmTime) is not 0 to 86400 seconds")
        let (silent, dead) = (fleet.silentAfter.milliseconds, fleet.deadAfter.milliseconds)
        try hold((1_500...600_000).contains(silent), "allocator.silent-ms", "\(silent) is not 1500 to 600000")
        try hold((silent...600_000).contains(dead), "allocator.dead-ms", "\(dead) is not \(silent) to 600000")
        if let build {
            try hold(InstanceHeartbeat.isBuild(build), "instance.build", "expected 1 to 64 visible characters")
        }
        try hold(stopGrace >= .zero, "allocator.stop-grace-seconds", "must not be negative")
        try drivers.validate()
    }

    /// The time for all to stop: the placements that run, then the instances' matches, then the rest.
    var gracefulShutdownMax: Duration { JobWorkerConfiguration().stopGrace + stopGrace + .seconds(10) }

    /// How the process driver starts this allocator's instances.
    var driver: ProcessDriverConfiguration {
        var driver = ProcessDriverConfiguration(executable: executable)
        driver.logFolder = instanceLogFolder
        driver.logBytesMax = drivers.logMiB << 20
        driver.logsKept = drivers.logsKept
        driver.notesFolder = drivers.notesFolder ?? "\(dataFolder)/instances"
        driver.ports = drivers.ports
        driver.limits = drivers.limits
        let own = [
            "MUSTER_API_URL": apiURL, "MUSTER_INSTANCE_TOKEN": instanceToken,
            "MUSTER_INSTANCE_HOST": drivers.host ?? instanceHost,
            "MUSTER_DATA": dataFolder, "MUSTER_LOG_LEVEL": logLevel.rawValue,
            // The allocator's own ports are taken.
            "MUSTER_HEALTH_PORT": "0", "MUSTER_INSTANCE_PORT": "0",
        ]
        driver.environment = instanceSettings.merging(own) { _, own in own }
        if let bind = drivers.bind { driver.environment["MUSTER_INSTANCE_BIND"] = bind }
        if let supervisor { driver.environment["MUSTER_SUPERVISOR_PID"] = String(supervisor) }
        return driver
    }
}

/// A setting that can't work.
public struct AllocatorConfigurationError: Error, Sendable, CustomStringConvertible {
    public let key: String
    public let reason: String
    public var description: String { "\(key): \(reason)" }
}
