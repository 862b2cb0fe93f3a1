import GameModel
import Redis
import Synchronization

/// The client by itself: one caller, then a thousand, with `SET`.
extension Bench {
    func roundTrips() async throws -> [BenchFigure] {
        let command = ["SET", "bench:limit:string", "xxx"]
        let alone = try await limits?.run(command, clients: 1, count: 50_000)?.perSecond
        let piped = try await limits?.run(command, clients: 50, pipeline: 16, count: 1_000_000)?.perSecond
        let one = try await rate(callers: 1)
        let thousand = try await rate(callers: 1_000)
        _ = try await redis.send(RedisCommand("UNLINK", "bench:limit:string", "bench:limit"))
        return [
            BenchFigure("round trip of one caller, mean", 1e6 / one, "µs")
                .beside(alone.map { 1e6 / $0 }, "SET -c 1").atMost(alone.map { 1.5e6 / $0 }),
            BenchFigure("1000 callers", thousand, "calls/s")
                .beside(piped, "SET -c 50 -P 16").atLeast(piped.map { $0 / 2 }),
        ]
    }

    private func rate(callers: Int) async throws -> Double {
        let begin = ContinuousClock.now
        let end = begin + .seconds(seconds)
        let calls = Atomic<Int>(0)
        try await concurrently(callers) { _ in
            let command = RedisCommand("SET", "bench:limit:string", "xxx")
            var count = 0
            while ContinuousClock.now < end {
                _ = try await redis.send(command)
                count += 1
            }
            calls.add(count, ordering: .relaxed)
        }
        return Double(calls.load(ordering: .relaxed)) / (ContinuousClock.now - begin).inSeconds
    }
}
