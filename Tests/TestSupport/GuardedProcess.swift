import Foundation
import Synchronization

/// A child process that dies with the test process: a small shell starts it, holds the reading end of a pipe whose
/// writing end only the test process has, and kills the child when that pipe closes, however the test process ended.
public final class GuardedProcess: Sendable {
    /// The process id of the command itself, not of the shell that guards it.
    public let pid: pid_t
    private let guardian: pid_t
    private let leash: Mutex<Int32?>

    // `read` is a builtin: the shell reaps its child only at `wait`, so that the id can't name a foreign process at
    // `kill`.
    private static let guardScript = #"""
        out=$1; note=$2; shift 2
        "$@" </dev/null >>"$out" 2>&1 &
        child=$!
        echo $child >"$note.new" && mv "$note.new" "$note"
        exec 2>/dev/null
        read -r _
        kill -9 $child 2>/dev/null
        wait $child
        """#

    /// Starts the command; its output is appended to `log`.
    public static func start(_ command: [String], log: String, environment: [String: String]? = nil) async throws
        -> GuardedProcess
    {
        let note = log + ".pid"
        unlink(note)
        let (guardian, leash) = try spawn(
            ["/bin/sh", "-c", guardScript, "guard", log, note] + command,
            environment: environment ?? ProcessInfo.processInfo.environment)
        // A machine that others keep busy has taken its time for a shell too.
        for _ in 0..<30_000 {
            if let data = FileManager.default.contents(atPath: note),
                let pid = pid_t(String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
            {
                return GuardedProcess(pid: pid, guardian: guardian, leash: leash)
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        close(leash)
        throw TestSupportError("\(command.first ?? "the command") did not start within 60 s")
    }

    private init(pid: pid_t, guardian: pid_t, leash: Int32) {
        self.pid = pid
        self.guardian = guardian
        self.leash = Mutex(leash)
    }

    deinit { end() }

    /// SIGKILL, and waits until it is gone. Does nothing the second time.
    public func end() {
        let leash = leash.withLock { leash in
            defer { leash = nil }
            return leash
        }
        guard let leash else { return }
        kill(pid, SIGKILL)
        // A line ends the shell's `read` even where another child of this process still holds a copy of the pipe.
        _ = write(leash, "\n", 1)
        close(leash)
        var status: Int32 = 0
        while waitpid(guardian, &status, 0) == -1, errno == EINTR {}
    }

    /// Sends a signal to the command, unless it was ended.
    public func signal(_ number: Int32) {
        leash.withLock { leash in
            if leash != nil { kill(pid, number) }
        }
    }

    /// Starts the shell with the reading end of a new pipe as its input; answers its id and the writing end.
    private static func spawn(_ command: [String], environment: [String: String]) throws -> (pid_t, Int32) {
        // One at a time, so that no child inherits the pipe of another in the moment before it is marked.
        try spawning.withLock { _ in try spawnAlone(command, environment: environment) }
    }

    private static let spawning = Mutex<Void>(())

    /// Numbers closed beyond the highest, for files that other threads open meanwhile.
    private static let filesSpare: Int32 = 64

    private static func highestOpenFile() throws -> Int32 {
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return open.compactMap { Int32($0) }.max() ?? STDERR_FILENO
    }

    private static func spawnAlone(_ command: [String], environment: [String: String]) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestSupportError("pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        // None of this process's other files: Foundation's `Process` takes its child for alive until all copies of a
        // socket are closed, and a server that was started at that moment and lives for the whole run would hold one.
        for file in (STDERR_FILENO + 1)...(try highestOpenFile() + filesSpare) {
            posix_spawn_file_actions_addclose(&actions, file)
        }

        // The pool's threads block signals; a child must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let arguments = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, command[0], &actions, &attributes, arguments, variables)
        guard failure == 0 else {
            close(ends[1])
            throw TestSupportError("posix_spawn \(command[0]): \(String(cString: strerror(failure)))")
        }
        return (pid, ends[1])
    }
}
