import APIWorker
import AllocatorWorker
import ArgumentParser
import Configuration
import IngestWorker
import InstanceWorker
import RankerWorker
import Sandbox
import Synchronization
import VerifierWorker

/// `muster config`: what is in force.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the settings in force, and where each comes from; secrets are masked.",
        discussion: """
            Every setting can be given as --set key=value or in the environment: \
            instance.slots is MUSTER_INSTANCE_SLOTS.

            Example:
              muster config
              MUSTER_INSTANCE_SLOTS=20 muster config --set api.port=9000
            """)

    @OptionGroup var shared: SharedOptions

    func run() async throws {
        let seen = SettingsSeen()
        let flags = EnvironmentVariablesProvider(environmentVariables: shared.overrides)
        let reader = ConfigReader(providers: [flags, EnvironmentVariablesProvider()], accessReporter: seen)
        // Each process reads its own settings, as it does when it starts; the reporter sees which those are.
        seen.read(for: "api") { APIConfiguration(reader: reader) }
        seen.read(for: "ranker") { RankerConfiguration(reader: reader) }
        seen.read(for: "allocator") { try AllocatorConfiguration(reader: reader) }
        seen.read(for: "verifier") { VerifierConfiguration(reader: reader) }
        seen.read(for: "ingest") { try IngestConfiguration(reader: reader) }
        seen.read(for: "instance") { try InstanceConfiguration(reader: reader) }
        seen.read(for: "sandbox") { try SandboxConfiguration(reader: reader) }

        var table = TextTable(["setting", "value", "from", "read by"])
        for setting in seen.all {
            table.add([setting.key, setting.value, setting.source, setting.roles.joined(separator: " ")])
        }
        print(table.text)
    }
}

/// Notes which settings were read, by whom, and what came of it.
private final class SettingsSeen: AccessReporter {
    struct Setting: Sendable {
        var key: String
        var value: String
        var source: String
        var roles: [String]
    }

    private struct State: Sendable {
        var role = ""
        var settings: [String: Setting] = [:]
    }

    private let state = Mutex(State())

    var all: [Setting] { state.withLock { $0.settings.values.sorted { $0.key < $1.key } } }

    /// Everything read by the body is noted as read by the role. A configuration that can't be made is named at its
    /// key.
    func read<T>(for role: String, _ body: () throws -> T) {
        state.withLock { $0.role = role }
        do {
            _ = try body()
        } catch {
            state.withLock { state in
                state.settings["(\(role))"] = Setting(
                    key: "(\(role))", value: "can't be read: \(error)", source: "-", roles: [role])
            }
        }
    }

    func report(_ event: AccessEvent) {
        let key = event.metadata.key.components.joined(separator: ".")
        let source = event.providerResults.firstIndex { result in
            if case .success(let found) = result.result { return found.value != nil }
            return false
        }
        state.withLock { state in
            var setting =
                state.settings[key]
                ?? Setting(
                    key: key, value: Self.text(event, key: key),
                    source: source.map { $0 == 0 ? "flag" : "environment" } ?? "default", roles: [])
            if !setting.roles.contains(state.role) { setting.roles.append(state.role) }
            state.settings[key] = setting
        }
    }

    /// Secrets are masked by what they are marked with, and by their name in case one is not.
    private static func text(_ event: AccessEvent, key: String) -> String {
        switch event.result {
        case .failure(let error): return "not readable: \(error)"
        case .success(nil): return "-"
        case .success(let value?):
            let isSecret = value.isSecret || ["secret", "token", "password"].contains { key.hasSuffix($0) }
            if isSecret || key.contains("secret-key") { return "********" }
            switch value.content {
            case .string(let text): return withoutPassword(text)
            case .int(let number): return String(number)
            case .double(let number): return String(number)
            case .bool(let bool): return String(bool)
            case .stringArray(let texts): return texts.joined(separator: ",")
            case .intArray(let numbers): return numbers.map(String.init).joined(separator: ",")
            default: return "\(value.content)"
            }
        }
    }

    /// `redis://user:password@host` shows no password.
    private static func withoutPassword(_ text: String) -> String {
        text.replacing(/:\/\/([^:@\/]*):[^@\/]*@/) { match in "://\(match.1):********@" }
    }
}
