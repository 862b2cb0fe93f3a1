import Redis

/// The transitions of what running matches ask for; the files in `Scripts` say what each does, replies and costs.
enum BackfillScripts {
    static let request = script("request", PackageResources.backfill_request_lua)
    static let cancel = script("cancel", PackageResources.backfill_cancel_lua)
    static let look = script("look", PackageResources.backfill_look_lua)
    static let join = script("join", PackageResources.backfill_join_lua)

    private static func script(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(name: "matchmaking.backfill_\(name)", fragments: [PackageResources.fragment_lua, body])
    }
}
