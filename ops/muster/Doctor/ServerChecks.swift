/// What is asked of a Redis server that holds queues: functions of what was read, without a connection.
enum ServerChecks {
    static func all(_ server: ServerReading) -> [DoctorFinding] {
        var findings: [DoctorFinding]
        if server.info.isEmpty {
            findings = [
                .problem(
                    "info", "INFO is refused, so that most of this can't be checked",
                    why: "neither memory nor persistence nor replicas can be seen by this user",
                    remedy: "Allow it: ACL SETUSER \(server.rights.user ?? "<user>") +info")
            ]
        } else {
            findings = [version(server), eviction(server), memory(server)]
            findings += PersistenceChecks.all(server) + ReplicationChecks.all(server) + clients(server)
            findings += cluster(server)
        }
        findings += LatencyChecks.all(server) + [clock(server), scripts(server), rights(server)]
        return findings.map { finding in
            var finding = finding
            finding.server = server.address
            return finding
        }
    }

    static func version(_ server: ServerReading) -> DoctorFinding {
        let text = server.info["redis_version"] ?? ""
        let parts = text.split(separator: ".").map { Int($0) ?? 0 }
        guard let major = parts.first else {
            return .warning(
                "version", "the server does not tell its version", why: "7.0 or later is needed",
                remedy: "See that it is Redis 7.0 or later, or Valkey.")
        }
        guard major >= 7 else {
            return .problem(
                "version", "Redis \(text)", why: "the scripts and commands need 7.0 or later",
                remedy: "Replace it by Redis 7.0 or later, or Valkey.")
        }
        return .ok("version", text)
    }

    static func eviction(_ server: ServerReading) -> DoctorFinding {
        let policy = server.info["maxmemory_policy"] ?? server.config?["maxmemory-policy"] ?? "unknown"
        if let evicted = server.number("evicted_keys"), evicted > 0 {
            return .problem(
                "eviction", "\(evicted) keys have been evicted since the start (policy \(policy))",
                why: "an evicted key is a queue's jobs, counters or dead letters: lost without a word",
                remedy: "CONFIG SET maxmemory-policy noeviction, and look for what is missing with 'muster audit'.")
        }
        guard policy == "noeviction" else {
            return .problem(
                "eviction", "maxmemory-policy is \(policy)",
                why: "when memory is full, Redis would throw queues away; with noeviction it refuses new jobs instead",
                remedy: "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.")
        }
        return .ok("eviction", "maxmemory-policy is noeviction")
    }

    static func memory(_ server: ServerReading) -> DoctorFinding {
        let used = server.number("used_memory") ?? 0
        if let limit = server.number("maxmemory"), limit > 0 {
            let percent = used * 100 / limit
            let what = "\(Quantity.bytes(used)) of \(Quantity.bytes(limit)) used (\(percent) %)"
            guard percent >= 75 else { return .ok("memory", what) }
            let remedy = "Raise maxmemory, drain what waits ('muster depth'), or purge dead letters."
            let why = "at the limit every enqueue is refused (OOM); running jobs still end"
            return percent >= 90
                ? .problem("memory", what, why: why, remedy: remedy)
                : .warning("memory", what, why: why, remedy: remedy)
        }
        let whole = server.number("total_system_memory") ?? 0
        let resident = server.number("used_memory_rss") ?? used
        let what = "\(Quantity.bytes(used)) used, and no limit is set"
        guard whole > 0, resident * 2 > whole else { return .ok("memory", what) }
        return .warning(
            "memory", "\(what) on a machine of \(Quantity.bytes(whole))",
            why: "the kernel kills Redis when the machine is full; with a limit it refuses new jobs instead",
            remedy: "CONFIG SET maxmemory to about two thirds of the machine's memory.")
    }

