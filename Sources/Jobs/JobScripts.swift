import Redis

/// The queue's transitions, each one Lua script; the files in `Scripts` say what each does, replies and costs.
public enum JobScripts {
    /// Lua that defines `local function muster_enqueue(first, now, items)` and `muster_clock()`, to stand at the head
    /// of another room's script, so that it enqueues in the same call as its own writes:
    /// ```
    /// RedisScript(name: "accept", fragments: [JobScripts.enqueueFragment, PackageResources.accept_lua])
    /// ```
    /// Pass `JobKeys(queue).forEnqueue` as fifteen consecutive KEYS, the first of them `KEYS[first]`, `now` from
    /// `muster_clock()` (ms), and per job three items: id, specification, when (`EncodedJob.when`). A specification is
    /// `EncodedJob.specification`; where the script itself makes the payload, `EncodedJob.header` .. payload.
    public static let enqueueFragment: [UInt8] = PackageResources.enqueue_fragment_lua

    static let leaseFragment: [UInt8] = PackageResources.lease_fragment_lua

    static let enqueue = script("enqueue", [enqueueFragment, PackageResources.enqueue_lua])
    static let reserve = onLeases(
        "reserve",
        PackageResources.sweep_fragment_lua + PackageResources.pick_fragment_lua + PackageResources.reserve_lua)
    static let complete = onLeases("complete", PackageResources.complete_lua)
    static let finish = onLeases("finish", PackageResources.finish_lua)
    static let fail = onLeases("fail", PackageResources.fail_lua)
    static let release = onLeases("release", PackageResources.release_lua)
    static let renew = onLeases("renew", PackageResources.renew_lua)
    static let cancel = onLeases("cancel", PackageResources.cancel_lua)
    static let bury = onLeases("bury", PackageResources.bury_lua)
    static let redrive = onLeases("redrive", PackageResources.redrive_lua)
    static let purge = onLeases("purge", PackageResources.purge_fragment_lua + PackageResources.purge_lua)
    static let retain = onLeases("retain", PackageResources.purge_fragment_lua + PackageResources.retain_lua)
    static let limits = onLeases("limits", PackageResources.limits_lua)
    static let unseal = onLeases("unseal", PackageResources.unseal_lua)
    static let progress = onLeases("progress", PackageResources.progress_lua)
    static let counts = script("counts", [enqueueFragment, PackageResources.counts_lua])
    static let heartbeat = script("heartbeat", [PackageResources.heartbeat_lua])
    static let processes = script("processes", [PackageResources.processes_lua])

    /// The most jobs that one call of a script takes.
    static let batchMax = 500

    private static func onLeases(_ name: String, _ body: [UInt8]) -> RedisScript {
        script(name, [enqueueFragment, leaseFragment, body])
    }

    private static func script(_ name: String, _ fragments: [[UInt8]]) -> RedisScript {
        RedisScript(name: "jobs.\(name)", fragments: fragments)
    }
}
