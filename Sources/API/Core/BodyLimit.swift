import HTTPTypes
import Hummingbird
import Store

/// Bounds request bodies: refuses by `Content-Length` before a byte is read, and tells the readers of bodies the limit
/// for those that come without one.
public struct BodyLimit: RouterMiddleware {
    /// For nearly everything: 64 KiB.
    public static let standardBytes = 64 * 1024
    /// For webhooks and batches of events: 256 KiB.
    public static let largeBytes = 256 * 1024
    /// For a whole catalog or balance: 1 MiB.
    public static let catalogBytes = 1024 * 1024

    /// Routes that take larger bodies than others, by their paths.
    static let larger: [String: Int] = [
        "/v1/store/webhooks/{provider}": largeBytes, "/v1/events": largeBytes, "/v1/dev/catalog": catalogBytes,
        "/v1/dev/balance/draft": catalogBytes,
        "/v1/pictures/{key}": PictureService.bytesMax,
        // A form has boundaries and fields besides its picture.
        "/console/products/{id}/picture": PictureService.bytesMax + standardBytes,
    ]

    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.bodyBytesMax = context.endpointPath.flatMap { Self.larger[$0] } ?? Self.standardBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > context.bodyBytesMax {
            throw Problem.payloadTooLarge(bytesMax: context.bodyBytesMax)
        }
        return try await next(request, context)
    }
}
