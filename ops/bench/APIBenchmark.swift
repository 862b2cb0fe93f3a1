import Accounts
import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOHTTP1

/// The whole benchmark of the API: log-in, catalog, order and status beside a bare Hummingbird "hello" of the same run,
/// all as processes of their own; then orders through to paid, in one process, with and without group commit.
public struct APIBenchmark: Sendable {
    /// This program.
    public var executable: String
    public var connections = 32
    /// Seconds per timed figure.
    public var seconds = 5.0
    /// Orders of the store's figures.
    public var orders = 10_000
    /// Print JSON at the end in place of lines on the way.
    public var json = false

    public init(executable: String) { self.executable = executable }

    /// Measures and prints.
    public func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "muster-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let outcome: Result<[BenchFigure], any Error>
        do {
            outcome = .success(try await figures(folder))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: folder)
        let figures = try outcome.get()
        guard json else {
            let judged = figures.filter { $0.met != nil }
            return say("\n\(judged.count { $0.met == true }) of \(judged.count) targets met")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(Report(build: Self.build, figures: figures)), as: UTF8.self))
    }

    private struct Report: Encodable {
        let build: String
        let figures: [BenchFigure]
    }

    #if DEBUG
        private static let build = "debug build: not for comparing"
    #else
        private static let build = "release build"
    #endif

    private func figures(_ folder: String) async throws -> [BenchFigure] {
        if !json {
            say("\(ProcessInfo.processInfo.activeProcessorCount) cores, client included · \(Self.build)\n")
        }
        let server = try await BenchedAPI.start(executable, folder: folder)
        let outcome: Result<[BenchFigure], any Error>
        do {
            outcome = .success(try await routes(server))
        } catch {
            outcome = .failure(error)
        }
        try server.stop()
        let store = StoreBenchmark(executable: executable, orders: orders)
        let lives = try await store.run(folder: folder)
        if !json { for figure in lives { say(figure.line) } }
        return try outcome.get() + lives
    }

    // MARK: Routes

    private func routes(_ server: BenchedAPI) async throws -> [BenchFigure] {
        let player = try await server.registeredPlayer()
        let order = try await server.placeOrder(player)
        let ticket = try await server.queue(player)
        let tag = try await server.tag(player)
        let hello = try await measure(
            "hello, bare Hummingbird", port: server.helloPort, pid: server.helloPid,
            HTTPHammer.request("GET", "/hello"))
        var figures = hello
        let limit = hello[0].value
        func add(_ name: String, _ request: [UInt8], wanted: Int = 200, target: Bool) async throws {
            var measured = try await measure(
                name, port: server.apiPort, pid: server.apiPid, request, wanted: wanted)
            measured[0] = measured[0].beside(limit, "hello").atLeast(target ? limit.map { $0 * 0.6 } : nil)
            figures += measured
        }
        try await add(
            "catalog", HTTPHammer.request("GET", "/v1/store/products", token: player.token), target: true)
        try await add(
            "catalog, not changed (304)",
            HTTPHammer.request(
                "GET", "/v1/store/products", token: player.token, headers: [("If-None-Match", tag)]),
            wanted: 304, target: false)
        try await add(
            "status of a ticket",
            HTTPHammer.request("GET", "/v1/matchmaking/tickets/\(ticket)", token: player.token), target: true)
        try await add(
            "status of an order", HTTPHammer.request("GET", "/v1/store/orders/\(order)", token: player.token),
            target: false)
        figures += try await logIns(server) + (try await placing(server))
        return figures
    }

    /// Requests per second with p50 and p99, and the server's CPU time per request.
    private func measure(
        _ name: String, port: Int, pid: Int32, wanted: Int = 200, connections: Int? = nil,
        _ request: @escaping @Sendable (Int) -> [UInt8]?
    ) async throws -> [BenchFigure] {
        let hammer = HTTPHammer(host: "127.0.0.1", port: port, connections: connections ?? self.connections)
        let before = try BenchChild.cpuMicroseconds(of: pid)
        let result = try await hammer.run(for: .milliseconds(Int64(seconds * 1000)), request)
        let after = try BenchChild.cpuMicroseconds(of: pid)
        guard result.answers > 0, result.others(than: wanted) == 0 else {
            throw BenchError("\(name): answers other than \(wanted): \(result.statuses)")
        }
        let figures = [
            BenchFigure(name, result.perSecond, "1/s"),
            BenchFigure("  p50", result.p50 / 1000, "ms"), BenchFigure("  p99", result.p99 / 1000, "ms"),
            BenchFigure("  server's CPU per request", (after - before) / Double(result.answers), "µs"),
        ]
        if !json { for figure in figures { say(figure.line) } }
        return figures
    }

    private func measure(
        _ name: String, port: Int, pid: Int32, _ request: [UInt8], wanted: Int = 200
    ) async throws -> [BenchFigure] {
        try await measure(name, port: port, pid: pid, wanted: wanted) { _ in request }
    }

    /// Log-ins are as slow as scrypt is meant to be: two at a time, as many as there are cores.
    private func logIns(_ server: BenchedAPI) async throws -> [BenchFigure] {
        let body = #"{"email":"\#(server.email)","password":"\#(BenchedAPI.password)"}"#
        let request = HTTPHammer.request("POST", "/v1/sessions", body: body)
        return try await measure(
            "log-in (scrypt, 2^14, r=8, p=5)", port: server.apiPort, pid: server.apiPid, wanted: 201,
            connections: ProcessInfo.processInfo.activeProcessorCount
        ) { _ in request }
    }

    /// Each order is of another player, so that none is refused for buying too often.
    private func placing(_ server: BenchedAPI) async throws -> [BenchFigure] {
        let tokens = try await server.tokens(2_000)
        return try await measure(
            "order, accepted (202)", port: server.apiPort, pid: server.apiPid, wanted: 202
        ) { number in
            HTTPHammer.request(
                "POST", "/v1/store/orders", token: tokens[number % tokens.count],
                headers: [("Idempotency-Key", "bench-\(number)")],
                body: #"{"productId":"potion-healing","paymentMethod":"pm_card_visa"}"#)
        }
    }

    /// Output to a pipe is kept back until there is much of it; a reader wants each part as it comes.
    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
