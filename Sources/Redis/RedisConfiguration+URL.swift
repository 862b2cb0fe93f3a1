import Foundation

extension RedisConfiguration {
    /// Reads one of
    ///
    /// - `redis://[user[:password]@]host[:port][/database]`;
    /// - `rediss://…`, the same by TLS, with these query items, all optional: `ca`, `cert`, `key` (paths of PEM files)
    ///   and `server-name` (see `RedisTLS`);
    /// - `unix:///path/to/socket[?db=database]`;
    /// - `redis-sentinel://[user[:password]@]host[:port][,host[:port]…]/master-name`, with the query items `db`,
    ///   `sentinel-user` and `sentinel-password`; or `rediss-sentinel://…`, by TLS and with its query items too. User
    ///   and password are those of the master and its replicas;
    /// - `redis-cluster://[user[:password]@]host[:port][,host[:port]…]`; or `rediss-cluster://…`, by TLS and with its
    ///   query items. A few of the nodes are enough.
    ///
    /// User and password may be percent-encoded.
    ///
    /// - Throws: `invalidConfiguration`, which names the part that is wrong and never shows the password.
    public init(url: String) throws(RedisError) {
        let (single, others) = Self.splitHosts(url)
        guard let parts = URLComponents(string: single) else {
            throw .invalidConfiguration(
                "the URL can't be read; write redis://host:port/database or unix:///path")
        }
        let scheme = parts.scheme?.lowercased()
        guard others.isEmpty || scheme?.hasSuffix("-sentinel") == true || scheme?.hasSuffix("-cluster") == true else {
            throw .invalidConfiguration("several hosts are for redis-sentinel and redis-cluster URLs")
        }
        switch scheme {
        case "redis":
            self.init(address: try Self.tcpAddress(parts))
            database = try Self.database(String(parts.path.drop { $0 == "/" }), "the path")
            guard parts.queryItems ?? [] == [] else {
                throw .invalidConfiguration(
                    "a redis:// URL has no query; the database is its path: redis://host:port/2")
            }
        case "rediss":
            self.init(address: try Self.tcpAddress(parts))
            database = try Self.database(String(parts.path.drop { $0 == "/" }), "the path")
            var tls = RedisTLS()
            for item in parts.queryItems ?? [] { try tls.take(item) }
            self.tls = tls
        case "unix", "redis+unix":
            guard parts.path.hasPrefix("/"), parts.path.count > 1, parts.host ?? "" == "" else {
                throw .invalidConfiguration("a unix: URL needs an absolute path: unix:///run/redis.sock")
            }
            self.init(address: .unix(path: parts.path))
            for item in parts.queryItems ?? [] {
                guard item.name == "db" else {
                    throw .invalidConfiguration(
                        "unknown query item “\(item.name)”; a unix: URL takes only db")
                }
                database = try Self.database(item.value ?? "", "db")
            }
        case let scheme? where scheme == "redis-sentinel" || scheme == "rediss-sentinel":
            self.init(address: try Self.tcpAddress(parts, port: 26_379))
            try takeSentinels(parts, try [address] + Self.addresses(others, port: 26_379))
        case let scheme? where scheme == "redis-cluster" || scheme == "rediss-cluster":
            self.init(address: try Self.tcpAddress(parts))
            try takeCluster(parts, try [address] + Self.addresses(others, port: 6379))
        case let scheme:
            throw .invalidConfiguration(
                "the scheme is “\(scheme ?? "")”; it must be redis, rediss, unix, redis-sentinel or redis-cluster")
        }
        username = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
        try validate()
    }

    private mutating func takeSentinels(_ parts: URLComponents, _ addresses: [Address]) throws(RedisError) {
        discovery = .sentinel(addresses: addresses, master: String(parts.path.drop { $0 == "/" }))
        var tls = parts.scheme?.lowercased() == "rediss-sentinel" ? RedisTLS() : nil
        for item in parts.queryItems ?? [] {
            switch item.name {
            case "db": database = try Self.database(item.value ?? "", "db")
            case "sentinel-user": sentinelUsername = item.value
            case "sentinel-password": sentinelPassword = item.value
            default:
                guard tls != nil else {
                    throw .invalidConfiguration(
                        "unknown query item “\(item.name)”; a redis-sentinel URL takes db, sentinel-user and "
                            + "sentinel-password")
                }
                try tls?.take(item)
            }
        }
        self.tls = tls
    }

    private mutating func takeCluster(_ parts: URLComponents, _ seeds: [Address]) throws(RedisError) {
        discovery = .cluster(seeds: seeds)
        guard parts.path.drop(while: { $0 == "/" }).isEmpty else {
            throw .invalidConfiguration("a redis-cluster URL has no path; a cluster has only one database")
        }
        var tls = parts.scheme?.lowercased() == "rediss-cluster" ? RedisTLS() : nil
        for item in parts.queryItems ?? [] {
            guard tls != nil else {
                throw .invalidConfiguration("unknown query item “\(item.name)”; a redis-cluster URL takes none")
            }
            try tls?.take(item)
        }
        self.tls = tls
    }

    /// Takes the hosts after the first out of a URL that has several, as URLs know only one.
    private static func splitHosts(_ url: String) -> (single: String, others: [Substring]) {
        guard let scheme = url.range(of: "://") else { return (url, []) }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let start = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex
        let hosts = authority[start...].split(separator: ",", omittingEmptySubsequences: false)
        guard hosts.count > 1 else { return (url, []) }
        return ("\(url[..<start])\(hosts[0])\(rest[authority.endIndex...])", Array(hosts.dropFirst()))
    }

    private static func addresses(_ hosts: [Substring], port: Int) throws(RedisError) -> [Address] {
        var addresses: [Address] = []
        for host in hosts {
            guard let parts = URLComponents(string: "redis://\(host)") else {
                throw .invalidConfiguration("the host “\(host)” can't be read; write host:port")
            }
            addresses.append(try tcpAddress(parts, port: port))
        }
        return addresses
    }

    private static func tcpAddress(_ parts: URLComponents, port: Int = 6379) throws(RedisError) -> Address {
        guard var host = parts.host, !host.isEmpty else {
            throw .invalidConfiguration("the URL has no host; write redis://host:port/database")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return .tcp(host: host, port: parts.port ?? port)
    }

    private static func database(_ text: String, _ place: String) throws(RedisError) -> Int {
        if text.isEmpty { return 0 }
        guard let number = Int(text), number >= 0 else {
            throw .invalidConfiguration("\(place) is “\(text)”; it must be a database number such as 0")
        }
        return number
    }
}

extension RedisTLS {
    fileprivate mutating func take(_ item: URLQueryItem) throws(RedisError) {
        switch item.name {
        case "ca": caFile = item.value
        case "cert": certificateFile = item.value
        case "key": keyFile = item.value
        case "server-name": serverName = item.value
        default:
            throw .invalidConfiguration(
                "unknown query item “\(item.name)”; a TLS URL takes ca, cert, key and server-name")
        }
    }
}
