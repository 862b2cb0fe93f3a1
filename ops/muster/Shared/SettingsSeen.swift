import APIWorker
import AllocatorWorker
import Configuration
import IngestWorker
import InstanceWorker
import RankerWorker
import Sandbox
import Synchronization
import VerifierWorker

/// Notes which settings were read, by whom, and what came of it.
final class SettingsSeen: AccessReporter {
    static let roles = ["api", "ranker", "allocator", "verifier", "ingest", "instance", "sandbox"]

    struct Setting: Sendable {
        var key: String
        var value: String
        var source: String
        var roles: [String]
    }

    private struct State: Sendable {
        var role = ""
        /// What can't work, by key: values of the wrong type, which a reader passes over in favour of the default, and
        /// what a process refuses.
        var faults: [String: String] = [:]
        var settings: [String: Setting] = [:]
    }

    private let state = Mutex(State())

    var all: [Setting] { state.withLock { $0.settings.values.sorted { $0.key < $1.key } } }

    /// Each process of the roles reads its own settings, as it does when it starts: flags, then environment.
    static func read(_ roles: [String], overrides: [String: String]) -> SettingsSeen {
        let seen = SettingsSeen()
        let flags = EnvironmentVariablesProvider(environmentVariables: overrides)
        let reader = ConfigReader(providers: [flags, EnvironmentVariablesProvider()], accessReporter: seen)
        for role in roles {
            seen.read(for: role) {
                try ProcessOptions.readLogging(reader)
                switch role {
                case "api": _ = APIConfiguration(reader: reader)
                case "ranker": _ = RankerConfiguration(reader: reader)
                case "allocator": _ = try AllocatorConfiguration(reader: reader)
                case "verifier": _ = VerifierConfiguration(reader: reader)
                case "ingest": _ = try IngestConfiguration(reader: reader)
                case "instance": _ = try InstanceConfiguration(reader: reader)
                default: _ = try SandboxConfiguration(reader: reader)
                }
            }
        }
        return seen
    }

    /// Refuses to start the processes of these roles with settings that can't work.
    static func refuseFaults(_ roles: [String], overrides: [String: String]) throws {
        let faults = read(roles, overrides: overrides).state.withLock { $0.faults.sorted { $0.key < $1.key } }
        guard !faults.isEmpty else { return }
        throw CommandFailure(
            faults.map { "\($0.key): \($0.value)" }.joined(separator: "\n"),
            nextStep: "Give another value with --set key=value or in the environment; 'muster config' shows all.")
    }

    /// Keys given with --set that no process reads.
    func unread(overrides: [String: String]) -> [String] {
        let known = Set(all.map { SharedOptions.variable($0.key) })
        return overrides.keys.filter { !known.contains($0) }.sorted()
    }

    /// Everything read by the body is noted as read by the role. A configuration that can't be made is named.
    private func read(for role: String, _ body: () throws -> Void) {
        state.withLock { $0.role = role }
        do {
            try body()
        } catch {
            state.withLock { state in
                state.faults["\(role)"] = "\(error)"
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
            let fault = Self.fault(of: event)
            if let fault { state.faults[key] = fault }
            var setting =
                state.settings[key]
                ?? Setting(
                    key: key, value: fault ?? Self.text(event, key: key),
                    source: source.map { $0 == 0 ? "flag" : "environment" } ?? "default", roles: [])
            if !setting.roles.contains(state.role) { setting.roles.append(state.role) }
            state.settings[key] = setting
        }
    }

    /// Why a value that was given is of no use. The reader's answer is the default then, as if nothing were given.
    private static func fault(of event: AccessEvent) -> String? {
        for result in event.providerResults {
            if case .failure(let error) = result.result { return "not readable: \(error)" }
        }
        return nil
    }

    /// Secrets are masked by what they are marked with, and by their name in case one is not.
    private static func text(_ event: AccessEvent, key: String) -> String {
        switch event.result {
        case .failure(let error): return "not readable: \(error)"
        case .success(nil): return "-"
        case .success(let value?):
            let isSecret = value.isSecret || ["secret", "token", "password"].contains { key.hasSuffix($0) }
            switch value.content {
            case .string(""): return "-"
            case _ where isSecret || key.contains("secret-key"): return "********"
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
