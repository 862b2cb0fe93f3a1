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
}
