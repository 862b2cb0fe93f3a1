/// Where the server is and the limits of one client. Every limit has a default that works on a laptop.
public struct RedisConfiguration: Sendable, Equatable, CustomStringConvertible {
    public enum Address: Sendable, Hashable, CustomStringConvertible {
        case tcp(host: String, port: Int)
        case unix(path: String)

        public var description: String {
            switch self {
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): path
            }
        }
    }

    /// How the server that serves is found.
    public enum Discovery: Sendable, Equatable {
        /// It is the one at `address`, whatever its role.
        case none
        /// Redis Sentinel: these are asked in turn for the address of the master of that name, before each connection.
        case sentinel(addresses: [Address], master: String)
        /// Redis Cluster: these are asked in turn which node has which slot, until one answers.
        case cluster(seeds: [Address])
    }

    public var address: Address
    /// Where it is not `none`, `address` is only a name in messages.
    public var discovery: Discovery = .none
    /// Whom the sentinels know, where they ask for a password of their own.
    public var sentinelUsername: String?
    public var sentinelPassword: String?
    /// How the connection is encrypted; `nil` is not at all.
    public var tls: RedisTLS?
    /// The ACL user; `nil` is the default user.
    public var username: String?
    public var password: String?
    public var database: Int = 0
    /// What `CLIENT LIST` shows; must have no spaces.
    public var clientName: String? = "muster"
    /// The time for connecting and for the first replies (AUTH, SELECT, PING) together.
    public var connectTimeout: Duration = .seconds(2)
    /// The time a command has from the call to its reply, unless the call names another. A connection on which commands
    /// wait and that sent no reply for this long is closed and rebuilt. Time-outs are kept to about 10 ms.
    public var commandTimeout: Duration = .seconds(5)
    /// Commands that may wait, sent or not, before further ones are refused as `unavailable`.
    public var inFlightMax = 65_536
    /// The bytes of arguments that waiting commands may have together before further ones are refused as `unavailable`.
    /// One command alone is never refused for its size.
    public var inFlightBytesMax = 256 * 1024 * 1024
    /// Connections for blocking commands that may be open at once.
    public var blockingConnectionsMax = 64
    /// Connections for blocking commands that are kept open while no command uses them.
    public var blockingConnectionsIdleMax = 8
    /// The wait before the first reconnection; it doubles with each failure up to `reconnectDelayMax`. The real wait
    /// is a random part, between half and all, of that, so that the clients of a fleet don't come back at one moment.
    public var reconnectDelay: Duration = .milliseconds(20)
    public var reconnectDelayMax: Duration = .seconds(1)
    /// The bytes one reply may have on the wire. A larger one is a protocol violation.
    public var replyBytesMax = 256 * 1024 * 1024
    /// The elements, nested ones counted, that one reply may have.
    public var replyElementsMax = 4 * 1024 * 1024

    public init(address: Address) { self.address = address }

    /// - Throws: `invalidConfiguration`, naming the first setting that can't work.
    public func validate() throws(RedisError) {
        for address in addresses { try Self.validate(address, tls) }
        if case .sentinel(let addresses, let master) = discovery {
            guard !addresses.isEmpty else { throw .invalidConfiguration("there is no sentinel to ask") }
            guard !master.isEmpty else { throw .invalidConfiguration("the master has no name") }
        }
        if case .cluster(let seeds) = discovery {
            guard !seeds.isEmpty else { throw .invalidConfiguration("the cluster has no node to ask first") }
            guard database == 0 else { throw .invalidConfiguration("a cluster has only database 0") }
        }
        try tls?.validate()
        guard database >= 0 else { throw .invalidConfiguration("database \(database) is negative") }
        guard clientName?.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ?? true else {
            throw .invalidConfiguration(
                "the client name has spaces or characters that are not visible ASCII")
        }
        for (name, value) in [
            ("connectTimeout", connectTimeout), ("commandTimeout", commandTimeout),
            ("reconnectDelay", reconnectDelay),
            ("reconnectDelayMax", reconnectDelayMax),
        ] where value <= .zero {
            throw .invalidConfiguration("\(name) must be positive, not \(value)")
        }
        for (name, value) in [
            ("inFlightMax", inFlightMax), ("inFlightBytesMax", inFlightBytesMax),
            ("blockingConnectionsMax", blockingConnectionsMax),
            ("replyBytesMax", replyBytesMax), ("replyElementsMax", replyElementsMax),
        ] where value < 1 {
            throw .invalidConfiguration("\(name) must be at least 1, not \(value)")
        }
    }

    /// Those that are connected to first.
    private var addresses: [Address] {
        switch discovery {
        case .none: [address]
        case .sentinel(let addresses, _): addresses
        case .cluster(let seeds): seeds
        }
    }

    private static func validate(_ address: Address, _ tls: RedisTLS?) throws(RedisError) {
        switch address {
        case .unix(let path) where !(1...107).contains(path.utf8.count):
            throw .invalidConfiguration(
                "the socket path has \(path.utf8.count) bytes; a unix socket path has 1 to 107")
        case .tcp(_, let port) where !(1...65_535).contains(port):
            throw .invalidConfiguration("port \(port) is not within 1 to 65535")
        case .unix where tls != nil:
            throw .invalidConfiguration("TLS over a unix socket is not supported")
        default: break
        }
    }

    /// The address and database; never the password.
    public var description: String {
        "redis at \(address)\(tls == nil ? "" : " by TLS"), database \(database)"
    }
}
