import Hummingbird
import Logging

/// Turns whatever a route throws into a problem reply, in this one place. An error that is no problem of the client's
/// is logged with the request's id and answered with `internal`, which says nothing of the inside.
public struct ProblemReplies: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = Problem.of(error)
            if problem == nil || problem?.code == .internal {
                context.logger.error(
                    "route failed",
                    metadata: [
                        "route": .string(context.endpointPath ?? "?"), "error": .string(String(reflecting: error)),
                    ]
                )
            } else if problem?.code == .unavailable {
                context.logger.warning("unavailable", metadata: ["error": .string(String(reflecting: error))])
            }
            return try (problem ?? .internalError).response(from: request, context: context)
        }
    }
}
