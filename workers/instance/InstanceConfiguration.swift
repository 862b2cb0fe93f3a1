import Configuration
import Foundation
import GameModel
import Logging
import MusterInstance

/// What one game server process is told at its start.
public struct InstanceConfiguration: Equatable, Sendable {
    /// Its name: `region.ULID`. A new one at each start, unless given.
    public var instance: InstanceID
    public var region = Region("eu")
    /// The address that players are told.
    public var host = "127.0.0.1"
    /// The address that it listens on.
    public var bindHost = "127.0.0.1"
    /// The port that it listens on; 0 = any.
    public var port = 0
    /// Matches at once.
    public var slots = 50
    /// The version of the game that it runs.
    public var build = "1"
    /// Matches after which it makes place for a new instance; 0 = never.
    public var matchesMax = 0
    /// The API that it reports to.
    public var apiURL = "http://127.0.0.1:8080"
    /// Its token for the API, role `instance`.
    public var token = ""
    /// Where results wait that the API has not taken yet.
    public var dataFolder = ".muster"
    /// The process whose end ends this one too.
    public var supervisor: Int32?
    /// The port of the sidecar that Agones puts beside a game server; `nil`: it is not on such a cluster.
    public var agonesPort: Int?
    /// Which of the game server's ports players are told, by its name; `nil`: the first.
    public var agonesPortName: String?
    /// The port of `/healthz`, `/readyz`, `/metrics`; 0 = any.
    public var healthPort = 0
    /// How long a running match may go on after a stop was asked for.
    public var stopGrace: Duration = .seconds(10)
    public var logLevel: Logger.Level = .info
    public var play = PlayRules()
    public var limits = ConnectionLimits()

    /// How a match of the reference game runs.
    public struct PlayRules: Equatable, Sendable {
        /// The game's heartbeat in real time.
        public var tick: Duration = .milliseconds(100)
        /// Ticks after which the side with more health left wins. 30 ticks of 100 ms: 3 s.
        public var ticksMax = 30
        /// Every so many ticks the players are sent the state.
        public var stateEvery = 5
        /// How long the first player waits for the others; who is absent then stands still.
        public var joinWait: Duration = .seconds(10)
        /// How long a player who is gone may come back before the seat is offered to others.
        public var backfillAfter: Duration = .seconds(2)
        /// How often a room looks for open seats, and asks for its roster at most.
        public var backfillInterval: Duration = .milliseconds(500)
        /// After how long a room asks for the same seats again: a request ends when it waited too long, was lost with
        /// Redis, or was answered by players who never came.
        public var backfillAgain: Duration = .seconds(5)

        public init() {}
    }

    /// What one connection, and all together, may cost.
    public struct ConnectionLimits: Equatable, Sendable {
        /// How long a connection may go without having joined.
        public var handshake: Duration = .seconds(5)
        /// How many connections of one address may be there without having joined. Players of one house or carrier
        /// share an address.
        public var unjoinedMax = 256
        public var frameBytesMax = 4_096
        /// How long a frame may take from its first byte to its last.
        public var frameTime: Duration = .seconds(5)
        /// Bytes waiting to be sent to one player; past it the player is dropped.
        public var writeBytesMax = 65_536
        public var connectionsMax = 8_192

        public init() {}
    }

    public init(instance: InstanceID? = nil, region: Region = Region("eu")) {
        self.region = region
        self.instance = instance ?? InstanceID("\(region).\(ULID())")
    }

