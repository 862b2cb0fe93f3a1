import GameModel
import HTTPTypes
import Synchronization
import Testing

@testable import API

@Suite("Rates of requests")
struct RateLimiterTests {
    /// A clock that goes only when it is told to.
    private final class Hand: Sendable {
        private let nanoseconds = Mutex<Int64>(1)
        var now: Int64 { nanoseconds.withLock { $0 } }
        func advance(_ duration: Duration) { nanoseconds.withLock { $0 += duration.milliseconds * 1_000_000 } }
    }

    private let player = RateKey.player(PlayerID("ada"))

    @Test("a quarter of the minute's requests may come at once, then one for each that the rate has filled again")
    func bucket() {
        let hand = Hand()
        var limits = RateLimits()
        limits.orders = 60
        let limiter = RateLimiter(limits) { hand.now }
        for number in 1...15 { #expect(limiter.take(.order, by: player) == nil, "\(number)") }
        #expect(limiter.take(.order, by: player) == .seconds(1))
        hand.advance(.milliseconds(400))
        #expect(limiter.take(.order, by: player) == .milliseconds(600), "a refusal costs nothing")
        hand.advance(.milliseconds(600))
        #expect(limiter.take(.order, by: player) == nil)
        #expect(limiter.take(.order, by: player) == .seconds(1))
        hand.advance(.seconds(3600))
        for _ in 1...15 { #expect(limiter.take(.order, by: player) == nil) }
        #expect(limiter.take(.order, by: player) != nil, "an hour away saves nothing up")
    }

    @Test("over a long time exactly the rate goes through, however fast one asks")
    func rate() {
        let hand = Hand()
        var limits = RateLimits()
        limits.quotes = 120
        let limiter = RateLimiter(limits) { hand.now }
        var taken = 0
        for _ in 0..<(600 * 50) {
            if limiter.take(.quote, by: player) == nil { taken += 1 }
            hand.advance(.milliseconds(20))
        }
        #expect(taken == 120 * 10 + 30 - 1 || taken == 120 * 10 + 30, "\(taken)")
    }

    @Test("players, addresses and classes have buckets of their own")
    func keys() throws {
        let hand = Hand()
        var limits = RateLimits()
        limits.logIns = 1
        limits.orders = 1
        let limiter = RateLimiter(limits) { hand.now }
        let address = RateKey.address(try #require(IPAddress("192.0.2.1")))
        for key in [player, .player(PlayerID("bob")), address] {
            for kind in [RequestClass.logIn, .order] {
                #expect(limiter.take(kind, by: key) == nil)
                #expect(limiter.take(kind, by: key) == nil)
                #expect(limiter.take(kind, by: key) != nil)
            }
        }
    }

    @Test("a limit of 0 limits nothing")
    func unlimited() {
        var limits = RateLimits()
        limits.others = 0
        let limiter = RateLimiter(limits)
        for _ in 0..<10_000 { #expect(limiter.take(.other, by: player) == nil) }
        #expect(limiter.bucketCount == 0)
    }

    @Test("however many clients come, memory is bounded, and one that was refused is refused still")
    func bounded() {
        let hand = Hand()
        var limits = RateLimits()
        limits.orders = 4
        let limiter = RateLimiter(limits, keysMax: 1_600) { hand.now }
        while limiter.take(.order, by: player) == nil {}
        for number in 0..<20_000 {
            _ = limiter.take(.order, by: .player(PlayerID("p\(number)")))
            #expect(limiter.bucketCount <= 1_600)
        }
        #expect(limiter.take(.order, by: player) != nil, "emptier buckets are kept longer")
        hand.advance(.seconds(60))
        #expect(limiter.take(.order, by: player) == nil)
    }

    @Test(
        "every route is counted as what it is",
        arguments: [
            ("POST", "/v1/sessions", RequestClass.logIn), ("DELETE", "/v1/sessions", .other),
            ("POST", "/v1/accounts", .registration), ("POST", "/v1/store/orders", .order),
            ("GET", "/v1/store/orders", .other), ("POST", "/v1/store/quotes", .quote),
            ("POST", "/console/login", .logIn), ("GET", "/console/login", .other),
            ("POST", "/v1/store/webhooks/{provider}", nil), ("GET", "/healthz", nil), ("GET", nil, .other),
        ] as [(String, String?, RequestClass?)])
    func classes(method: String, route: String?, kind: RequestClass?) throws {
        #expect(RequestLimits.kind(of: try #require(.init(method)), route) == kind)
    }
}