    static func clients(_ server: ServerReading) -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        let connected = server.number("connected_clients") ?? 0
        if let most = server.number("maxclients") ?? server.config?["maxclients"].flatMap({ Int($0) }), most > 0 {
            let what = "\(connected) of at most \(most) connections"
            let rejected = server.number("rejected_connections") ?? 0
            if connected * 10 >= most * 9 {
                findings.append(
                    .problem(
                        "clients", what, why: "workers that come next are refused",
                        remedy: "Raise maxclients and the server's limit of open files."))
            } else if rejected > 0 {
                findings.append(
                    .warning(
                        "clients", "\(what), but \(rejected) were refused since the start",
                        why: "a worker that is refused does no work until it gets in",
                        remedy: "Raise maxclients and the server's limit of open files."))
            } else {
                findings.append(.ok("clients", what))
            }
        }
        if let text = server.config?["client-output-buffer-limit"] { findings.append(outputBuffers(text)) }
        return findings
    }

    /// The text is of the form `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60`.
    static func outputBuffers(_ text: String) -> DoctorFinding {
        let words = text.split(separator: " ")
        let smallest = 64 << 20
        for start in stride(from: 0, to: words.count - 1, by: 4) where words[start] == "normal" {
            guard let hard = Int(words[start + 1]), hard > 0, hard < smallest else { continue }
            return .warning(
                "buffers", "the output buffer of ordinary clients is limited to \(Quantity.bytes(hard))",
                why: "a worker that takes a batch of large jobs is disconnected in the middle of the reply",
                remedy: "CONFIG SET client-output-buffer-limit \"normal 0 0 0\"")
        }
        return .ok("buffers", "no ordinary client is cut off for a large reply")
    }

    static func clock(_ server: ServerReading) -> DoctorFinding {
        guard let clock = server.clock else {
            return .warning(
                "clock", "TIME is refused", why: "every script of the queue judges by it",
                remedy: "Allow it: ACL SETUSER \(server.rights.user ?? "<user>") +time")
        }
        let offset = Int(clock.offsetMs.rounded())
        let beyondDoubt = abs(clock.offsetMs) - clock.uncertaintyMs
        let what =
            offset == 0
            ? "as this machine's"
            : "\(Quantity.milliseconds(abs(offset))) \(offset > 0 ? "ahead of" : "behind") this machine's"
        guard beyondDoubt > 500 else { return .ok("clock", what) }
        let why = """
            leases and delays are judged by the clock of Redis and don't suffer, but jobs with a fixed time start \
            early or late, cron fires at the wrong time, and tokens run out at the wrong moment
            """
        let remedy = "Keep both clocks by NTP: timedatectl set-ntp true"
        return beyondDoubt > 30_000
            ? .problem("clock", what, why: why, remedy: remedy) : .warning("clock", what, why: why, remedy: remedy)
    }

    static func scripts(_ server: ServerReading) -> DoctorFinding {
        let scripts = server.scripts
        if let refusal = scripts.refusal {
            return .ok("scripts", "not tried (\(refusal)); workers send them with EVAL where they are not known")
        }
        if let (name, text) = scripts.failures.min(by: { $0.key < $1.key }) {
            return .problem(
                "scripts", "\(scripts.failures.count) of \(scripts.total) are refused; \(name): \(text)",
                why: "each step of a job is one of these scripts", remedy: "Use Redis 7.0 or later, or Valkey.")
        }
        let before =
            scripts.known == scripts.total ? "all known before" : "\(scripts.known) known before from this build"
        return .ok("scripts", "all \(scripts.total) load, \(before)")
    }

    static func rights(_ server: ServerReading) -> DoctorFinding {
        let rights = server.rights
        let user = rights.user.map { "user \($0)" } ?? "this user"
        if !rights.refused.isEmpty {
            let names = rights.refused.keys.sorted()
            return .problem(
                "rights", "\(user) may not use \(names.joined(separator: ", "))",
                why: rights.refused[names[0]] ?? "the queue's scripts and workers need them",
                remedy: "ACL SETUSER \(rights.user ?? "<user>") ~muster:* "
                    + names.map { "+\($0.lowercased())" }.joined(separator: " "))
        }
        if let untried = rights.untried {
            return .ok(
                "rights", "\(user) may use \(rights.tried.joined(separator: ", ")); others not tried: \(untried)")
        }
        return .ok("rights", "\(user) may use all \(rights.tried.count) commands that a queue needs")
    }

    static func cluster(_ server: ServerReading) -> [DoctorFinding] {
        guard server.info["cluster_enabled"] == "1" else { return [] }
        var findings: [DoctorFinding] = []
        if !server.isForCluster {
            findings.append(
                .problem(
                    "cluster", "this is a node of a Redis Cluster, but the address is of a single server",
                    why: "commands for keys of other nodes fail with MOVED",
                    remedy: "Use redis-cluster://host:port as the address."))
        }
        let state = server.cluster["cluster_state"] ?? "unknown"
        let assigned = server.cluster["cluster_slots_assigned"].flatMap { Int($0) } ?? 0
        let fine = server.cluster["cluster_slots_ok"].flatMap { Int($0) } ?? 0
        if state == "ok", assigned == 16_384, fine == 16_384 {
            findings.append(.ok("cluster", "state ok, all 16384 slots are served"))
        } else {
            findings.append(
                .problem(
                    "cluster", "state \(state), \(fine) of 16384 slots are served, \(assigned) are assigned",
                    why: "queues whose slot is not served stand still",
                    remedy: "See which master is down: redis-cli --cluster check \(server.address)"))
        }
        return findings
    }
}

extension ServerReading {
    /// A field of `INFO` that is a number.
    func number(_ field: String) -> Int? { info[field].flatMap { Int($0) } }
}

/// Amounts as people read them.
enum Quantity {
    static func bytes(_ count: Int) -> String {
        switch count {
        case ..<(1 << 20): "\(count >> 10) KiB"
        case ..<(10 << 30): "\(count >> 20) MiB"
        default: "\(count >> 30) GiB"
        }
    }

    static func milliseconds(_ count: Int) -> String { DepthTable.age(count) }
}
