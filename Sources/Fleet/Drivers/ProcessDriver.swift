import Foundation
import GameModel
import Logging

/// How ``ProcessDriver`` starts instances.
public struct ProcessDriverConfiguration: Equatable, Sendable {
    /// The program to run; by default this one.
    public var executable: String
    /// Its arguments, without the program's name.
    public var arguments: [String] = ["instance"]
    /// Set in the child's environment, over what it inherits.
    public var environment: [String: String] = [:]
    /// Where each instance's output goes, as `<instance>.log`; `nil` for this process's standard error.
    public var logFolder: String?

    public init(executable: String = ProcessDriverConfiguration.thisProgram) { self.executable = executable }

    /// The program that runs now, even where it was moved or replaced since.
    public static var thisProgram: String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            return CommandLine.arguments.first ?? "muster"
        }
    }
}

public enum ProcessDriverError: Error, Sendable, CustomStringConvertible {
    /// The program could not be started. `errno` as text.
    case spawn(executable: String, reason: String)

    public var description: String {
        switch self {
        case .spawn(let executable, let reason): "can't start \(executable): \(reason)"
        }
    }
}

/// Runs instances as processes of this host.
///
/// Each is the leader of a process group of its own, so a ^C meant for this process does not reach it, and it lives on
/// when this process is killed: it is then found by its heartbeats. Children are collected by ``collectExits()``,
/// which the owner calls about each second; no signal handler is installed.
public actor ProcessDriver: InstanceDriver {
    private let configuration: ProcessDriverConfiguration
    private let logger: Logger
    private var children: [InstanceID: pid_t] = [:]

    public init(configuration: ProcessDriverConfiguration = .init(), logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    public func start(_ order: InstanceOrder) throws {
        var environment = ProcessInfo.processInfo.environment
        environment.merge(configuration.environment) { _, given in given }
        environment["MUSTER_INSTANCE_ID"] = order.instance.rawValue
        environment["MUSTER_INSTANCE_REGION"] = order.region.rawValue
        environment["MUSTER_INSTANCE_SLOTS"] = String(order.slots)
        var log: String?
        if let folder = configuration.logFolder {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            log = "\(folder)/\(order.instance).log"
        }
        let pid = try ProcessSpawn.spawn(
            executable: configuration.executable, arguments: configuration.arguments, environment: environment,
            log: log)
        children[order.instance] = pid
        logger.info(
            "instance started",
            metadata: ["instance": "\(order.instance)", "region": "\(order.region)", "pid": "\(pid)"])
    }

    public func stop(_ instance: InstanceID) { send(SIGTERM, to: instance) }

    public func kill(_ instance: InstanceID) { send(SIGKILL, to: instance) }

    public func running() -> [InstanceID] { children.keys.sorted() }

    public func collectExits() -> [InstanceExit] {
        var exits: [InstanceExit] = []
        for (instance, pid) in children {
            guard let how = ProcessSpawn.exitStatus(of: pid) else { continue }
            children[instance] = nil
            logger.info("instance ended", metadata: ["instance": "\(instance)", "pid": "\(pid)", "how": "\(how)"])
            exits.append(InstanceExit(instance: instance, how: how))
        }
        return exits
    }

    /// The process that runs an instance, while it has not been collected.
    public func processIdentifier(of instance: InstanceID) -> Int32? { children[instance] }

    // A child that was not collected yet keeps its number, so the signal can't hit a stranger.
    private func send(_ signal: Int32, to instance: InstanceID) {
        guard let pid = children[instance] else { return }
        if Glibc.kill(pid, signal) != 0 {
            logger.warning("can't signal instance", metadata: ["instance": "\(instance)", "errno": "\(errno)"])
        }
    }
}
