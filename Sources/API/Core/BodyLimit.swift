import HTTPTypes
import Hummingbird

/// Bounds request bodies: refuses by `Content-Length` before a byte is read, and tells the readers of bodies the limit
/// for those that come without one.
public struct BodyLimit: RouterMiddleware {
    /// For nearly everything: 64 KiB.
    public static let standardBytes = 64 * 1024
    /// For webhooks and batches of events: 256 KiB.
    public static let largeBytes = 256 * 1024

    /// Routes that take the larger bodies.
    static let large: Set<String> = ["/v1/store/webhooks/payments", "/v1/events"]

    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let isLarge = context.endpointPath.map(Self.large.contains) ?? false
        context.bodyBytesMax = isLarge ? Self.largeBytes : Self.standardBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > context.bodyBytesMax {
            throw Problem.payloadTooLarge(bytesMax: context.bodyBytesMax)
        }
        return try await next(request, context)
    }
}
