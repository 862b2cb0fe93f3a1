import Foundation
import Synchronization

/// One running child: its process id, its output line by line, and its end.
///
/// A child is started in a process group of its own (Foundation does so), so that a ^C in the terminal reaches only the
/// supervisor, which then stops the children in order.
final class ChildProcess: Sendable {
    /// How a child ended.
    enum Ending: Sendable, CustomStringConvertible {
        case exit(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .exit(let code): "ended with code \(code)"
            case .signal(let number): "was killed by signal \(number)"
            }
        }
    }

    let pid: Int32
    private let end = EndBox()

    private static let starting = Mutex<Void>(())

    /// Starts the child; `line` gets each line of its standard output and error.
    init(_ spec: ChildSpec, line: @escaping @Sendable (String) -> Void) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: spec.executable)
        process.arguments = spec.arguments
        process.environment = ProcessInfo.processInfo.environment.merging(spec.environment) { _, own in own }
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.terminationHandler = { [end] process in
            let status = process.terminationStatus
            end.set(process.terminationReason == .exit ? .exit(status) : .signal(status))
        }
        // One at a time: Foundation takes a child for alive until all copies of a socket are closed, and another child
        // that starts in that moment would hold one.
        try Self.starting.withLock { _ in try Self.withoutBlockedSignals { try process.run() } }
        pid = process.processIdentifier
        Self.follow(pipe.fileHandleForReading, LineSplitter(line))
    }

    /// Reads the output on a thread of its own until all who write to it have ended.
    ///
    /// Foundation's readability handler would let go of the file while libdispatch still watches it: now and then the
    /// end of a child crashed the supervisor in `_dispatch_event_loop_drain`.
    private static func follow(_ output: FileHandle, _ lines: LineSplitter) {
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = read(output.fileDescriptor, &buffer, buffer.count)
                if count > 0 {
                    lines.feed(Data(buffer[..<count]))
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            lines.finish()
        }
    }

    /// A child inherits which signals are blocked, and the threads that Swift's tasks run on block them all:
    /// redis-server would then never hear SIGTERM.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    /// Waits for the end, even in a task that was cancelled: a child that was started is never left behind.
    func waitForEnd() async -> Ending { await end.wait() }

    /// Sends a signal to this child and to no other.
    func send(_ signal: Int32) {
        kill(pid, signal)
    }
}

/// How a child ended, for the one task that waits for it.
private final class EndBox: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<ChildProcess.Ending, Never>)
        case ended(ChildProcess.Ending)
    }

    private let state = Mutex(State.open)

    func set(_ ending: ChildProcess.Ending) {
        let waiter: CheckedContinuation<ChildProcess.Ending, Never>? = state.withLock { state in
            defer { state = .ended(ending) }
            if case .waiting(let waiter) = state { return waiter }
            return nil
        }
        waiter?.resume(returning: ending)
    }

    func wait() async -> ChildProcess.Ending {
        await withCheckedContinuation { continuation in
            let ending: ChildProcess.Ending? = state.withLock { state in
                if case .ended(let ending) = state { return ending }
                state = .waiting(continuation)
                return nil
            }
            if let ending { continuation.resume(returning: ending) }
        }
    }
}

/// Cuts a stream of bytes into lines.
final class LineSplitter: Sendable {
    /// Longer lines are cut here, so that a child that never ends a line can't fill the memory.
    private static let lineBytesMax = 64 * 1024

    private let rest = Mutex(Data())
    private let line: @Sendable (String) -> Void

    init(_ line: @escaping @Sendable (String) -> Void) {
        self.line = line
    }

    func feed(_ bytes: Data) {
        let whole = rest.withLock { rest in
            rest.append(bytes)
            var whole: [String] = []
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                whole.append(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                rest = Data(rest[rest.index(after: end)...])
            }
            if rest.count > Self.lineBytesMax {
                whole.append(String(decoding: rest, as: UTF8.self))
                rest = Data()
            }
            return whole
        }
        for text in whole { line(text) }
    }

    /// What is left when the stream has ended is a line too.
    func finish() {
        let last = rest.withLock { rest in
            defer { rest = Data() }
            return String(decoding: rest, as: UTF8.self)
        }
        if !last.isEmpty { line(last) }
    }
}
