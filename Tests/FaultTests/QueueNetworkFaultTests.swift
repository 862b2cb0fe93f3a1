import Jobs
import Redis
import TestSupport
import Testing

@Suite("Queue: a network that cuts, stalls, delays and tears") struct QueueNetworkFaultTests {
    /// A trial whose first worker and whose enqueuer reach Redis through a proxy, and whose second reaches it directly.
    private struct Field {
        let trial: QueueTrial
        let proxy: FaultyProxy
        /// Through the proxy.
        let far: JobQueue
        let direct: GuardedProcess
    }

    private func withField(isolation: isolated (any Actor)? = #isolation, _ body: (Field) async throws -> Void)
        async throws
    {
        let server = try await RedisServer.start(tcp: true)
        defer { server.stop() }
        try await withFaultyProxy(to: try #require(server.port)) { proxy in
            let url = "redis://127.0.0.1:\(proxy.port)"
            try await withTrial(server.url) { trial in
                try await withClient(try RedisConfiguration(url: url)) { redis in
                    let direct = try await trial.startWorker()
                    try await trial.startWorker(url: url)
                    try await body(
                        Field(
                            trial: trial, proxy: proxy, far: JobQueue(name: QueueTrial.queueName, redis: redis),
                            direct: direct))
                }
            }
        }
    }

    @Test("connections that are cut at any byte, late, or in odd pieces lose and double nothing")
    func cut() async throws {
        try await withField { field in
            let (trial, proxy) = (field.trial, field.proxy)
            async let filling: Void = trial.fill(0..<3_000, through: field.far)
            let faults: [FaultyProxy.Fault] = [
                .delay(.milliseconds(5)), .cut(afterBytes: 20_000), .halve, .cut(afterBytes: 6_007), .none,
            ]
            for (round, fault) in faults.enumerated() {
                proxy.fault = fault
                for step in 1...5 {
                    try await trial.effects(reach: 500 * round + 100 * step)
                    proxy.cut()
                }
            }
            try await filling
            try await trial.settle()
            let books = try await trial.close()
            #expect(proxy.cuts > 10)
            trial.report("\(proxy.cuts) connections cut, others late or in pieces", books)
        }
    }

    @Test("a connection that stalls or goes silent: others do its jobs, and its worker is back once the network is")
    func stalled() async throws {
        try await withField { field in
            let (trial, proxy) = (field.trial, field.proxy)
            for (round, fault) in [FaultyProxy.Fault.stall, .drop, .stall, .drop].enumerated() {
                let numbers = 500 * round..<500 * (round + 1)
                async let filling: Void = trial.fill(numbers)
                try await trial.effects(reach: numbers.lowerBound + 200)
                proxy.fault = fault
                try await filling
                // The direct worker does them all, also those whose leases the other can't renew.
                try await trial.settle()
                proxy.fault = .none
            }
            // From here on only the worker that was cut off can do anything.
            field.direct.end()
            try await trial.fill(2_000..<2_500, through: field.far)
            try await trial.settle()
            let books = try await trial.close()
            let counts = try await trial.queue.counts()
            trial.report("connections stalled or silent beyond a lease", books, "\(counts.recovered) leases re-run")
        }
    }
}
