import Foundation
import Glibc

/// `posix_spawn` and `waitpid`, as far as ``ProcessDriver`` needs them.
enum ProcessSpawn {
    /// Starts a program in a process group of its own, with default signal handling and none of this process's files
    /// but the standard ones.
    static func spawn(
        executable: String, arguments: [String], environment: [String: String], log: String?
    ) throws(ProcessDriverError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        if let log {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        }
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // A child that kept a database or a socket of ours open would outlive us with it.
        for file in 3...highestOpenFile() + filesSpare { posix_spawn_file_actions_addclose(&actions, file) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        // This process ignores the signals that it turns into events; ignoring is inherited, so it is undone.
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        argv.append(nil)
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") }
        envp.append(nil)
        defer {
            for pointer in argv + envp { free(pointer) }
        }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, executable, &actions, &attributes, argv, envp)
        guard status == 0 else {
            throw .spawn(executable: executable, reason: String(cString: strerror(status)))
        }
        return pid
    }

    /// Numbers closed beyond the highest, for files that other threads open meanwhile. Closing a number that is not
    /// open is no error in the child (glibc).
    private static let filesSpare: Int32 = 64

    private static func highestOpenFile() -> Int32 {
        do {
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            return open.compactMap { Int32($0) }.max() ?? STDERR_FILENO
        } catch {
            // No /proc: the usual limit of open files.
            return 1_024
        }
    }

    /// How a child ended, in words; `nil` while it runs. Collects it: asked once more, the answer is "gone".
    static func exitStatus(of pid: pid_t) -> String? {
        var status: Int32 = 0
        var result = waitpid(pid, &status, WNOHANG)
        while result == -1, errno == EINTR { result = waitpid(pid, &status, WNOHANG) }
        if result == 0 { return nil }
        if result == -1 { return "gone" }
        let signal = status & 0x7F
        return signal == 0 ? "exit \((status >> 8) & 0xFF)" : "signal \(signal)"
    }
}
