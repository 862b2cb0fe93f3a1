import AsyncHTTPClient
import Foundation
import GameModel
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Telemetry
import TestSupport

@testable import InstanceWorker
@testable import MusterInstance

/// A frame of the server as a test reads it.
struct AnyFrame: Decodable, Sendable {
    var type: String
    var code: String?
    var matchId: MatchID?
    var team: Int?
    var character: String?
    var health: Int?
    var winner: Int?
    var players: [Player]?

    struct Player: Decodable, Sendable {
        var playerId: PlayerID
        var team: Int
        var health: Int?
        var damage: Int?
    }
}

/// One player's connection to the game port.
struct GameClient {
    private var frames: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let writer: NIOAsyncChannelOutboundWriter<ByteBuffer>

    init(
        _ frames: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.frames = frames
        self.writer = writer
    }

    func send(_ text: String) async throws { try await writer.write(ByteBuffer(string: text)) }

    func join(_ token: String) async throws { try await send(#"{"type":"join","token":"\#(token)"}"# + "\n") }

    /// The next frame; `nil` when the server has closed.
    mutating func next() async throws -> AnyFrame? {
        guard let line = try await frames.next() else { return nil }
        return try JSONDecoder().decode(AnyFrame.self, from: Data(line.readableBytesView))
    }

    /// All frames until the server closes.
    mutating func rest() async throws -> [AnyFrame] {
        var all: [AnyFrame] = []
        while let frame = try await next() { all.append(frame) }
        return all
    }
}

/// Connects to a game port and closes afterwards.
func withGameClient<T: Sendable>(
    _ port: Int, _ body: @Sendable @escaping (inout GameClient) async throws -> T
) async throws -> T {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    ByteToMessageHandler(LineDecoder(bytesMax: 1 << 20)))
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        var client = GameClient(inbound.makeAsyncIterator(), outbound)
        return try await body(&client)
    }
}

/// Joins and plays to the end; all frames that came.
func play(_ port: Int, token: String) async throws -> [AnyFrame] {
    try await withGameClient(port) { client in
        try await client.join(token)
        return try await client.rest()
    }
}

/// A running instance of a test.
struct TestInstance: Sendable {
    let configuration: InstanceConfiguration
    let port: Int
    let group: ServiceGroup

    /// What the game knows the API by.
    let client: InstanceClient

    var id: InstanceID { configuration.instance }
}

extension InstanceConfiguration {
    /// Quick matches, so that a test is over soon.
    static func quick(api: String, data: String) -> InstanceConfiguration {
        var configuration = InstanceConfiguration()
        configuration.apiURL = api
        configuration.dataFolder = data
        configuration.token = "t"
        configuration.play.tick = .milliseconds(5)
        configuration.stopGrace = .seconds(5)
        // However slow the machine is, who comes gets in, and who is waited for is there.
        configuration.play.joinWait = .seconds(60)
        configuration.limits.handshake = .seconds(60)
        return configuration
    }
}

/// Runs the body beside an instance, then stops the instance gracefully.
func withInstance<T: Sendable>(
    _ configuration: InstanceConfiguration, _ body: @Sendable @escaping (TestInstance) async throws -> T
) async throws -> T {
    let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
    do {
        let result = try await run(configuration, client, body)
        try await client.shutdown()
        return result
    } catch {
        try await client.shutdown()
        throw error
    }
}

private func run<T: Sendable>(
    _ configuration: InstanceConfiguration, _ client: HTTPClient,
    _ body: @Sendable @escaping (TestInstance) async throws -> T
) async throws -> T {
    var logger = Logger(label: "test.instance")
    logger.logLevel = .critical
    let services = try await InstanceProcess(configuration: configuration, logger: logger)
        .services(client: client, withHealth: false)
    guard let server = services.compactMap({ $0 as? GameServer }).first,
        let instance = services.compactMap({ $0 as? InstanceClient }).first
    else {
        throw TestSupportError("the instance has no game port")
    }
    let group = ServiceGroup(
        configuration: .init(
            services: services.map {
                .init(
                    service: $0,
                    successTerminationBehavior: $0 is any SelfStoppingService ? .gracefullyShutdownGroup : .cancelGroup)
            }, logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let result: T
        do {
            result = try await body(
                TestInstance(configuration: configuration, port: server.port, group: group, client: instance))
        } catch {
            tasks.cancelAll()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

/// A fake API and an instance that knows it.
func withAPIAndInstance<T: Sendable>(
    _ change: @Sendable @escaping (inout InstanceConfiguration) -> Void = { _ in },
    _ body: @Sendable @escaping (FakeAPI, TestInstance) async throws -> T
) async throws -> T {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    return try await withFakeAPI { api, url in
        var configuration = InstanceConfiguration.quick(api: url, data: folder.path)
        change(&configuration)
        return try await withInstance(configuration) { instance in try await body(api, instance) }
    }
}
