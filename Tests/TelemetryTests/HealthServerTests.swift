import AsyncHTTPClient
import Foundation
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Telemetry
import TestSupport
import Testing

@Suite("Health server")
struct HealthServerTests {
    private struct Answer {
        let status: Int
        let type: String
        let body: String
    }

    /// Serves on a free port, runs the body, and stops gracefully.
    private func withServer(
        _ readiness: Readiness, registry: MetricsRegistry = MetricsRegistry(),
        _ body: (_ get: (String) async throws -> Answer) async throws -> Void
    ) async throws {
        let port = Shared(0)
        let server = HealthServer(
            host: "127.0.0.1", port: 0, readiness: readiness, registry: registry, logger: Logger(label: "test"),
            onListening: { bound in port.set(bound) })
        let group = ServiceGroup(services: [server], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("the server listens") { port.value != 0 }
            let base = "http://127.0.0.1:\(port.value)"
            try await body { path in
                let response = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: base + path), timeout: .seconds(60))
                let bytes = try await response.body.collect(upTo: 1 << 20)
                return Answer(
                    status: Int(response.status.code), type: response.headers.first(name: "content-type") ?? "",
                    body: String(buffer: bytes))
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test("a process that runs is healthy, even while it is not ready")
    func healthz() async throws {
        let readiness = Readiness()
        readiness.register("redis") { .notReady("no connection") }
        try await withServer(readiness) { get in
            let answer = try await get("/healthz")
            #expect(answer.status == 200)
        }
    }

    @Test("readiness follows its checks, and says which one is missing and why")
    func readyz() async throws {
        let isConnected = Shared(false)
        let readiness = Readiness(checkTimeout: .seconds(60))
        readiness.register("redis") { isConnected.value ? .ready : .notReady("no connection") }
        readiness.register("records") { .ready }
        try await withServer(readiness) { get in
            let before = try await get("/readyz")
            #expect(before.status == 503)
            #expect(before.type == "application/json")
            let summary = try JSONDecoder().decode(ReadinessSummary.self, from: Data(before.body.utf8))
            #expect(!summary.ready)
            #expect(summary.checks.map(\.name) == ["redis", "records"])
            #expect(summary.checks.map(\.reason) == ["no connection", nil])
            isConnected.set(true)
            let after = try await get("/readyz")
            #expect(after.status == 200)
        }
    }

    @Test("a check that gives no answer counts as not ready")
    func hangingCheck() async throws {
        let readiness = Readiness(checkTimeout: .milliseconds(20))
        readiness.register("deaf") {
            await untilCancelled()
            return .ready
        }
        let states = await readiness.report().map(\.state)
        #expect(states == [.notReady("no answer within 0.02 seconds")])
    }

    @Test("a check that is registered again replaces the first")
    func replacesChecks() async {
        let readiness = Readiness()
        readiness.register("a") { .notReady("old") }
        readiness.register("a") { .ready }
        let report = await readiness.report()
        #expect(report.map(\.name) == ["a"])
        #expect(report.map(\.state) == [.ready])
    }

    @Test("metrics are served as Prometheus text 0.0.4")
    func metrics() async throws {
        let registry = MetricsRegistry()
        Counter(label: "made_total", dimensions: [("kind", "x")], factory: registry).increment(by: 4)
        try await withServer(Readiness(), registry: registry) { get in
            let answer = try await get("/metrics")
            #expect(answer.status == 200)
            #expect(answer.type == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.body.contains("made_total{kind=\"x\"} 4\n"))
        }
    }

    @Test("any other path is not found")
    func unknown() async throws {
        try await withServer(Readiness()) { get in
            let answer = try await get("/nowhere")
            #expect(answer.status == 404)
        }
    }
}
