import Redis

/// The fleet's transitions, one script each.
enum FleetScripts {
    static let heartbeat = RedisScript(name: "fleet.heartbeat", bytes: PackageResources.heartbeat_lua)
    static let allocate = RedisScript(name: "fleet.allocate", bytes: PackageResources.allocate_lua)
    static let release = RedisScript(name: "fleet.release", bytes: PackageResources.release_lua)
    static let deregister = RedisScript(name: "fleet.deregister", bytes: PackageResources.deregister_lua)
    static let reap = RedisScript(name: "fleet.reap", bytes: PackageResources.reap_lua)
    static let list = RedisScript(name: "fleet.list", bytes: PackageResources.list_lua)
}
