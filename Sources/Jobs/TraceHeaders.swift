import Foundation
import Instrumentation
import ServiceContextModule

/// The headers by which a trace goes through the queue: written by the process's instrument where a job is made, read
/// by it where the job runs (swift-distributed-tracing; W3C Trace Context).
public enum TraceHeaders {
    static let prefix = "tc-"

    /// Of the trace that the current task belongs to; none where it belongs to none, or no instrument is set.
    public static func current() -> [String: String] {
        guard let context = ServiceContext.current else { return [:] }
        var headers: [String: String] = [:]
        InstrumentationSystem.instrument.inject(context, into: &headers, using: Carrier())
        return headers
    }

    /// The context in which the job of these headers runs.
    static func context(of headers: [String: String]) -> ServiceContext {
        var context = ServiceContext.topLevel
        InstrumentationSystem.instrument.extract(headers, into: &context, using: Carrier())
        return context
    }

    /// As words of an envelope, each with a space before it.
    static func words(_ headers: [String: String]) -> String {
        headers.sorted { $0.key < $1.key }.map { " \(prefix)\(encoded($0.key))=\(encoded($0.value))" }.joined()
    }

    static func read(_ name: Substring, _ value: Substring, into headers: inout [String: String]) {
        guard let name = name.dropFirst(prefix.count).removingPercentEncoding, let value = value.removingPercentEncoding
        else { return }
        headers[name] = value
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed.subtracting(["=", "%"])) ?? ""
    }

    private struct Carrier: Injector, Extractor {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
        func extract(key: String, from carrier: [String: String]) -> String? {
            carrier[key] ?? carrier.first { $0.key.lowercased() == key.lowercased() }?.value
        }
    }
}
