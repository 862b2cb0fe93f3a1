/// How fast Redis answers, from here and by its own account.
enum LatencyChecks {
    static let recentSeconds = 3600
    /// From here on a spike or a slow command is worth a word.
    static let slowMs = 100

    static func all(_ server: ServerReading) -> [DoctorFinding] {
        [pings(server), spikes(server), slowlog(server)].compactMap { $0 }
    }

    /// The value below which so many percent lie; `nil` of none.
    static func percentile(_ percent: Int, of values: [Int]) -> Int? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, sorted.count * percent / 100)]
    }

    static func pings(_ server: ServerReading) -> DoctorFinding? {
        guard let middle = percentile(50, of: server.pings), let high = percentile(99, of: server.pings) else {
            return nil
        }
        let what = "PING from here: p50 \(text(middle)), p99 \(text(high)), of \(server.pings.count)"
        let why = "each step of a job is a round trip: a worker takes and ends jobs no faster than this allows"
        let remedy =
            "Run workers near Redis; look for what occupies its one thread (SLOWLOG) or the machine (CPU, swap)."
        switch high {
        case ..<10_000: return .ok("latency", what)
        case ..<200_000: return .warning("latency", what, why: why, remedy: remedy)
        default: return .problem("latency", what, why: why, remedy: remedy)
        }
    }

    static func spikes(_ server: ServerReading) -> DoctorFinding? {
        guard let spikes = server.spikes else { return .ok("spikes", "LATENCY LATEST is refused: not known") }
        if server.config?["latency-monitor-threshold"] == "0" {
            return .ok("spikes", "not watched (CONFIG SET latency-monitor-threshold 100 would)")
        }
        let recent = spikes.filter { $0.secondsAgo < recentSeconds && $0.latestMs >= slowMs }
        guard let worst = recent.max(by: { $0.latestMs < $1.latestMs }) else {
            return .ok("spikes", "none in the last hour")
        }
        return .warning(
            "spikes", "\(worst.event) held Redis up for \(worst.latestMs) ms, \(worst.secondsAgo / 60) min ago",
            why: "nobody is served meanwhile; past a lease's length, jobs run a second time",
            remedy: "LATENCY DOCTOR explains each event; fork is the snapshot, aof-* is the disk.")
    }

    static func slowlog(_ server: ServerReading) -> DoctorFinding? {
        guard let log = server.slowlog else { return .ok("slowlog", "SLOWLOG is refused: not known") }
        guard let worst = log.worst, worst.microseconds >= slowMs * 1000, worst.secondsAgo < recentSeconds else {
            return .ok("slowlog", "\(log.count) entries, none of \(slowMs) ms in the last hour")
        }
        return .warning(
            "slowlog", "\(worst.command) took \(text(worst.microseconds)), \(worst.secondsAgo / 60) min ago",
            why: "Redis serves nobody else meanwhile; past a lease's length, jobs run a second time",
            remedy: "See SLOWLOG GET; keep KEYS, FLUSHALL and large ranges away from this server.")
    }

    private static func text(_ microseconds: Int) -> String {
        microseconds < 10_000 ? "\(microseconds) µs" : "\(microseconds / 1000) ms"
    }
}
