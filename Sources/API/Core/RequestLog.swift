import Hummingbird
import Logging

/// One line at debug level for each request: route, status and how long it took. Never headers, bodies or raw paths,
/// which may hold secrets.
public struct RequestLog: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard context.logger.logLevel <= .debug else { return try await next(request, context) }
        let started = ContinuousClock.now
        let response = try await next(request, context)
        context.logger.debug(
            "request",
            metadata: [
                "method": .string(request.method.rawValue),
                "route": .string(context.endpointPath ?? "unknown"),
                "status": .stringConvertible(response.status.code),
                "took": .string("\(ContinuousClock.now - started)"),
            ])
        return response
    }
}
