import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct RateLimitTests {
    private static let hourly = RateLimit(1, per: .seconds(3600), burst: 1)

    private func handler(_ meter: Meter) -> JobHandler {
        .each(Errand.self) { _, context in await meter.during(context) {} }
    }

    @Test("in no period do more jobs of a queue start than its rate and burst allow; idle workers go on by themselves")
    func ofQueue() async throws {
        try await withQueue { queue, _ in
            let rate = RateLimit(10, per: .milliseconds(300), burst: 3)
            try await queue.changeLimits { $0.rate = rate }
            try await queue.enqueue((0..<30).map { (id: JobID("j\($0)") as JobID?, job: Errand(n: $0)) })
            let meter = Meter()
            try await withWorkers([queue.worker(patient(), handler(meter)), queue.worker(patient(), handler(meter))]) {
                try await queue.completed(30)
            }
            #expect(meter.mostStarts(in: rate.period) <= rate.count + rate.burst)
            #expect(meter.began.count == 30)
        }
    }

    @Test("a burst may start at the same moment, and no more; the reserve says when the next may")
    func burst() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.rate = RateLimit(6, per: .seconds(3600), burst: 3) }
            try await queue.put("a", "b", "c", "d")
            #expect(try await queue.takeIDs(9) == ["a", "b", "c"])
            let next = try await queue.reserve(limit: 9, lease: .seconds(7200))
            #expect(next.leases.isEmpty && !next.hasMore)
            let wait = try #require(next.nextDue)
            #expect(wait > .seconds(500) && wait <= .seconds(600))
        }
    }

    @Test("in no period do more jobs of a key start than its rate allows; one with a rate of its own has that")
    func ofKeys() async throws {
        try await withQueue { queue, _ in
            let (each, own) = (RateLimit(4, per: .milliseconds(200), burst: 1), RateLimit(1000, per: .seconds(1)))
            try await queue.changeLimits {
                $0.ofEachKey.rate = each
                $0.ofKeys["fast"] = KeyLimit(rate: own)
            }
            for number in 0..<8 {
                for key in ["fast", "a", "b"] { try await queue.put("\(key).\(number)", options: JobOptions(key: key)) }
            }
            let meters = ["fast": Meter(), "a": Meter(), "b": Meter()]
            let handler = JobHandler.each(Errand.self) { _, context in
                let key = context.id.rawValue.prefix { $0 != "." }
                await meters[String(key)]?.during(context) {}
            }
            try await withWorkers([queue.worker(patient(), handler), queue.worker(patient(), handler)]) {
                try await queue.completed(24)
            }
            for key in ["a", "b"] {
                let most = try #require(meters[key]).mostStarts(in: each.period)
                #expect(most <= each.count + each.burst, "key \(key)")
            }
        }
    }

    @Test("what one key may not yet do, others may")
    func keysApart() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.ofEachKey.rate = Self.hourly }
            try await queue.put("a1", "a2", options: JobOptions(key: "a"))
            try await queue.put("b1", "b2", options: JobOptions(key: "b"))
            try await queue.put("plain")
            let first = try await queue.reserve(limit: 9, lease: .seconds(7200))
            #expect(Set(first.leases.map(\.id.rawValue)) == ["a1", "b1", "plain"])
            let rest = try await queue.reserve(limit: 9, lease: .seconds(7200))
            #expect(rest.leases.isEmpty && !rest.hasMore)
            #expect(try #require(rest.nextDue) > .seconds(3500))
        }
    }

    @Test("cancelled jobs use up no rate")
    func cancelled() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.rate = Self.hourly }
            try await queue.put("a", "b", "c")
            _ = try await queue.cancel([JobID("a"), JobID("b")])
            let meter = Meter()
            try await withWorkers([queue.worker(patient(), handler(meter))]) { try await queue.completed(1) }
            #expect(meter.began == [JobID("c")])
        }
    }

    @Test("a rate that is raised, or taken away, at run time lets jobs go on at once, whatever the former one left")
    func raised() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits {
                $0.rate = Self.hourly
                $0.ofEachKey.rate = Self.hourly
            }
            try await queue.put("a", "b", "c", "d", "e", options: JobOptions(key: "k"))
            let meter = Meter()
            try await withWorkers([queue.worker(patient(), handler(meter))]) {
                try await queue.completed(1)
                try await queue.changeLimits { $0.rate = RateLimit(100, per: .seconds(1)) }
                // Its key still holds it back.
                try await queue.changeLimits {
                    $0.ofKeys["k"] = KeyLimit(rate: RateLimit(2, per: .seconds(3600), burst: 2))
                }
                try await queue.completed(3)
                try await queue.setLimits(QueueLimits())
                try await queue.completed(5)
            }
        }
    }

    @Test("setting another limit does not make a rate begin anew")
    func unchanged() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.rate = Self.hourly }
            try await queue.put("a", "b")
            #expect(try await queue.takeIDs(9) == ["a"])
            var limits = try await queue.limits()
            limits.concurrency = 50
            try await queue.setLimits(limits)
            #expect(try await queue.take(9).isEmpty)
        }
    }

    @Test("with a rate and a concurrency limit both, no worker sleeps on when one of them allows more")
    func both() async throws {
        try await withQueue { queue, _ in
            let rate = RateLimit(10, per: .milliseconds(200), burst: 1)
            try await queue.changeLimits {
                $0.rate = rate
                $0.concurrency = 4
            }
            try await queue.enqueue((0..<20).map { (id: JobID("j\($0)") as JobID?, job: Errand(n: $0)) })
            let meter = Meter()
            try await withWorkers([queue.worker(patient(), handler(meter)), queue.worker(patient(), handler(meter))]) {
                try await queue.completed(20)
            }
            #expect(meter.mostStarts(in: rate.period) <= rate.count + rate.burst)
            #expect(try #require(meter.most[""]) <= 4)
        }
    }
}
