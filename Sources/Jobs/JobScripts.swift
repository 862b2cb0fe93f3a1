import Redis

/// The queue's transitions, each one Lua script; the files in `Scripts` say what each does, replies and costs.
public enum JobScripts {
    /// Lua that defines `local function muster_enqueue(first, now, items)` and `muster_clock()`, to stand at the head
    /// of another room's script, so that it enqueues in the same call as its own writes:
    /// ```
    /// RedisScript(name: "accept", fragments: [JobScripts.enqueueFragment, PackageResources.accept_lua])
    /// ```
    /// Pass `JobKeys(queue).forEnqueue` as eight consecutive KEYS, the first of them `KEYS[first]`, `now` from
    /// `muster_clock()` (ms), and per job three items: id, specification, when. A specification is
    /// `EncodedJob.specification`; where the script itself makes the payload, `EncodedJob.header` .. payload.
    public static let enqueueFragment: [UInt8] = PackageResources.enqueue_fragment_lua

    static let leaseFragment: [UInt8] = PackageResources.lease_fragment_lua

    static let enqueue = script("enqueue", [enqueueFragment, PackageResources.enqueue_lua])
    static let reserve = script("reserve", [enqueueFragment, leaseFragment, PackageResources.reserve_lua])
    static let complete = script("complete", [leaseFragment, PackageResources.complete_lua])
    static let fail = script("fail", [enqueueFragment, leaseFragment, PackageResources.fail_lua])
    static let release = script("release", [enqueueFragment, leaseFragment, PackageResources.release_lua])
    static let renew = script("renew", [enqueueFragment, leaseFragment, PackageResources.renew_lua])
    static let cancel = script("cancel", [PackageResources.cancel_lua])
    static let counts = script("counts", [enqueueFragment, PackageResources.counts_lua])
    static let heartbeat = script("heartbeat", [PackageResources.heartbeat_lua])
    static let processes = script("processes", [PackageResources.processes_lua])

    /// The most jobs that one call of a script takes.
    static let batchMax = 500

    private static func script(_ name: String, _ fragments: [[UInt8]]) -> RedisScript {
        RedisScript(name: "jobs.\(name)", fragments: fragments)
    }
}
