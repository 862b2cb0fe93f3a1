import Hummingbird
import HTTPTypes
import Metrics
import Synchronization

/// Counts and times requests by route pattern, method and status: `http_requests_total` and `http_request_seconds`.
///
/// All three labels are from closed sets (never a raw path, never a method that a client made up), so a client can't
/// make the metrics grow. Time is until the reply is ready; a stream's body comes after that.
public final class RouteMetrics: RouterMiddleware {
    private struct Labels: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private struct Recorder {
        let requests: Counter
        let seconds: Timer
    }

    private let recorders = Mutex<[Labels: Recorder]>([:])

    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let started = ContinuousClock.now
        let response = try await next(request, context)
        let labels = Labels(
            route: context.endpointPath ?? "unknown", method: Self.name(of: request.method),
            status: response.status.code)
        let recorder = recorder(for: labels)
        recorder.requests.increment()
        recorder.seconds.record(duration: ContinuousClock.now - started)
        return response
    }

    private func recorder(for labels: Labels) -> Recorder {
        recorders.withLock { recorders in
            if let recorder = recorders[labels] { return recorder }
            let dimensions = [
                ("route", labels.route), ("method", labels.method), ("status", String(labels.status)),
            ]
            let recorder = Recorder(
                requests: Counter(label: "http_requests_total", dimensions: dimensions),
                seconds: Timer(label: "http_request_seconds", dimensions: dimensions))
            recorders[labels] = recorder
            return recorder
        }
    }

    private static func name(of method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .put, .post, .patch, .delete, .head, .options: method.rawValue
        default: "other"
        }
    }
}
