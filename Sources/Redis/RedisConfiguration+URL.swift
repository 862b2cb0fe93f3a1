import Foundation

extension RedisConfiguration {
    /// Reads one of
    ///
    /// - `redis://[user[:password]@]host[:port][/database]`;
    /// - `rediss://…`, the same by TLS, with these query items, all optional: `ca`, `cert`, `key` (paths of PEM files)
    ///   and `server-name` (see `RedisTLS`);
    /// - `unix:///path/to/socket[?db=database]`.
    ///
    /// User and password may be percent-encoded.
    ///
    /// - Throws: `invalidConfiguration`, which names the part that is wrong and never shows the password.
    public init(url: String) throws(RedisError) {
        guard let parts = URLComponents(string: url) else {
            throw .invalidConfiguration(
                "the URL can't be read; write redis://host:port/database or unix:///path")
        }
        switch parts.scheme?.lowercased() {
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
        case let scheme:
            throw .invalidConfiguration(
                "the scheme is “\(scheme ?? "")”; it must be redis, rediss or unix")
        }
        username = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
        try validate()
    }

    private static func tcpAddress(_ parts: URLComponents) throws(RedisError) -> Address {
        guard var host = parts.host, !host.isEmpty else {
            throw .invalidConfiguration("the URL has no host; write redis://host:port/database")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return .tcp(host: host, port: parts.port ?? 6379)
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
