import Redis
import Testing

@Suite("URLs and settings") struct ConfigurationTests {
    @Test("URLs are read in all their parts") func good() throws {
        #expect(try RedisConfiguration(url: "redis://localhost").address == .tcp(host: "localhost", port: 6379))
        let full = try RedisConfiguration(url: "redis://ada:p%40ss%2Fword@10.0.0.7:7000/4")
        #expect(full.address == .tcp(host: "10.0.0.7", port: 7000))
        #expect(full.username == "ada")
        #expect(full.password == "p@ss/word")
        #expect(full.database == 4)
        #expect(try RedisConfiguration(url: "redis://:a,b@host").password == "a,b")
        let bare = try RedisConfiguration(url: "redis://:secret@[::1]:7000/")
        #expect(bare.address == .tcp(host: "::1", port: 7000))
        #expect(bare.username == nil)
        #expect(bare.password == "secret")
        let encrypted = try RedisConfiguration(
            url: "rediss://ada:pw@redis.example/1?ca=/ca.pem&cert=/c.pem&key=/k.pem&server-name=r1.example")
        #expect(encrypted.address == .tcp(host: "redis.example", port: 6379))
        #expect(encrypted.database == 1)
        #expect(
            encrypted.tls
                == RedisTLS(
                    caFile: "/ca.pem", certificateFile: "/c.pem", keyFile: "/k.pem", serverName: "r1.example"))
        #expect(try RedisConfiguration(url: "rediss://redis.example").tls == RedisTLS())
        let watched = try RedisConfiguration(
            url: "redis-sentinel://ada:p%40ss@s1.example:7001,s2.example,[::1]:7003/game?db=2&sentinel-password=word")
        #expect(
            watched.discovery
                == .sentinel(
                    addresses: [
                        .tcp(host: "s1.example", port: 7001), .tcp(host: "s2.example", port: 26_379),
                        .tcp(host: "::1", port: 7003),
                    ], master: "game"))
        #expect(watched.database == 2)
        #expect(watched.username == "ada")
        #expect(watched.password == "p@ss")
        #expect(watched.sentinelPassword == "word")
        #expect(watched.tls == nil)
        let secret = try RedisConfiguration(url: "rediss-sentinel://s1.example/game?ca=/ca.pem&db=1")
        #expect(secret.tls?.caFile == "/ca.pem")
        let cluster = try RedisConfiguration(url: "redis-cluster://:pw@n1.example:7001,n2.example")
        #expect(
            cluster.discovery
                == .cluster(seeds: [.tcp(host: "n1.example", port: 7001), .tcp(host: "n2.example", port: 6379)]))
        #expect(cluster.password == "pw")
        #expect(try RedisConfiguration(url: "rediss-cluster://n1?ca=/ca.pem").tls == RedisTLS(caFile: "/ca.pem"))
        let socket = try RedisConfiguration(url: "unix:///run/redis/redis.sock?db=2")
        #expect(socket.address == .unix(path: "/run/redis/redis.sock"))
        #expect(socket.database == 2)
    }

    @Test(
        "URLs that can't work are refused with what is wrong",
        arguments: [
            ("", "scheme"), ("localhost:6379", "scheme"), ("http://localhost", "scheme"), ("redis://", "host"),
            ("redis:///1", "host"), ("redis://localhost:99999", "port"), ("redis://localhost:0", "port"),
            ("redis://localhost/one", "path"), ("redis://localhost/1/2", "path"), ("redis://localhost/-1", "path"),
            ("redis://localhost?db=1", "query"), ("rediss://localhost?db=1", "db"),
            ("redis-sentinel://localhost", "name"), ("redis-sentinel://a,/game", "host"),
            ("redis-sentinel://a:1,b:99999/game", "port"), ("redis-sentinel://a/game?ca=/c.pem", "ca"),
            ("redis://a,b:7001", "several hosts"), ("redis-cluster://localhost/1", "database"),
            ("redis-cluster://localhost?ca=/c.pem", "ca"),
            ("rediss://localhost?cert=/c.pem", "key"), ("rediss://localhost?ca=", "CA file"),
            ("rediss://localhost?server-name=10.0.0.7", "DNS name"), ("unix://run/redis.sock", "absolute"),
            ("unix://", "absolute"), ("unix:///r.sock?db=x", "db"), ("unix:///r.sock?name=x", "name"),
            ("unix:///" + String(repeating: "x", count: 120), "107"),
        ])
    func bad(url: String, named: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.description.contains(named) == true, "\(String(describing: error))")
        guard case .invalidConfiguration = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
    }

    @Test("no message and no description shows a password") func secret() throws {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: "redis://:hunter2@host/x") }
        #expect(error?.description.contains("hunter2") == false)
        #expect("\(try RedisConfiguration(url: "redis://:hunter2@host"))".contains("hunter2") == false)
    }

    @Test("settings that can't work are named") func settings() throws {
        var configuration = try RedisConfiguration(url: "redis://localhost")
        configuration.inFlightMax = 0
        let limit = #expect(throws: RedisError.self) { try configuration.validate() }
        #expect(limit?.description.contains("inFlightMax") == true)
        configuration.inFlightMax = 1
        configuration.commandTimeout = .zero
        let timeout = #expect(throws: RedisError.self) { try configuration.validate() }
        #expect(timeout?.description.contains("commandTimeout") == true)
        configuration.commandTimeout = .seconds(1)
        configuration.clientName = "two words"
        #expect(throws: RedisError.self) { try configuration.validate() }
    }
}
