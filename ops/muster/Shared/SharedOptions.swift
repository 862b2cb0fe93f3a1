import ArgumentParser
import Configuration
import Foundation
import Logging

/// The options that every subcommand takes. What is given here goes before the environment, and that before the
/// defaults.
struct SharedOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Redis: redis://host:port or unix:///path (MUSTER_REDIS_URL).", valueName: "url"))
    var redis: String?

    @Option(help: ArgumentHelp("Folder of the SQLite files and keys (MUSTER_DATA; .muster).", valueName: "folder"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Rules of matchmaking (MUSTER_MATCHMAKING_RULES; built-in ones, see 'muster rules').", valueName: "file"))
    var rules: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Any setting by its name, like instance.slots=20; repeatable.", valueName: "key=value"))
    var settings: [String] = []

    func validate() throws {
        if let logLevel, Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("'\(logLevel)' is no log level. Use trace, debug, info, notice, warning or error.")
        }
        for setting in settings where Self.split(setting) == nil {
            throw ValidationError("'\(setting)' is not of the form key=value, like instance.slots=20.")
        }
    }

    /// What the flags say, as environment variables: the form in which children get it, and in which text becomes
    /// numbers where a setting is one (a provider of typed values would refuse "20" for a number).
    var overrides: [String: String] {
        var values: [String: String] = [:]
        for setting in settings {
            guard let (key, value) = Self.split(setting) else { continue }
            values[Self.variable(key)] = value
        }
        if let redis { values["MUSTER_REDIS_URL"] = redis }
        if let data { values["MUSTER_DATA"] = data }
        // Absolute, for processes that are started elsewhere.
        if let rules { values["MUSTER_MATCHMAKING_RULES"] = URL(filePath: rules).path }
        if let logLevel { values["MUSTER_LOG_LEVEL"] = logLevel }
        return values
    }

    /// Flags, then environment.
    func reader() -> ConfigReader {
        ConfigReader(providers: [
            EnvironmentVariablesProvider(environmentVariables: overrides), EnvironmentVariablesProvider(),
        ])
    }

    /// The data folder in force.
    var dataFolder: String { reader().string(forKey: "muster.data", default: ".muster") }

    /// Where Redis is: as given, else that of a `muster up` that runs on the data folder, else the default.
    func redisURL() throws -> String {
        if let url = reader().string(forKey: "muster.redis.url") { return url }
        return try UpState.read(from: dataFolder)?.redisUrl ?? "redis://127.0.0.1:6379"
    }

    /// `instance.slots` and `muster.instance.slots` both name `MUSTER_INSTANCE_SLOTS`.
    static func variable(_ key: String) -> String {
        let full = key.hasPrefix("muster.") ? key : "muster.\(key)"
        return String(full.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    private static func split(_ setting: String) -> (key: String, value: String)? {
        guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else { return nil }
        return (String(setting[..<equals]), String(setting[setting.index(after: equals)...]))
    }
}
