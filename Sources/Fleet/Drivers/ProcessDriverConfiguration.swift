import Foundation

/// How ``ProcessDriver`` starts instances.
public struct ProcessDriverConfiguration: Equatable, Sendable {
    /// The program to run; by default this one. `{build}` in it stands for the ordered build.
    public var executable: String
    /// Its arguments, without the program's name.
    public var arguments: [String] = ["instance"]
    /// Set in the child's environment, over what it inherits.
    public var environment: [String: String] = [:]
    /// Where the instances that run are noted, so that they can be adopted; `nil`: they are not.
    public var notesFolder: String?
    /// Where each instance's output goes, as `<instance>.log`; `nil` for this process's standard error.
    public var logFolder: String?
    /// A log past this size is started anew; the one before is kept.
    public var logBytesMax = 16 << 20
    /// Logs of ended instances that are kept.
    public var logsKept = 50
    /// The ports that instances are given, one each; `nil`: each takes any that is free.
    public var ports: ClosedRange<Int>?
    public var limits = ProcessLimits()

    public init(executable: String = ProcessDriverConfiguration.thisProgram) { self.executable = executable }

    /// The program that runs now; where it was replaced since, what is in its place.
    public static var thisProgram: String {
        do {
            let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            // So the kernel calls a program whose file was replaced (proc(5)).
            let replaced = " (deleted)"
            return path.hasSuffix(replaced) ? String(path.dropLast(replaced.count)) : path
        } catch {
            return CommandLine.arguments.first ?? "muster"
        }
    }

    /// The program of a build.
    func executable(of build: String?) throws(ProcessDriverError) -> String {
        guard executable.contains(Self.buildMark) else { return executable }
        guard let build else { throw .noBuild(executable: executable) }
        // The name becomes part of a path.
        guard !build.isEmpty, !build.hasPrefix("."), !build.contains("/"), !build.contains("\0") else {
            throw .badBuild(build)
        }
        return executable.replacingOccurrences(of: Self.buildMark, with: build)
    }

    private static let buildMark = "{build}"
}

/// Why an instance was not started.
public enum ProcessDriverError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The program could not be started.
    case spawn(executable: String, reason: String)
    /// A limit could not be put in force; the process was ended.
    case limit(name: String, value: Int, reason: String)
    /// A note or a log could not be written.
    case file(path: String, reason: String)
    /// Every port of the range is taken.
    case noPort(ClosedRange<Int>)
    /// The program's path depends on the build, and none was ordered.
    case noBuild(executable: String)
    /// A build whose name can't be part of a path.
    case badBuild(String)
    /// An instance of that name runs already.
    case runs(String)

    public var description: String {
        switch self {
        case .spawn(let executable, let reason): "can't start \(executable): \(reason)"
        case .limit(let name, let value, let reason): "can't limit an instance's \(name) to \(value): \(reason)"
        case .file(let path, let reason): "can't write \(path): \(reason)"
        case .noPort(let range): "no port of \(range.lowerBound)-\(range.upperBound) is free"
        case .noBuild(let executable): "\(executable) needs a build, and none is ordered"
        case .badBuild(let build): "'\(build)' can't be a build: its name must not be empty, begin with '.' or hold '/'"
        case .runs(let instance): "\(instance) runs already"
        }
    }
}