    /// Reads, with type, default and range:
    /// `muster.instance.region` (text, eu), `.id` (text, region.ULID), `.host` (text, 127.0.0.1), `.bind` (text, as
    /// host),
    /// `.port` (0…65535, 0), `.slots` (1…1000, 50), `.build` (text, 1), `.matches-max`
    /// (0…1000000, 0), `.unjoined-max` (1…8192, 256), `.token` (secret), `.tick-ms` (1…1000, 100),
    /// `.ticks-max` (1…36000, 30), `.join-wait-ms` (1…600000, 10000), `.stop-grace-seconds` (0…3600, 10);
    /// `muster.api.url`, `muster.data`, `muster.supervisor.pid`, `muster.health.port`, `muster.log.level`;
    /// `agones.sdk.http.port` (set by Agones, none), `muster.agones.port` (a port's name, the first).
    public init(reader: ConfigReader) throws {
        let region = Region(reader.string(forKey: "muster.instance.region", default: "eu"))
        let name = reader.string(forKey: "muster.instance.id").map { InstanceID($0) }
        self.init(instance: name, region: region)
        host = reader.string(forKey: "muster.instance.host", default: host)
        bindHost = reader.string(forKey: "muster.instance.bind", default: host)
        port = reader.int(forKey: "muster.instance.port", default: port)
        slots = reader.int(forKey: "muster.instance.slots", default: slots)
        build = reader.string(forKey: "muster.instance.build", default: build)
        matchesMax = reader.int(forKey: "muster.instance.matches-max", default: matchesMax)
        token = reader.string(forKey: "muster.instance.token", isSecret: true, default: token)
        play.tick = .milliseconds(reader.int(forKey: "muster.instance.tick-ms", default: 100))
        play.ticksMax = reader.int(forKey: "muster.instance.ticks-max", default: play.ticksMax)
        play.joinWait = .milliseconds(reader.int(forKey: "muster.instance.join-wait-ms", default: 10_000))
        limits.unjoinedMax = reader.int(forKey: "muster.instance.unjoined-max", default: limits.unjoinedMax)
        stopGrace = .seconds(reader.int(forKey: "muster.instance.stop-grace-seconds", default: 10))
        apiURL = reader.string(forKey: "muster.api.url", default: apiURL)
        dataFolder = reader.string(forKey: "muster.data", default: dataFolder)
        supervisor = reader.int(forKey: "muster.supervisor.pid").flatMap { Int32(exactly: $0) }
        agonesPort = reader.int(forKey: "agones.sdk.http.port")
        agonesPortName = reader.string(forKey: "muster.agones.port")
        healthPort = reader.int(forKey: "muster.health.port", default: healthPort)
        let level = reader.string(forKey: "muster.log.level", default: logLevel.rawValue)
        guard let level = Logger.Level(rawValue: level) else {
            throw InstanceConfigurationError(key: "muster.log.level", reason: "'\(level)' is no level")
        }
        logLevel = level
        try validate()
    }

    /// Refuses what can't work, naming the key.
    public func validate() throws(InstanceConfigurationError) {
        func hold(_ condition: Bool, _ key: String, _ reason: String) throws(InstanceConfigurationError) {
            if !condition { throw InstanceConfigurationError(key: key, reason: reason) }
        }
        try hold(Pool.isName(region.rawValue), "muster.instance.region", "'\(region)' is no region's name")
        try hold(
            instance.rawValue.hasPrefix("\(region)."), "muster.instance.id",
            "'\(instance)' must begin with '\(region).'")
        try hold(
            instance.rawValue.utf8.allSatisfy { $0 != UInt8(ascii: "/") }, "muster.instance.id",
            "'\(instance)' must not contain '/'")
        try hold((0...65_535).contains(port), "muster.instance.port", "\(port) is not within 0 to 65535")
        try hold((1...1_000).contains(slots), "muster.instance.slots", "\(slots) is not within 1 to 1000")
        try hold(
            (1...limits.connectionsMax).contains(limits.unjoinedMax), "muster.instance.unjoined-max",
            "\(limits.unjoinedMax) is not within 1 to \(limits.connectionsMax)")
        try hold(
            (0...1_000_000).contains(matchesMax), "muster.instance.matches-max",
            "\(matchesMax) is not within 0 to 1000000")
        try hold(
            (1...36_000).contains(play.ticksMax), "muster.instance.ticks-max",
            "\(play.ticksMax) is not within 1 to 36000")
        try hold(
            play.tick >= .milliseconds(1) && play.tick <= .seconds(1), "muster.instance.tick-ms", "must be 1 to 1000")
        try hold(
            play.joinWait > .zero && play.joinWait <= .seconds(600), "muster.instance.join-wait-ms",
            "must be 1 to 600000")
        try hold(stopGrace >= .zero, "muster.instance.stop-grace-seconds", "must not be negative")
        try hold(
            URL(string: apiURL)?.host != nil, "muster.api.url", "'\(apiURL)' is no URL like http://127.0.0.1:8080")
    }
}

extension InstanceConfiguration {
    /// What of it the fleet is told, and where to tell it.
    var client: InstanceClient.Configuration {
        var client = InstanceClient.Configuration(instance: instance, region: region)
        client.host = host
        client.slots = slots
        client.build = build
        client.apiURL = apiURL
        client.token = token
        client.dataFolder = dataFolder
        client.matchesMax = matchesMax == 0 ? nil : matchesMax
        return client
    }
}

/// A setting that can't work.
public struct InstanceConfigurationError: Error, Sendable, CustomStringConvertible {
    public let key: String
    public let reason: String
    public var description: String { "\(key): \(reason)" }
}
