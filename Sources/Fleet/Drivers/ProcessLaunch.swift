import Foundation
import GameModel
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// One start of an instance's program by swift-subprocess, up to its end.
struct ProcessLaunch: Sendable {
    let note: InstanceNote
    let configuration: ProcessDriverConfiguration

    /// Starts the program in a session of its own, with default signal handling and none of this process's files but
    /// the standard ones; returns in words how it ended.
    ///
    /// - Parameter started: called once, before it can be collected.
    func run(_ started: @Sendable (ProcessHandle) -> Void) async throws -> String {
        var options = PlatformOptions()
        options.createSession = true
        let output: FileDescriptorOutput =
            if let log = note.log {
                .fileDescriptor(
                    try InstanceLog(path: log, bytesMax: configuration.logBytesMax).open(),
                    closeAfterSpawningProcess: true)
            } else {
                .currentStandardError
            }
        let executable = note.executable
        let result = try await Subprocess.run(
            .path(FilePath(executable)), arguments: Arguments(configuration.arguments), environment: environment,
            platformOptions: options, input: .none, output: output, error: .combinedWithOutput
        ) { execution in
            let pid = execution.processIdentifier.value
            guard let process = ProcessHandle(child: pid) else {
                throw ProcessDriverError.spawn(executable: executable, reason: "/proc/\(pid) is not readable")
            }
            started(process)
        }
        switch result.terminationStatus {
        case .exited(let code): return "exit \(code)"
        case .signaled(let signal): return "signal \(signal)"
        }
    }

    private var environment: Environment {
        var told: [Environment.Key: String?] = [:]
        for name in ProcessInfo.processInfo.environment.keys where Self.isWithheld(name) {
            told[Environment.Key(stringLiteral: name)] = String?.none
        }
        for (name, value) in configuration.environment { told[Environment.Key(stringLiteral: name)] = value }
        told["MUSTER_INSTANCE_ID"] = note.instance.rawValue
        told["MUSTER_INSTANCE_REGION"] = note.region.rawValue
        told["MUSTER_INSTANCE_SLOTS"] = String(note.slots)
        if let build = note.build { told["MUSTER_INSTANCE_BUILD"] = build }
        if let port = note.port { told["MUSTER_INSTANCE_PORT"] = String(port) }
        return .inherit.updating(told)
    }

    /// What an allocator may know and an instance need not: it speaks to the API alone.
    static func isWithheld(_ name: String) -> Bool {
        ["MUSTER_REDIS", "MUSTER_PAYMENTS", "MUSTER_ALLOCATOR"].contains { name.hasPrefix($0) }
            || ["SECRET", "PASSWORD"].contains { name.contains($0) }
    }
}

/// Tells who waits for a start of what became of it, once.
final class ProcessStart: Sendable {
    private let waiting: Mutex<CheckedContinuation<ProcessHandle, any Error>?>

    init(_ continuation: CheckedContinuation<ProcessHandle, any Error>) { waiting = Mutex(continuation) }

    func succeeded(_ process: ProcessHandle) { take()?.resume(returning: process) }

    /// Nothing where it has succeeded before.
    func failed(_ error: any Error) { take()?.resume(throwing: error) }

    private func take() -> CheckedContinuation<ProcessHandle, any Error>? {
        waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
    }
}

/// Whether a port of this host can be listened on.
enum PortProbe {
    static func isFree(_ port: Int) -> Bool {
        guard let port = UInt16(exactly: port) else { return false }
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var reuse: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
