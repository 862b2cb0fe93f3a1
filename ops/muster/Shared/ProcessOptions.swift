import ArgumentParser
import Configuration
import Foundation
import Logging
import Telemetry

/// What every long-running process of this executable does before its own work: logging, metrics, and ending with its
/// supervisor.
struct ProcessOptions: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    @Option(help: ArgumentHelp("text or json (MUSTER_LOG_FORMAT).", valueName: "format"))
    var logFormat: String?

    func validate() throws {
        if let logFormat, logFormat != "text", logFormat != "json" {
            throw ValidationError("--log-format takes text or json, not '\(logFormat)'.")
        }
    }

    /// How much is logged and in which form; throws where a setting names no such thing.
    @discardableResult
    static func readLogging(_ reader: ConfigReader) throws -> (Logger.Level, Log.Format) {
        let level = reader.string(forKey: "muster.log.level", default: "info")
        let format = reader.string(forKey: "muster.log.format", default: "text")
        guard let level = Logger.Level(rawValue: level) else {
            throw ValidationError("muster.log.level: '\(level)' is no log level, like info")
        }
        guard let format = Log.Format(rawValue: format) else {
            throw ValidationError("muster.log.format: '\(format)' is not text or json")
        }
        return (level, format)
    }

    /// Runs a process until it is asked to stop.
    func run(_ role: String, with more: [String: String] = [:], _ body: (ConfigReader) async throws -> Void)
        async throws
    {
        signal(SIGPIPE, SIG_IGN)
        var overrides = shared.overrides.merging(more) { _, flag in flag }
        if let logFormat { overrides["MUSTER_LOG_FORMAT"] = logFormat }
        let reader = ConfigReader(providers: [
            EnvironmentVariablesProvider(environmentVariables: overrides), EnvironmentVariablesProvider(),
        ])
        try SettingsSeen.refuseFaults([role], overrides: overrides)
        if let rules = reader.string(forKey: "muster.matchmaking.rules") { _ = try SharedOptions.readRules(rules) }
        let (level, format) = try Self.readLogging(reader)
        Log.bootstrap(level: level, role: role, format: format)
        MetricsRegistry.bootstrap()
        if let supervisor = reader.int(forKey: "muster.supervisor.pid") {
            SupervisorWatch.start(pid: Int32(truncatingIfNeeded: supervisor))
        }
        do {
            try await body(reader)
        } catch let error as CommandFailure {
            throw error
        } catch is CancellationError {
            // Told twice to stop: ended at once, as wished.
        } catch {
            throw CommandFailure(
                "\(role) could not go on: \(error)",
                nextStep: "See what is in force with 'muster config', and the log lines above.")
        }
    }
}
