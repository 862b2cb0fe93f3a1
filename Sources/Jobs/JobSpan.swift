import Tracing

/// Runs a handler as a span of the trace in which its job was enqueued, so that what it does, and the jobs that it
/// enqueues, belong to that trace too.
enum JobSpan {
    static func run(_ input: HandlerInput, _ body: () async throws -> Void) async throws {
        // Without an instrument there is nothing to tell, and nothing to pay for.
        guard !input.trace.isEmpty || !(InstrumentationSystem.tracer is NoOpTracer) else { return try await body() }
        let context = TraceHeaders.context(of: input.trace)
        try await withSpan("\(input.context.kind) run", context: context, ofKind: .consumer) { span in
            span.attributes["messaging.system"] = "muster"
            span.attributes["messaging.destination.name"] = input.context.queue.rawValue
            span.attributes["messaging.message.id"] = input.context.id.rawValue
            span.attributes["muster.job.attempt"] = input.context.attempt
            try await body()
        }
    }

    /// Runs a handler of several jobs: one in its trace, more as a span of their own that is linked to each job's.
    static func run<T: Sendable>(_ inputs: [HandlerInput], _ body: () async throws -> T) async throws -> T {
        if inputs.count == 1 {
            var result: T?
            try await run(inputs[0]) { result = try await body() }
            if let result { return result }
        }
        guard let first = inputs.first, !(InstrumentationSystem.tracer is NoOpTracer) else { return try await body() }
        return try await withSpan("\(first.context.kind) run", context: .topLevel, ofKind: .consumer) { span in
            span.attributes["messaging.system"] = "muster"
            span.attributes["messaging.destination.name"] = first.context.queue.rawValue
            span.attributes["messaging.batch.message_count"] = inputs.count
            for input in inputs where !input.trace.isEmpty {
                span.addLink(SpanLink(context: TraceHeaders.context(of: input.trace), attributes: [:]))
            }
            return try await body()
        }
    }
}
