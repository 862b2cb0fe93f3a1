import Foundation

/// How many files and sockets this process may have open.
enum OpenFiles {
    /// Raises the soft limit to the hard one: a thousand players are a thousand sockets, and many systems begin at
    /// 1,024. Children inherit it. A system that refuses leaves the limit as it was.
    static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
