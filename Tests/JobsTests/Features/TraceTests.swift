import GameModel
import Redis
import ServiceContextModule
import Synchronization
import TestSupport
import Testing
import Tracing

@testable import Jobs

private enum TraceKey: ServiceContextKey {
    typealias Value = String
}

extension ServiceContext {
    fileprivate var trace: String? {
        get { self[TraceKey.self] }
        set { self[TraceKey.self] = newValue }
    }
}

/// Carries one value, in a task that has one; other tests have none, and see nothing of it.
private struct OneHeader: Instrument {
    func inject<Carrier, Inject>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
    where Inject: Injector, Inject.Carrier == Carrier {
        if let trace = context.trace { injector.inject(trace, forKey: "traceparent", into: &carrier) }
    }

    func extract<Carrier, Extract>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
    where Extract: Extractor, Extract.Carrier == Carrier {
        context.trace = extractor.extract(key: "TraceParent", from: carrier)
    }

    /// An instrument is set once per process.
    static let isSet: Bool = {
        InstrumentationSystem.bootstrap(OneHeader())
        return true
    }()
}

@Suite struct TraceTests {
    @Test("a job runs in the trace in which it was enqueued, and what it enqueues belongs to that trace too")
    func carried() async throws {
        try #require(OneHeader.isSet)
        try await withQueue { queue, _ in
            // What an envelope's words could not hold as it is, and what is no plain text.
            let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 a=b%20\nü"
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { job, context in
                ledger.note("\(context.id) \(ServiceContext.current?.trace ?? "none")")
                if job.n > 0 { try await queue.enqueue(Errand(n: job.n - 1), id: JobID("next")) }
            }
            var context = ServiceContext.topLevel
            context.trace = trace
            try await ServiceContext.withValue(context) {
                _ = try await queue.enqueue(Errand(n: 1), id: JobID("first"))
            }
            try await queue.enqueue(Errand(), id: JobID("alone"))
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.completed(3) }
            #expect(Set(ledger.noted) == ["first \(trace)", "next \(trace)", "alone none"])
        }
    }

    @Test("a job that is run by a handler of batches, and is alone in its batch, runs in its trace")
    func batchOfOne() async throws {
        try #require(OneHeader.isSet)
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.batch(Errand.self, limit: 8) { jobs in
                for (_, context) in jobs { ledger.note("\(context.id) \(ServiceContext.current?.trace ?? "none")") }
                return [:]
            }
            var context = ServiceContext.topLevel
            context.trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            try await ServiceContext.withValue(context) {
                _ = try await queue.enqueue(Errand(), id: JobID("one"))
            }
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.completed(1) }
            #expect(ledger.noted == ["one 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
        }
    }

    @Test(
        "the headers of a trace are read back as they were written, from words that hold no space and no line feed",
        arguments: ["a", "A-b", "x y=z", "ü%41", "1\n2"])
    func headers(_ text: String) throws {
        let headers = ["traceparent": text, "other-\(text)": "1"]
        let line = TraceHeaders.words(headers)
        #expect(!line.contains("\n"))
        let words = line.split(separator: " ")
        #expect(words.count == 2)
        var read: [String: String] = [:]
        for word in words {
            let equals = try #require(word.firstIndex(of: "="))
            TraceHeaders.read(word[..<equals], word[word.index(after: equals)...], into: &read)
        }
        #expect(read == headers)
    }
}
