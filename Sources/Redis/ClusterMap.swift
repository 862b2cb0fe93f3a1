/// Which node has which slot, as `CLUSTER SLOTS` tells.
struct ClusterMap: Sendable, Equatable {
    typealias Address = RedisConfiguration.Address

    /// The masters that have slots, in the order of their slots.
    private(set) var masters: [Address] = []
    /// For each slot the index of its master; `unassigned` where nobody has it.
    private var owners: [UInt16]

    private static let unassigned = UInt16.max

    init() { owners = Array(repeating: Self.unassigned, count: ClusterSlot.count) }

    /// - Parameter asked: the node that answered; where it does not know its own name it is meant by an empty one.
    /// - Throws: `unexpectedReply`.
    init(_ reply: RESPValue, asked: Address) throws(RedisError) {
        self.init()
        for entry in try reply.expectArray() {
            let parts = try entry.expectArray()
            guard parts.count >= 3, let first = parts[0].int, let last = parts[1].int,
                let node = parts[2].array, node.count >= 2, let port = node[1].int,
                first >= 0, first <= last, last < ClusterSlot.count
            else { throw .unexpectedReply("CLUSTER SLOTS has an entry that is no range with its node") }
            let address = Self.address(host: node[0].string ?? "", port: port, asked: asked)
            for slot in first...last { assign(slot, to: address) }
        }
    }

    func master(of slot: Int) -> Address? {
        let index = owners[slot]
        return index == Self.unassigned ? nil : masters[Int(index)]
    }

    mutating func assign(_ slot: Int, to address: Address) {
        guard let known = masters.firstIndex(of: address) else {
            owners[slot] = UInt16(masters.count)
            masters.append(address)
            return
        }
        owners[slot] = UInt16(known)
    }

    static func address(host: String, port: Int, asked: Address) -> Address {
        if host.isEmpty, case .tcp(let own, _) = asked { return .tcp(host: own, port: port) }
        return .tcp(host: host, port: port)
    }
}

/// What an error reply of a cluster's node asks the client to do.
enum ClusterRedirection: Equatable {
    /// The slot is at another node for good.
    case moved(slot: Int, to: RedisConfiguration.Address)
    /// This command, this time, is to be asked of another node, as the slot is being moved there.
    case ask(RedisConfiguration.Address)
    /// The keys are on their way, or the cluster is choosing a new master: the same again in a moment.
    case later

    /// - Returns: `nil` for an error that is none of these.
    init?(_ text: String, asked: RedisConfiguration.Address) {
        let words = text.split(separator: " ")
        switch words.first {
        case "MOVED", "ASK":
            guard words.count >= 3, let slot = Int(words[1]), (0..<ClusterSlot.count).contains(slot),
                let colon = words[2].lastIndex(of: ":"), let port = Int(words[2][words[2].index(after: colon)...])
            else { return nil }
            let address = ClusterMap.address(host: String(words[2][..<colon]), port: port, asked: asked)
            self = words[0] == "ASK" ? .ask(address) : .moved(slot: slot, to: address)
        case "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN":
            self = .later
        default:
            return nil
        }
    }
}
