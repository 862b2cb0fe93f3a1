import Foundation

/// Ends this process in the usual way (SIGTERM to itself) once the process that supervises it is gone, so that nothing
/// outlives a supervisor that was killed.
enum SupervisorWatch {
    /// Watches the process of this id, once a second, on a thread of its own: the pool of threads that the program
    /// runs on may be busy when it matters. Does nothing where the id is that of no process to begin with.
    static func start(pid: Int32) {
        guard pid > 1, isAlive(pid) else { return }
        let isParent = getppid() == pid
        let thread = Thread {
            while isParent ? getppid() == pid : isAlive(pid) { Thread.sleep(forTimeInterval: 1) }
            kill(getpid(), SIGTERM)
        }
        thread.name = "supervisor-watch"
        thread.start()
    }

    static func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }
}
