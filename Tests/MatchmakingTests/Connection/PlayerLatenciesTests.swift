import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("Latencies of players: smoothed, bounded, and not believed blindly")
struct PlayerLatenciesTests {
    private static let (eu, us) = (Region("eu"), Region("us"))
    private let player = PlayerID("ada")

    @Test(
        "the median of the samples counts, whatever their order and number",
        arguments: zip([[20.0], [10, 30], [4_900, 20, 21], [40, 10, 20, 30]], [20.0, 20, 21, 25]))
    func median(_ samples: [Double], _ expected: Double) throws {
        #expect(try LatencyReport([Self.eu: samples], played: [Self.eu]).medians == [Self.eu: expected])
    }

    @Test(
        "samples that can't have been measured are refused by region and value",
        arguments: [Double.nan, -Double.infinity, .infinity, -0.1, 5_000.1, 1e300])
    func badSample(_ value: Double) {
        let error = #expect(throws: LatencyError.self) {
            try LatencyReport([Self.eu: [20], Self.us: [30, value]], played: [Self.eu, Self.us])
        }
        #expect(error == .value(Self.us, "\(value)"))
        #expect(error?.description.contains("'us' is \(value)") == true)
    }

    @Test("no sample, too many of them, a region that is not played in: refused")
    func badReports() {
        let played = [Self.eu, Self.us]
        #expect(throws: LatencyError.samples(Self.eu, 0)) { try LatencyReport([Self.eu: []], played: played) }
        #expect(throws: LatencyError.samples(Self.eu, 21)) {
            try LatencyReport([Self.eu: Array(repeating: 1, count: 21)], played: played)
        }
        #expect(throws: LatencyError.elsewhere(Region("mars"), known: played)) {
            try LatencyReport([Region("mars"): [1]], played: played)
        }
        let many = (0...20).map { Region("r\($0)") }
        #expect(throws: LatencyError.regions(21)) {
            try LatencyReport(Dictionary(uniqueKeysWithValues: many.map { ($0, [1]) }), played: many)
        }
    }

    @Test("the first report is taken as it is; later ones move the value by a part of the difference")
    func smoothed() async throws {
        try await withLatencies(fallInterval: .zero) { latencies in
            #expect(try await latencies.known(player).isEmpty)
            let reports: [([Region: [Double]], [Region: Double])] = [
                ([Self.eu: [100]], [Self.eu: 100]),
                ([Self.eu: [200], Self.us: [90]], [Self.eu: 160, Self.us: 90]),
                ([Self.eu: [150]], [Self.eu: 154, Self.us: 90]),
            ]
            for (samples, expected) in reports {
                let known = try await latencies.report(player, samples)
                #expect(known == expected)
            }
            let kept = try await latencies.known(player)
            #expect(kept == [Self.eu: 154, Self.us: 90])
            #expect(try await latencies.known(PlayerID("bob")).isEmpty)
        }
    }

    @Test("a report lowers a value by half at most, and not again at once; it may rise at any time")
    func fallsSlowly() async throws {
        try await withLatencies(fallInterval: .seconds(600)) { latencies in
            var seen: [Double?] = []
            for ms: Double in [400, 0, 0, 300] {
                seen.append(try await latencies.report(player, [Self.eu: [ms]])[Self.eu])
            }
            #expect(seen == [400, 200, 200, 260])
        }
    }

    @Test("no report lowers a value below what instances measured; a measured one raises it at once")
    func floor() async throws {
        try await withLatencies(fallInterval: .zero) { latencies in
            try await latencies.report(player, [Self.eu: [10]])
            var seen: [Double?] = []
            // A jam of a moment (220) raises the floor by half of the difference, the next measurement sets it right.
            for measured: Double in [120, 220, 30] {
                try await latencies.observe(player, Self.eu, ms: measured)
                for _ in 0..<10 { try await latencies.report(player, [Self.eu: [1]]) }
                seen.append(try await latencies.known(player)[Self.eu])
            }
            #expect(seen == [120, 170, 30])
            await #expect(throws: LatencyError.value(Self.eu, "nan")) {
                try await latencies.observe(player, Self.eu, ms: .nan)
            }
        }
    }

    @Test("what is known is forgotten a day after the last news")
    func lifetime() async throws {
        try await withRedis { redis, _ in
            let latencies = PlayerLatencies(redis: redis, book: RulesBook(.standard))
            try await latencies.report(player, [Self.eu: [10]])
            let key = RedisArgument(MatchmakingKeys.latencies(player))
            let left = try await redis.send(RedisCommand("PTTL", key)).int ?? 0
            #expect((86_000_000...86_400_000).contains(left))
        }
    }

    @Test("of a player 20 regions are known at most, and those that are played no more are not told")
    func regionsBounded() async throws {
        try await withRedis { redis, _ in
            let first = (0..<20).map { Region("r\($0)") }
            let book = RulesBook(MatchmakingRules(modes: [:], regions: first))
            let latencies = PlayerLatencies(redis: redis, book: book)
            try await latencies.report(player, Dictionary(uniqueKeysWithValues: first.map { ($0, [10]) }))
            book.replace(with: MatchmakingRules(modes: [:], regions: [first[0], Region("new")]))
            let known = try await latencies.report(player, [Region("new"): [5]])
            #expect(known == [first[0]: 10])
        }
    }

    private func withLatencies(
        fallInterval: Duration, _ body: (PlayerLatencies) async throws -> Void
    ) async throws {
        try await withRedis { redis, _ in
            var smoothing = PlayerLatencies.Smoothing()
            smoothing.fallInterval = fallInterval
            try await body(PlayerLatencies(redis: redis, book: RulesBook(.standard), smoothing: smoothing))
        }
    }
}
