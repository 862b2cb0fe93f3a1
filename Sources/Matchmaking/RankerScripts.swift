import Redis

/// What rankers settle among themselves; the files in `Scripts` say what each does, replies and costs.
enum RankerScripts {
    static let pools = RedisScript(name: "matchmaking.pools", bytes: PackageResources.pools_lua)
    static let bands = RedisScript(name: "matchmaking.bands", bytes: PackageResources.bands_lua)
}
