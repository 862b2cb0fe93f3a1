import Foundation
import Testing

@Suite("The load balancer's configuration")
struct LoadBalancerTests {
    @Test("it hides /metrics, however many slashes a path has, and nothing else")
    func metrics() throws {
        let line = try #require(try lines().first { $0.hasPrefix("http-request deny") })
        let pattern = try #require(line.firstMatch(of: /-m reg (\S+) \}/)).output.1
        let regex = try Regex(String(pattern))
        for path in ["/metrics", "/metrics/", "//metrics", "///metrics//"] { #expect(path.contains(regex), "\(path)") }
        for path in ["/", "/v1/metrics", "/metricsx"] { #expect(!path.contains(regex), "\(path)") }
    }

    @Test("it says itself whether a request came by https, whatever the client says")
    func scheme() throws {
        let lines = try lines()
        let deleted = try #require(lines.firstIndex(of: "http-request del-header X-Forwarded-Proto"))
        let set = try #require(lines.firstIndex(of: "http-request set-header X-Forwarded-Proto https if { ssl_fc }"))
        #expect(deleted < set)
    }

    private func lines() throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let text = try String(contentsOf: root.appending(path: "ops/deploy/haproxy.cfg"), encoding: .utf8)
        return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
