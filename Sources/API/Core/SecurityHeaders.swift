import HTTPTypes
import Hummingbird

/// Headers for clients that are browsers: no sniffing, no framing, nothing kept in caches. A route that
/// sets one of them itself says otherwise.
public struct SecurityHeaders: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for field in Self.fields where response.headers[field.name] == nil { response.headers.append(field) }
        return response
    }

    static let fields: HTTPFields = [
        .contentTypeOptions: "nosniff", .referrerPolicy: "no-referrer",
        .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'", .cacheControl: "no-store",
    ]
}
