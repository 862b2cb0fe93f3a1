/// Which arguments of a command are keys, so that it can be sent to the node that has them. What is not in the table
/// has its one key right after its name, as most commands do.
enum CommandKeys {
    private enum Place {
        case none
        /// From the first index to the end, less as many as are cut off there; every `step`th.
        case range(from: Int, cut: Int, step: Int)
        /// As many as `count`, from the index on.
        case fixed(from: Int, count: Int)
        /// The number of keys is at the index, and they follow it.
        case counted(at: Int)
        /// As `counted`, and the first argument is a key too.
        case destinationAndCounted(at: Int)
        /// After the word STREAMS: half of what follows.
        case streams
    }

    /// The slot of all keys, or `nil` where there is none.
    ///
    /// - Throws: `invalidConfiguration` where the keys are in several slots, which no node would run.
    static func slot(of command: RedisCommand) throws(RedisError) -> Int? {
        var common: (slot: Int, key: RedisArgument)?
        for key in keys(of: command) {
            let slot = ClusterSlot.slot(of: key)
            guard let first = common else {
                common = (slot, key)
                continue
            }
            guard first.slot == slot else {
                throw .invalidConfiguration(
                    "CROSSSLOT: the keys “\(first.key.text)” and “\(key.text)” are in slots \(first.slot) and \(slot); "
                        + "give them one hash tag")
            }
        }
        return common?.slot
    }

    static func keys(of command: RedisCommand) -> [RedisArgument] {
        let arguments = command.arguments
        guard let name = arguments.first?.text.uppercased() else { return [] }
        switch table[name] ?? .fixed(from: 1, count: 1) {
        case .none:
            return []
        case .range(let from, let cut, let step):
            return stride(from: from, to: max(from, arguments.count - cut), by: step).map { arguments[$0] }
        case .fixed(let from, let count):
            return Array(arguments.dropFirst(from).prefix(count))
        case .counted(let index):
            return counted(arguments, index)
        case .destinationAndCounted(let index):
            return arguments.dropFirst().prefix(1) + counted(arguments, index)
        case .streams:
            guard let word = arguments.firstIndex(where: { $0.text.uppercased() == "STREAMS" }) else { return [] }
            let rest = arguments[(word + 1)...]
            return Array(rest.prefix(rest.count / 2))
        }
    }

    private static func counted(_ arguments: [RedisArgument], _ index: Int) -> [RedisArgument] {
        guard index < arguments.count, let count = Int(arguments[index].text), count > 0 else { return [] }
        return Array(arguments[(index + 1)...].prefix(count))
    }

    private static let table: [String: Place] = {
        var table: [String: Place] = [:]
        func put(_ place: Place, _ names: String) {
            for name in names.split(separator: " ") { table[String(name)] = place }
        }
        put(
            .none,
            """
            PING ECHO INFO TIME SCRIPT CLIENT CONFIG CLUSTER DBSIZE FLUSHALL FLUSHDB AUTH HELLO SELECT COMMAND ROLE \
            WAIT PUBLISH PUBSUB MULTI EXEC DISCARD UNWATCH ACL LATENCY SLOWLOG SAVE BGSAVE BGREWRITEAOF LASTSAVE \
            SHUTDOWN KEYS SCAN RANDOMKEY FUNCTION MODULE READONLY READWRITE ASKING REPLICAOF DEBUG LOLWUT QUIT
            """)
        put(.range(from: 1, cut: 0, step: 1), "DEL UNLINK EXISTS TOUCH MGET WATCH SDIFF SINTER SUNION PFCOUNT PFMERGE")
        put(.range(from: 1, cut: 0, step: 1), "SDIFFSTORE SINTERSTORE SUNIONSTORE")
        put(.range(from: 1, cut: 0, step: 2), "MSET MSETNX")
        put(.range(from: 1, cut: 1, step: 1), "BLPOP BRPOP BZPOPMIN BZPOPMAX")
        put(.fixed(from: 1, count: 2), "RENAME RENAMENX RPOPLPUSH BRPOPLPUSH LMOVE BLMOVE SMOVE COPY ZRANGESTORE")
        put(.fixed(from: 1, count: 2), "GEOSEARCHSTORE LCS")
        put(.fixed(from: 2, count: 1), "OBJECT XINFO XGROUP MEMORY")
        put(.range(from: 2, cut: 0, step: 1), "BITOP")
        put(.counted(at: 2), "EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO BLMPOP BZMPOP")
        put(.counted(at: 1), "LMPOP ZMPOP ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD")
        put(.destinationAndCounted(at: 2), "ZUNIONSTORE ZINTERSTORE ZDIFFSTORE")
        put(.streams, "XREAD XREADGROUP")
        return table
    }()
}
