import Jobs
import Redis

/// The transitions of tickets, matches, claims and leases, each one Lua script; the files in `Scripts` say what each
/// does, replies and costs.
enum MatchmakingScripts {
    static let create = transition("create", PackageResources.create_lua)
    static let propose = RedisScript(
        name: "matchmaking.propose",
        fragments: [JobScripts.enqueueFragment, PackageResources.fragment_lua, PackageResources.propose_lua])
    static let accept = RedisScript(
        name: "matchmaking.accept",
        fragments: [JobScripts.enqueueFragment, PackageResources.fragment_lua, PackageResources.accept_lua])
    static let join = transition("join", PackageResources.join_lua)
    static let leave = transition("leave", PackageResources.leave_lua)
    static let cancel = transition("cancel", PackageResources.cancel_lua)
    static let timeout = transition("timeout", PackageResources.timeout_lua)
    static let expire = transition("expire", PackageResources.expire_lua)
    static let ready = transition("ready", PackageResources.ready_lua)
    static let fail = transition("fail", PackageResources.fail_lua)
    static let finish = transition("finish", PackageResources.finish_lua)
    static let depth = transition("depth", PackageResources.depth_lua)
    static let auditMatch = transition("audit_match", PackageResources.audit_match_lua)
    static let ledger = transition("ledger", PackageResources.ledger_lua)
    static let auditWaiting = alone("audit_waiting", PackageResources.audit_waiting_lua)
    static let auditQueue = alone("audit_queue", PackageResources.audit_queue_lua)
    static let due = alone("due", PackageResources.due_lua)
    static let claim = alone("claim", PackageResources.claim_lua)
    static let claimRelease = alone("claim_release", PackageResources.claim_release_lua)
    static let invite = alone("invite", PackageResources.invite_lua)
    static let touch = alone("touch", PackageResources.touch_lua)
    static let void = alone("void", PackageResources.void_lua)
    static let lease = alone("lease", PackageResources.lease_lua)
    static let leaseRelease = alone("lease_release", PackageResources.lease_release_lua)
    static let rankers = alone("rankers", PackageResources.rankers_lua)

    private static func transition(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(name: "matchmaking.\(name)", fragments: [PackageResources.fragment_lua, body])
    }

    private static func alone(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(name: "matchmaking.\(name)", bytes: body)
    }
}
