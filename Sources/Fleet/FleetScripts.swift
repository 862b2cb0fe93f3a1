import Redis

/// The fleet's transitions, one script each, all by the one table of ``InstanceState``.
enum FleetScripts {
    static let heartbeat = script("heartbeat", PackageResources.heartbeat_lua)
    static let allocate = script("allocate", PackageResources.allocate_lua)
    static let bind = script("bind", PackageResources.bind_lua)
    static let release = script("release", PackageResources.release_lua)
    static let deregister = script("deregister", PackageResources.deregister_lua)
    static let order = script("order", PackageResources.order_lua)
    static let reap = script("reap", PackageResources.reap_lua)
    static let list = script("list", PackageResources.list_lua)
    static let audit = script("audit", PackageResources.audit_lua)

    private static func script(_ name: String, _ body: [UInt8]) -> RedisScript {
        RedisScript(name: "fleet.\(name)", fragments: [InstanceState.luaTable, PackageResources.fragment_lua, body])
    }
}
