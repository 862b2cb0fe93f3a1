import Redis

extension JobScripts {
    /// Every script of this module, for those who look after a server; the queue itself calls each by its name.
    public static let all: [RedisScript] =
        [
            enqueue, reserve, complete, finish, fail, release, renew, cancel, bury, redrive, purge, retain, limits,
            unseal, progress, counts, heartbeat, processes,
        ] + WorkerScripts.all + [cronPut, cronRemove, cronList, cronPause, cronResume, cronRun, cronDue, cronFire]

    /// The commands that a queue needs of its Redis: those that its workers send and those that its scripts call, in
    /// capitals, in the order of the alphabet.
    public static let commands: [String] = {
        var names: Set<String> = ["BLPOP", "EVAL", "EVALSHA", "PING"]
        for script in all {
            for call in script.source.matches(of: /redis\.p?call\('([A-Za-z]+)'/) {
                names.insert(call.1.uppercased())
            }
        }
        return names.sorted()
    }()
}
