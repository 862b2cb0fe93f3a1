import Glibc

/// What one instance's process may use, by the means that need no control groups: resource limits (getrlimit(2)) and
/// its share of the processor (setpriority(2)).
public struct ProcessLimits: Equatable, Sendable {
    /// Files and sockets open at once; `nil`: as many as this process may.
    public var openFiles: Int?
    /// Address space, MiB; `nil`: no limit. More than what is in use: Swift programs reserve far more than they touch.
    public var memoryMiB: Int?
    /// The largest core dump, MiB; 0: none.
    public var coreMiB = 0
    /// How far it gives way to others: 0 as this process, to 19.
    public var nice = 0

    public init() {}

    /// Puts them in force on a process that was just started and leads its own process group. Its first instants run
    /// without them: they hold from before it has players.
    func apply(to pid: Int32) throws(ProcessDriverError) {
        if let openFiles { try set(RLIMIT_NOFILE, "open files", UInt(openFiles), of: pid) }
        if let memoryMiB { try set(RLIMIT_AS, "memory", UInt(memoryMiB) << 20, of: pid) }
        try set(RLIMIT_CORE, "core", UInt(coreMiB) << 20, of: pid)
        // By group: each thread has its own on Linux, and the first of them may have been started already.
        if nice > 0, setpriority(__priority_which_t(PRIO_PGRP.rawValue), id_t(pid), CInt(nice)) != 0 {
            throw .limit(name: "nice", value: nice, reason: String(cString: strerror(errno)))
        }
    }

    /// Both the soft and the hard limit; what is above this process's own hard limit is cut to it.
    private func set(
        _ resource: __rlimit_resource, _ name: String, _ value: UInt, of pid: Int32
    ) throws(ProcessDriverError) {
        guard LinuxCalls.limit(pid, resource, to: rlim_t(value)) else {
            throw .limit(name: name, value: Int(value), reason: String(cString: strerror(errno)))
        }
    }
}
