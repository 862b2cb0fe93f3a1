import Redis

/// The transitions of cron entries.
extension JobScripts {
    static let cronPut = cron("put", PackageResources.cron_put_lua)
    static let cronRemove = cron("remove", PackageResources.cron_remove_lua)
    static let cronList = cron("list", PackageResources.cron_list_lua)
    static let cronPause = cron("pause", PackageResources.cron_pause_lua)
    static let cronResume = cron("resume", PackageResources.cron_resume_lua)
    static let cronRun = cron("run", PackageResources.cron_run_lua)
    static let cronDue = cron("due", PackageResources.cron_due_lua)
    static let cronFire = cron("fire", PackageResources.cron_fire_lua)

    private static func cron(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(
            name: "jobs.cron.\(name)", fragments: [enqueueFragment, PackageResources.cron_fragment_lua, body])
    }
}
