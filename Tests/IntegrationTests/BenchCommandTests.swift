import Foundation
import TestSupport
import Testing

/// The benchmarks in small: that they come to their end, and that no figure is without its limit. How high the figures
/// are is no matter here.
@Suite struct BenchCommandTests {
    private struct Report: Decodable {
        struct Figure: Decodable {
            let name: String
            /// `nil` where it could not be measured, and then it is said why.
            let value: Double?
            let unmeasured: String?
            let unit: String
            let limit: Double?
            let target: String?
        }

        let figures: [Figure]

        func figure(_ name: String) throws -> Figure {
            try #require(figures.first { $0.name.hasPrefix(name) }, "no figure \(name) in \(figures.map(\.name))")
        }
    }

    private static func run(_ arguments: [String]) async throws -> Report {
        let lines = try await Terminal.run(try MusterUp.executable(), ["bench"] + arguments + ["--json"])
        return try JSONDecoder().decode(Report.self, from: Data(lines.joined(separator: "\n").utf8))
    }

    @Test("bench ingest tells rows a second beside the C API's, two processes beside one, and a burst to its end")
    func ingest() async throws {
        // Small batches, so that the backlog is seen to shrink by steps.
        let report = try await Self.run(["ingest", "--events", "20000", "--burst", "20000", "--batch", "50"])
        let append = try report.figure("append by the API")
        #expect(append.value ?? 0 > 0 && append.limit ?? 0 > 0, "\(append)")
        for name in ["ingest by 1 process", "ingest by 2 processes"] {
            let figure = try report.figure(name)
            // On a machine that had no time to look, the figure is absent, and that is said.
            #expect(figure.value.map { $0 > 0 } ?? (figure.unmeasured?.isEmpty == false), "\(figure)")
        }
        let one = try report.figure("ingest by 1 process")
        #expect(one.target != nil && one.limit ?? 0 > 0, "\(one)")
        let two = try report.figure("ingest by 2 processes")
        #expect(two.limit ?? 0 > 0 || one.value == nil, "\(two)")
        #expect(try report.figure("  events that were not stored").value == 0)
    }

    @Test("bench fleet tells an allocation beside five round trips, and a whole placement")
    func fleet() async throws {
        let report = try await Self.run([
            "fleet", "--slots", "1000", "--placements", "200", "--matches", "0", "--seconds", "0.2",
        ])
        let allocation = try report.figure("allocation from ready slots, p50")
        let roundTrip = try report.figure("round trip to Redis (PING), p50")
        #expect(allocation.limit == (try #require(roundTrip.value)) * 5)
        #expect(try report.figure("whole placement by 1 allocator").value ?? 0 > 0)
    }
}
