import Foundation
import Redis
import TestSupport
import Testing

@Suite("TLS") struct TLSTests {
    @Test("commands and blocking commands run encrypted, with the server's name or address verified")
    func encrypted() async throws {
        try await withTLSServer { port, certificates in
            for host in ["localhost", "127.0.0.1"] {
                let url = "rediss://\(host):\(port)/2?ca=\(certificates.authority)"
                try await withClient(try RedisConfiguration(url: url)) { redis in
                    try await redis.waitUntilConnected(timeout: .seconds(60))
                    #expect(try await redis.send(["CLIENT", "INFO"]).string?.contains(" db=2 ") == true)
                    let large = [UInt8](repeating: 7, count: 3_000_000)
                    _ = try await redis.send(["SET", "large", RedisArgument(large)], timeout: .seconds(60))
                    #expect(try await redis.send(["GET", "large"], timeout: .seconds(60)).bytes == large)
                    _ = try await redis.send(["RPUSH", "list", "item"])
                    let popped = try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(10))
                    #expect(popped.array?.last?.string == "item")
                }
            }
        }
    }

    @Test("many callers at once get their own replies over TLS") func manyCallers() async throws {
        try await withTLSServer { port, certificates in
            let url = "rediss://localhost:\(port)?ca=\(certificates.authority)"
            try await withClient(try RedisConfiguration(url: url)) { redis in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for caller in 0..<200 {
                        group.addTask {
                            for round in 0..<10 {
                                let word = "\(caller)-\(round)"
                                let reply = try await redis.send(["ECHO", RedisArgument(word)], timeout: .seconds(60))
                                #expect(reply.string == word)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("a server whose certificate another authority signed is refused, with the reason") func wrongAuthority()
        async throws
    {
        let others = try TestCertificates()
        defer { others.remove() }
        try await withTLSServer { port, _ in
            try await expectRefusal("rediss://localhost:\(port)?ca=\(others.authority)", "CERTIFICATE_VERIFY_FAILED")
            // The system's authorities did not sign it either.
            try await expectRefusal("rediss://localhost:\(port)", "CERTIFICATE_VERIFY_FAILED")
        }
    }

    @Test("a server whose certificate names another server is refused, unless that name is asked for")
    func wrongName() async throws {
        try await withTLSServer(names: ["DNS:r1.example"]) { port, certificates in
            let url = "rediss://127.0.0.1:\(port)?ca=\(certificates.authority)"
            try await expectRefusal(url, "TLS")
            try await expectRefusal(url + "&server-name=r2.example", "TLS")
            try await expectAnswer(url + "&server-name=r1.example")
        }
    }

    @Test("a server that wants a client certificate is reached with one, and refuses without") func clientCertificate()
        async throws
    {
        let others = try TestCertificates()
        defer { others.remove() }
        try await withTLSServer(wantsClientCertificate: true) { port, certificates in
            let url = "rediss://localhost:\(port)?ca=\(certificates.authority)"
            try await expectAnswer(url + "&cert=\(certificates.clientCertificate)&key=\(certificates.clientKey)")
            try await expectRefusal(url, "TLS")
            try await expectRefusal(url + "&cert=\(others.clientCertificate)&key=\(others.clientKey)", "TLS")
        }
    }

    @Test("a server without TLS is refused, not spoken to in clear") func plainServer() async throws {
        let server = try await RedisServer.start(tcp: true)
        defer { server.stop() }
        try await expectRefusal("rediss://127.0.0.1:\(try #require(server.port))", "time") {
            $0.connectTimeout = .milliseconds(100)
        }
    }

    @Test("certificate files that can't be read end the run with the file's name") func unreadable() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        for (query, file) in [
            ("ca=/nowhere/ca.pem", "/nowhere/ca.pem"),
            ("cert=\(certificates.clientCertificate)&key=/nowhere/client.key", "/nowhere/client.key"),
            ("ca=\(certificates.serverKey)", certificates.serverKey),
        ] {
            let configuration = try RedisConfiguration(url: "rediss://localhost?\(query)")
            let redis = RedisClient(configuration: configuration, logger: testLogger)
            let error = await #expect(throws: RedisError.self) { try await redis.run() }
            #expect(error?.description.contains(file) == true, "\(String(describing: error))")
        }
    }

    @Test("a renewed authority is found without a restart of the client") func renewed() async throws {
        let others = try TestCertificates()
        defer { others.remove() }
        try await withTLSServer { port, certificates in
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let file = folder.file("ca.pem")
            try Data(contentsOf: URL(filePath: others.authority)).write(to: URL(filePath: file))
            let url = "rediss://localhost:\(port)?ca=\(file)"
            try await withClient(try RedisConfiguration(url: url)) { redis in
                await #expect(throws: RedisError.self) {
                    try await redis.waitUntilConnected(timeout: .milliseconds(200))
                }
                try Data(contentsOf: URL(filePath: certificates.authority)).write(to: URL(filePath: file))
                try await redis.waitUntilConnected(timeout: .seconds(60))
                #expect(redis.isConnected)
            }
        }
    }

    private func expectAnswer(_ url: String) async throws {
        try await withClient(try RedisConfiguration(url: url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            let reply = try await redis.send(["ECHO", "heard"])
            #expect(reply.string == "heard")
        }
    }

    private func expectRefusal(
        _ url: String, _ word: String, configure: (inout RedisConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = try RedisConfiguration(url: url)
        configure(&configuration)
        try await withClient(configuration) { redis in
            try await eventually("the reason tells of \(word)") {
                let error = await #expect(throws: RedisError.self) {
                    try await redis.waitUntilConnected(timeout: .milliseconds(500))
                }
                #expect(!redis.isConnected)
                guard case .unavailable(let reason)? = error else {
                    Issue.record("got \(String(describing: error))")
                    return true
                }
                return reason.contains(word)
            }
        }
    }

    private func withTLSServer(
        names: [String] = ["DNS:localhost", "IP:127.0.0.1"], wantsClientCertificate: Bool = false,
        _ body: (Int, TestCertificates) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates(serverNames: names)
        defer { certificates.remove() }
        let port = try RedisServer.freePort()
        let server = try await RedisServer.start(arguments: [
            "--tls-port", String(port), "--tls-cert-file", certificates.serverCertificate, "--tls-key-file",
            certificates.serverKey, "--tls-ca-cert-file", certificates.authority, "--tls-auth-clients",
            wantsClientCertificate ? "yes" : "no",
        ])
        defer { server.stop() }
        try await body(port, certificates)
    }
}
