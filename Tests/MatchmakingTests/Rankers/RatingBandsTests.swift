import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("Rating bands")
struct RatingBandsTests {
    private static let spread = (0..<1_000).map { 1_000 + Double($0) }

    @Test("are as many as the waiting tickets need and the rankers can serve, a power of two")
    func counts() throws {
        func count(from bands: RatingBands, waiting: Int, rankers: Int) -> Int {
            bands.next(waiting: waiting, perBand: 100, rankers: rankers, ratings: { Self.spread })?.count ?? bands.count
        }
        #expect(count(from: .whole, waiting: 100, rankers: 8) == 1)
        #expect(count(from: .whole, waiting: 101, rankers: 8) == 2)
        #expect(count(from: .whole, waiting: 101, rankers: 1) == 1, "one ranker needs no bands")
        #expect(count(from: .whole, waiting: 1_000, rankers: 3) == 2)
        #expect(count(from: .whole, waiting: 350, rankers: 8) == 4)
        let two = RatingBands(borders: [1_500], generation: 3)
        #expect(count(from: two, waiting: 60, rankers: 8) == 2, "more than a quarter: it stays, so that it can't flap")
        #expect(count(from: two, waiting: 49, rankers: 8) == 1)
        #expect(count(from: two, waiting: 150, rankers: 1) == 1, "the other ranker went")
    }

    @Test("hold each rating once, whatever it is")
    func partition() {
        let bands = RatingBands(borders: [1_200, 1_500, 1_800], generation: 1)
        for rating in [-9_000, 0, 1_199.9, 1_200, 1_499, 1_500, 1_799.99, 1_800, 9_000] {
            let holders = (0..<4).filter { bands.range(of: $0)?.contains(rating) == true }
            #expect(holders.count == 1, "\(rating)")
        }
        #expect(RatingBands.whole.range(of: 0) == nil)
        #expect(bands.range(of: 4)?.contains(1_900) == false, "a band that is no more has no anchors")
    }

    @Test("are of equal size, and drawn anew when one has more than twice its share")
    func borders() throws {
        let bands = try #require(RatingBands.whole.next(waiting: 1_000, perBand: 300, rankers: 4) { Self.spread })
        #expect(bands.borders == [1_250, 1_500, 1_750])
        #expect(!bands.isLopsided(Self.spread))
        let high = Self.spread.map { $0 + 700 }
        #expect(bands.isLopsided(high))
        #expect(bands.next(waiting: 1_000, perBand: 300, rankers: 4) { high }?.borders == [1_950, 2_200, 2_450])
        #expect(bands.next(waiting: 1_000, perBand: 300, rankers: 4) { Self.spread } == nil)
    }

    @Test("are none where everyone has the same rating")
    func same() {
        let ratings = [Double](repeating: 1_500, count: 1_000)
        #expect(RatingBands.whole.next(waiting: 1_000, perBand: 100, rankers: 8) { ratings } == nil)
    }

    @Test("of no form known here count as none")
    func malformed() {
        #expect(RatingBands(count: "2", borders: "1500.5", generation: "7").borders == [1_500.5])
        #expect(RatingBands(count: "3", borders: "1500", generation: "7") == RatingBands(borders: [], generation: 7))
        #expect(RatingBands(count: "3", borders: "1500,1400", generation: nil) == .whole)
        #expect(RatingBands(count: nil, borders: nil, generation: nil) == .whole)
    }

    @Test("are divided by who holds the first, and by nobody else nor twice")
    func fenced() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let keys = MatchmakingKeys(duelEU)
            let lease = try await service.takePool("r")
            func divide(_ lease: String, _ generation: String) async throws -> Int? {
                try await redis.run(
                    RankerScripts.bands, keys: [keys.lease, keys.bands],
                    arguments: [RedisArgument(lease), RedisArgument(generation), "2", "1500.0"]
                ).int
            }
            #expect(try await divide("other 1", "0") == 0)
            #expect(try await divide(lease, "0") == 1)
            #expect(try await divide(lease, "0") == 0, "made of an older layout")
            #expect(try await divide(lease, "1") == 2)
        }
    }

    @Test("share a big pool between two rankers, who match across the border, and are given up when it is small again")
    func shared() async throws {
        try await withRedis { redis, _ in
            let rules = duels {
                $0.window = 5
                $0.windowGrowth = 0
            }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            var timing = Ranker.Timing(
                lease: .seconds(30), round: .milliseconds(100), tick: .milliseconds(20),
                deadlines: .milliseconds(50))
            timing.bandTickets = 20
            let rankers = (0..<2).map {
                Ranker(id: "r\($0)", redis: redis, rules: rules, timing: timing, logger: testLogger)
            }
            // None of these is within another's window.
            var tickets: [Ticket] = []
            for index in 0..<40 {
                tickets.append(try await service.queue("p\(index)", rating: 1_000 + 20 * Double(index)))
            }
            try await withRankers(rankers) { [tickets] in
                try await eventually("each band has a ranker of its own") {
                    let owners = try await Self.owners(redis)
                    return owners.count == 2 && Set(owners).count == 2
                }
                #expect(try await redis.send(Self.count).string == "2")
                // One of each pair is an anchor, in either band; the tickets about the border meet across it.
                var partners: [Ticket] = []
                for index in 0..<40 {
                    partners.append(try await service.queue("q\(index)", rating: 999 + 20 * Double(index)))
                }
                try await eventually("all are matched, each pair once") {
                    try await service.depth(of: duelEU).proposed.count == 40
                }
                for (ticket, partner) in zip(tickets, partners) {
                    let matches = (
                        try await service.ticket(ticket.id)?.match, try await service.ticket(partner.id)?.match
                    )
                    #expect(matches.0 == matches.1 && matches.0 != nil)
                }
                try await eventually("the pool is one again") { try await redis.send(Self.count).string == "1" }
                try await eventually("and has one ranker") { try await Self.owners(redis).count == 1 }
            }
        }
    }

    private static let count = RedisCommand("HGET", RedisArgument(MatchmakingKeys(duelEU).bands), "count")

    private static func owners(_ redis: RedisClient) async throws -> [String] {
        let keys = MatchmakingKeys(duelEU)
        let replies = try await redis.pipeline(
            (0..<2).map { RedisCommand("GET", RedisArgument(keys.lease(ofBand: $0))) })
        return replies.compactMap { $0.string?.split(separator: " ").first.map(String.init) }
    }
}
