import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import InstanceWorker

@Suite("Agones' sidecar: a game server says how it is, and learns where players reach it")
struct SidecarTests {
    /// What was asked of the sidecar, and what it answers.
    private final class Sidecar: Sendable {
        struct State: Sendable {
            var asked: [String] = []
            var gameServer = "{}"
            var isUp = true
        }
        let state = Mutex(State())

        var asked: [String] { state.withLock { $0.asked } }
        func count(_ path: String) -> Int { asked.count { $0 == path } }

        func answer(_ method: HTTPMethod, _ path: String, _ body: Data) -> (HTTPResponseStatus, String)? {
            state.withLock { state in
                guard state.isUp else { return (.serviceUnavailable, "{}") }
                state.asked.append("\(method) \(path)")
                if method == .POST, body != Data("{}".utf8) { return (.badRequest, "{}") }
                return (.ok, path == "/gameserver" ? state.gameServer : "{}")
            }
        }
    }

    private func serve(_ fake: Sidecar) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(AnsweringHandler(fake.answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    @Test(
        "it waits for its address, says that it is ready once the fleet knows it, that it is well, and when it is done")
    func life() async throws {
        let fake = Sidecar()
        let channel = try await serve(fake)
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        let known = Flag()
        var sidecar = AgonesSidecar(
            port: channel.localAddress?.port ?? 0, portName: "game", http: http, isReady: { known.value },
            logger: DriverHost.quiet)
        sidecar.interval = .milliseconds(20)

        fake.state.withLock { $0.isUp = false }
        async let place = sidecar.place()
        fake.state.withLock { $0.isUp = true }
        try await eventually("it has asked") { fake.count("GET /gameserver") > 0 }
        fake.state.withLock {
            $0.gameServer = """
                {"object_meta":{"name":"muster-x"},"status":{"state":"Scheduled","address":"203.0.113.9",\
                "ports":[{"name":"web","port":1},{"name":"game","port":7654}]}}
                """
        }
        #expect(try await place == AgonesSidecar.Place(host: "203.0.113.9", port: 7_654))

        let group = ServiceGroup(
            configuration: .init(services: [.init(service: sidecar)], logger: DriverHost.quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("it says that it is well") { fake.count("POST /health") > 2 }
            #expect(fake.count("POST /ready") == 0, "the fleet does not know it yet")
            known.value = true
            try await eventually("it is ready") { fake.count("POST /ready") == 1 }
            let before = fake.count("POST /health")
            try await eventually("and goes on") { fake.count("POST /health") > before + 2 }
            #expect(fake.count("POST /ready") == 1, "said once")
            #expect(fake.count("POST /shutdown") == 0)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        // A word that was cut short by the end may arrive after the last.
        #expect(fake.asked.last { $0 != "POST /health" } == "POST /shutdown")
        #expect(fake.count("POST /shutdown") == 1)
        try await http.shutdown()
        try await channel.close()
    }

    @Test("allocated and without a match for too long it ends by itself; not before, and not while a match is there")
    func allocatedInVain() async throws {
        let fake = Sidecar()
        let channel = try await serve(fake)
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        let (idle, ended) = (Flag(), Flag())
        let sidecar = AgonesSidecar(
            port: channel.localAddress?.port ?? 0, portName: nil, http: http, isReady: { true },
            logger: DriverHost.quiet)
        var watch = AllocationWatch(sidecar: sidecar, isIdle: { idle.value }, logger: DriverHost.quiet)
        (watch.idleMax, watch.interval) = (.milliseconds(20), .milliseconds(5))
        func looksAgain(_ what: String) async throws {
            let before = fake.count("GET /gameserver")
            try await eventually(what) { fake.count("GET /gameserver") >= before + 10 }
            #expect(!ended.value, "\(what)")
        }
        try await withThrowingTaskGroup(of: Void.self) { [watch] tasks in
            tasks.addTask {
                try await watch.run()
                ended.value = true
            }
            idle.value = true
            fake.state.withLock { $0.gameServer = #"{"status":{"state":"Ready"}}"# }
            try await looksAgain("idle and ready")
            idle.value = false
            fake.state.withLock { $0.gameServer = #"{"status":{"state":"Allocated"}}"# }
            try await looksAgain("allocated, with a match")
            fake.state.withLock { $0.isUp = false }
            idle.value = true
            fake.state.withLock { $0.isUp = true }
            try await tasks.waitForAll()
        }
        #expect(ended.value)
        try await http.shutdown()
        try await channel.close()
    }

    @Test("a game server without an address, or without the port, has no place yet")
    func places() throws {
        func place(_ text: String, _ name: String? = nil) throws -> AgonesSidecar.Place? {
            try AgonesSidecar.place(in: Data(text.utf8), portName: name)
        }
        #expect(try place("{}") == nil)
        #expect(try place(#"{"status":{"address":"","ports":[{"name":"a","port":1}]}}"#) == nil)
        #expect(try place(#"{"status":{"address":"h","ports":[]}}"#) == nil)
        let two = #"{"status":{"address":"h","ports":[{"name":"a","port":1},{"name":"b","port":2}]}}"#
        #expect(try place(two) == .init(host: "h", port: 1))
        #expect(try place(two, "b") == .init(host: "h", port: 2))
        #expect(try place(two, "c") == nil)
        #expect(throws: (any Error).self) { try place("no JSON") }
    }
}

private final class Flag: Sendable {
    private let state = Mutex(false)
    var value: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
