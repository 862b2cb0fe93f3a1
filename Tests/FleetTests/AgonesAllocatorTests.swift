import AsyncHTTPClient
import Foundation
import GameModel
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import Fleet

@Suite("Agones: matches on a cluster's game servers, asked for over its REST API with certificates on both sides")
struct AgonesAllocatorTests {
    private struct Cluster: Sendable {
        let fake: AgonesFake
        let fleet: FleetService
        let redis: RedisClient
        var configuration: AgonesConfiguration
        let certificates: TestCertificates

        /// Runs the body with an allocator for this configuration.
        func withAllocator(
            _ change: (inout AgonesConfiguration) -> Void = { _ in },
            _ body: @Sendable @escaping (AgonesAllocator) async throws -> Void
        ) async throws {
            var configuration = configuration
            change(&configuration)
            let allocator = try AgonesAllocator(
                configuration, fleet: fleet, logger: DriverHost.quiet, share: { 0.01 })
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: allocator)], logger: DriverHost.quiet))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                do { try await body(allocator) } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    private func withCluster(_ body: @Sendable @escaping (Cluster) async throws -> Void) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let fake = try await AgonesFake.start(certificates)
        try await withRedis { redis, _ in
            var configuration = AgonesConfiguration()
            configuration.url = fake.url
            configuration.namespace = "games"
            configuration.authorityFile = certificates.authority
            configuration.certificateFile = certificates.clientCertificate
            configuration.keyFile = certificates.clientKey
            configuration.port = "game"
            configuration.timeout = .seconds(20)
            try await body(
                Cluster(
                    fake: fake, fleet: FleetService(redis: redis), redis: redis, configuration: configuration,
                    certificates: certificates))
        }
        #expect(fake.violations.isEmpty, "each request is as the published document says")
        try await fake.stop()
    }

    private func server(_ name: String, region: String = "eu", fleet: String = "muster") -> AgonesFake.GameServer {
        AgonesFake.GameServer(name: name, labels: ["agones.dev/fleet": fleet, "muster/region": region])
    }

    @Test("a match gets a ready server of its region and fleet, once, and the fleet holds it")
    func allocates() async throws {
        try await withCluster { cluster in
            cluster.fake.add(
                server("us-1", region: "us"), server("other-1", fleet: "other"), server("eu-1"), server("eu-2"))
            try await cluster.withAllocator { allocator async throws in
                let match = MatchID.duel()
                let place = try #require(try await allocator.allocate(match))
                #expect(place.instance == InstanceID("eu.eu-1") && place.isNew)
                #expect(place.host == "203.0.113.7" && place.port == 7_777)
                let again = try #require(try await allocator.allocate(match))
                #expect(again.instance == place.instance && !again.isNew && again.at == place.at)
                #expect(again.host == place.host && again.port == place.port)
                let taken = try #require(cluster.fake.servers.first { $0.name == "eu-1" })
                #expect(taken.labels["muster/match"] == match.rawValue)
                #expect(taken.annotations["muster/match"] == match.rawValue)
                #expect(try await cluster.fleet.allocated([match], in: eu) == [match])

                #expect(try await allocator.allocate(.duel())?.instance == InstanceID("eu.eu-2"))
                #expect(try await allocator.allocate(.duel()) == nil, "none is free in this region")
                #expect(cluster.fake.servers.filter { $0.state == "Ready" }.map(\.name) == ["us-1", "other-1"])
            }
        }
    }

    @Test("an answer that never came is asked for again, and the match gets the server that it was given")
    func lostAnswer() async throws {
        try await withCluster { cluster in
            cluster.fake.add(server("eu-1"), server("eu-2"))
            cluster.fake.next(.swallow)
            try await cluster.withAllocator {
                $0.timeout = .seconds(2)
                $0.attempts = 10
            } _: { allocator async throws in
                #expect(try await allocator.allocate(.duel())?.instance == InstanceID("eu.eu-1"))
            }
            #expect(cluster.fake.servers.map(\.state) == ["Allocated", "Ready"])
        }
    }

    @Test("contention and failures are asked again, up to a bound; a refusal is told at once, with its words")
    func refusals() async throws {
        try await withCluster { cluster in
            cluster.fake.add(server("eu-1"))
            try await cluster.withAllocator { allocator async throws in
                let (fake, match) = (cluster.fake, MatchID.duel())
                fake.next(
                    .refuse(.conflict, "too many"), .refuse(.conflict, "too many"), .refuse(.conflict, "too many"))
                #expect(try await allocator.allocate(match) == nil, "contention is no fault")
                #expect(fake.requests.count == 3)

                fake.next(.refuse(.serviceUnavailable, "starting"), .refuse(.internalServerError, "oops"))
                fake.next(.refuse(.gatewayTimeout, "slow"))
                await #expect(throws: AgonesError.refused(status: 504, message: "slow")) {
                    try await allocator.allocate(match)
                }
                #expect(fake.requests.count == 6)

                for (status, words) in [(403, "no"), (401, "who"), (400, "what"), (404, "where")] {
                    fake.next(.refuse(.init(statusCode: status), words))
                    await #expect(throws: AgonesError.refused(status: status, message: words)) {
                        try await allocator.allocate(match)
                    }
                }
                #expect(fake.requests.count == 10, "not asked again")

                fake.next(.refuse(.tooManyRequests, "none"))
                #expect(try await allocator.allocate(match) == nil)
                fake.next(.refuse(.conflict, "too many"), .refuse(.internalServerError, "oops"))
                #expect(try await allocator.allocate(match)?.instance == InstanceID("eu.eu-1"))
            }
        }
    }

    @Test("an answer that can't be right is refused: no name, no address, no such port, no instance's name, no JSON")
    func badAnswers() async throws {
        try await withCluster { cluster in
            let good = #""ports":[{"name":"game","port":7}],"address":"h""#
            let answers = [
                "{}", "[]", "<html>", #"{"gameServerName":"a",\#(good.dropLast(12))}"#, #"{\#(good)}"#,
                #"{"gameServerName":"a/../b",\#(good)}"#, #"{"gameServerName":"a b",\#(good)}"#,
                #"{"gameServerName":"a","ports":[{"name":"web","port":7}],"address":"h"}"#,
                #"{"gameServerName":"a","ports":[{"name":"game","port":70000}],"address":"h"}"#,
                #"{"gameServerName":"a","address":"h"}"#,
            ]
            try await cluster.withAllocator { allocator async throws in
                for answer in answers {
                    cluster.fake.next(.answer(answer))
                    do {
                        _ = try await allocator.allocate(.duel())
                        Issue.record("taken for an answer: \(answer)")
                    } catch AgonesError.badAnswer {
                        continue
                    }
                }
                cluster.fake.next(.answer(#"{"gameServerName":"a",\#(good)}"#))
                #expect(try await allocator.allocate(.duel())?.port == 7)
                await #expect(throws: AgonesError.unknownRegion("nonsense")) {
                    try await allocator.allocate(MatchID("nonsense"))
                }
            }
        }
    }

    @Test("neither side speaks to one that its authority did not sign")
    func certificates() async throws {
        let strangers = try TestCertificates()
        defer { strangers.remove() }
        try await withCluster { cluster in
            cluster.fake.add(server("eu-1"))
            func refuses(_ change: (inout AgonesConfiguration) -> Void) async throws {
                try await cluster.withAllocator {
                    $0.timeout = .milliseconds(500)
                    $0.attempts = 1
                    change(&$0)
                } _: { allocator async throws in
                    do {
                        _ = try await allocator.allocate(.duel())
                        Issue.record("was trusted")
                    } catch AgonesError.unreachable {
                        return
                    }
                }
            }
            try await refuses { $0.authorityFile = strangers.authority }
            try await refuses {
                $0.certificateFile = strangers.clientCertificate
                $0.keyFile = strangers.clientKey
            }
            // By an address that the certificate does not name.
            try await refuses { $0.url = $0.url.replacingOccurrences(of: "localhost", with: "127.0.0.2") }
            try await noCertificate(cluster)
            #expect(cluster.fake.requests.isEmpty, "nothing was asked of it")

            var configuration = cluster.configuration
            configuration.keyFile = "/nonexistent/key.pem"
            #expect(throws: AgonesError.self) { try AgonesClient(configuration) }
            configuration = cluster.configuration
            configuration.authorityFile = "/nonexistent/ca.pem"
            #expect(throws: AgonesError.self) { try AgonesClient(configuration) }
        }
    }

    /// The stand-in wants a client's certificate, as the service does.
    private func noCertificate(_ cluster: Cluster) async throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(cluster.certificates.authority))
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: tls))
        var request = HTTPClientRequest(url: cluster.fake.url + "/gameserverallocation")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: "{}"))
        await #expect(throws: (any Error).self) {
            _ = try await client.execute(request, timeout: .milliseconds(500))
        }
        try await client.shutdown()
    }

    @Test("a match stays on the server that it was bound to while that lives, and a dead one's match moves")
    func binding() async throws {
        try await withCluster { cluster in
            let (fleet, match) = (cluster.fleet, MatchID.duel())
            let (first, second) = (InstanceID("eu.one"), InstanceID("eu.two"))
            #expect(try await fleet.bind(match, to: first, host: "h1", port: 1).isNew)
            // Not heard of yet: the cluster may have given another.
            #expect(try await fleet.bind(match, to: second, host: "h2", port: 2).instance == second)
            try await fleet.heartbeat(second, .of(1, [match]))
            let stays = try await fleet.bind(match, to: first, host: "h1", port: 1)
            #expect(stays.instance == second && !stays.isNew && stays.host == "10.0.0.1")
            #expect(try await fleet.deregister(second) == [match])
            #expect(try await fleet.bind(match, to: first, host: "h1", port: 1).instance == first)
            #expect(try await fleet.list(eu).lost == 0)
            #expect(try await fleet.release(match))
        }
    }

    @Test("a name too long for a label is shortened to a digest that is one")
    func labels() {
        let short = MatchID.duel()
        #expect(AgonesAllocator.label(of: short) == short.rawValue)
        let name = String(repeating: "m", count: 32)
        let long = MatchID(in: Pool(mode: Mode(name), region: Region(name)), ULID())
        let label = AgonesAllocator.label(of: long)
        #expect(label.count == 32 && label.allSatisfy { $0.isHexDigit })
        #expect(label == AgonesAllocator.label(of: long))
    }
}
