import Glibc

/// Calls of the C library that Swift's module of it does not show: looked up when the program runs, so that a program
/// also starts where one of them is missing.
enum LinuxCalls {
    private typealias PidfdOpen = @convention(c) @Sendable (pid_t, UInt32) -> Int32
    private typealias PidfdSend = @convention(c) @Sendable (Int32, Int32, OpaquePointer?, UInt32) -> Int32
    private typealias Limit =
        @convention(c) @Sendable (pid_t, UInt32, UnsafePointer<rlimit>?, UnsafeMutablePointer<rlimit>?) -> Int32

    // In glibc since 2.36; the kernel has them since 5.3.
    private static let opening: PidfdOpen? = symbol("pidfd_open").map { unsafeBitCast($0, to: PidfdOpen.self) }
    private static let sending: PidfdSend? = symbol("pidfd_send_signal").map { unsafeBitCast($0, to: PidfdSend.self) }
    private static let limiting: Limit? = symbol("prlimit").map { unsafeBitCast($0, to: Limit.self) }

    private static func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(nil, name) }

    /// A file descriptor that stands for the process (pidfd_open(2)), closed in children; -1 where there is none.
    static func pidfdOpen(_ pid: Int32) -> Int32 { opening?(pid, 0) ?? -1 }

    /// Whether the signal was sent; `nil` where there is no such call.
    static func pidfdSend(_ signal: Int32, to descriptor: Int32) -> Bool? {
        guard let sending else { return nil }
        if sending(descriptor, signal, nil, 0) == 0 { return true }
        return errno == ENOSYS ? nil : false
    }

    /// Sets both limits of another process (prlimit(2)), no higher than its hard limit is now; `errno` says why not.
    static func limit(_ pid: Int32, _ resource: __rlimit_resource, to value: rlim_t) -> Bool {
        guard let limiting else {
            errno = ENOSYS
            return false
        }
        var now = rlimit()
        guard limiting(pid, resource.rawValue, nil, &now) == 0 else { return false }
        var wanted = rlimit()
        wanted.rlim_cur = min(value, now.rlim_max)
        wanted.rlim_max = wanted.rlim_cur
        return limiting(pid, resource.rawValue, &wanted, nil) == 0
    }
}
