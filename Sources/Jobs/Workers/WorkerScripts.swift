import Redis

/// What is done to a queue's list of workers, each one Lua script.
enum WorkerScripts {
    static let presence = script("presence", PackageResources.presence_lua)
    static let workers = script("workers", PackageResources.workers_lua)
    static let order = RedisScript(name: "jobs.order", bytes: PackageResources.order_lua)

    static let all = [presence, workers, order]

    private static func script(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(name: "jobs.\(name)", fragments: [PackageResources.workers_fragment_lua, body])
    }
}
