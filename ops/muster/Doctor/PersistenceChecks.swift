/// Whether what Redis holds outlives it.
enum PersistenceChecks {
    static func all(_ server: ServerReading) -> [DoctorFinding] {
        [loading(server), durability(server), writes(server)].compactMap { $0 }
    }

    static func loading(_ server: ServerReading) -> DoctorFinding? {
        guard server.info["loading"] == "1" || server.info["async_loading"] == "1" else { return nil }
        return .problem(
            "loading", "Redis is still loading its data", why: "it answers no queue until it is done",
            remedy: "Wait; INFO persistence says how far it is.")
    }

    static func durability(_ server: ServerReading) -> DoctorFinding {
        if server.info["aof_enabled"] == "1" {
            switch server.config?["appendfsync"] {
            case "always"?: return .ok("persistence", "AOF, fsync always: no acknowledged job is lost in a crash")
            case "everysec"?: return .ok("persistence", "AOF, fsync everysec: a crash loses a second at most")
            case "no"?:
                return .warning(
                    "persistence", "AOF, but appendfsync is no",
                    why: "the kernel decides when jobs reach the disk: a power cut loses half a minute of them",
                    remedy: "CONFIG SET appendfsync everysec")
            default:
                return .ok("persistence", "AOF; how often it is synced is not told (CONFIG is refused)")
            }
        }
        switch server.config?["save"] {
        case nil:
            return .warning(
                "persistence", "AOF is off, and whether snapshots are made is not told (CONFIG is refused)",
                why: "a restart loses the jobs since the last snapshot, or all",
                remedy: "Switch AOF on where the provider's settings are kept.")
        case ""?:
            return .problem(
                "persistence", "neither AOF nor snapshots are on",
                why: "a restart loses every job that has no outbox row",
                remedy: "CONFIG SET appendonly yes and CONFIG SET appendfsync everysec, and the same in redis.conf.")
        case let save?:
            return .warning(
                "persistence", "AOF is off; snapshots only (save \(save))",
                why: "a restart loses the jobs since the last snapshot: minutes of them",
                remedy: "CONFIG SET appendonly yes, and the same in redis.conf.")
        }
    }

    /// Whether the last writes to disk worked.
    static func writes(_ server: ServerReading) -> DoctorFinding? {
        if server.info["aof_enabled"] == "1", let status = server.info["aof_last_write_status"], status != "ok" {
            return .problem(
                "disk", "the last write of the AOF failed (\(status))",
                why: "Redis refuses writes, or loses them in a crash", remedy: "Free the disk, and see Redis's log.")
        }
        let snapshots = server.config?["save"] ?? ""
        if !snapshots.isEmpty, let status = server.info["rdb_last_bgsave_status"], status != "ok" {
            let refuses = server.config?["stop-writes-on-bgsave-error"] != "no"
            return .problem(
                "disk", "the last snapshot failed (\(status))",
                why: refuses ? "Redis refuses every write until one works" : "a restart loses what came since",
                remedy: "Free the disk or the memory for the fork (vm.overcommit_memory=1), and see Redis's log.")
        }
        if server.info["aof_enabled"] == "1", let status = server.info["aof_last_bgrewrite_status"], status != "ok" {
            return .warning(
                "disk", "the last rewrite of the AOF failed (\(status))",
                why: "the file grows, and a restart takes longer and longer",
                remedy: "Free the disk or the memory for the fork (vm.overcommit_memory=1), and see Redis's log.")
        }
        return .ok("disk", "the last writes worked")
    }
}
