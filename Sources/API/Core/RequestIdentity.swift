import GameModel
import HTTPTypes
import Hummingbird
import Logging

/// Names each request: the client's own `X-Request-Id` if it is a proper one, else a new ULID. The name is in every log
/// line of the request and in its reply.
public struct RequestIdentity: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = Self.accepted(request.headers[.requestID]) ?? ULID().description
        // Hummingbird's own key, so that a line has one name for its request and not two.
        context.logger[metadataKey: "hb.request.id"] = .string(context.requestID)
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        return response
    }

    /// The client's name where it is 1 to 64 letters, digits, `-`, `_`, `.`: nothing that could break a log line.
    static func accepted(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        else { return nil }
        return text
    }
}
