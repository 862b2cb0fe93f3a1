import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import NIOCore
import Store

/// The wire form of a problem: RFC 9457's members, then ours.
struct ProblemBody: Codable, Equatable {
    var type: String
    var title: String
    var status: Int
    var detail: String
    var code: String
    var field: String?
    var ticketId: TicketID?
    var coolingDownUntil: Instant?
    var quote: Quote?
    var requestId: String?
}

extension Problem: HTTPResponseError {
    public var status: HTTPResponse.Status { code.status }

    /// The problem as JSON with its headers. The request's id is in the body too, for people who paste only that.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        var headers: HTTPFields = [:]
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        if let allow { headers[.allow] = allow }
        if code == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return try .json(
            body(requestID: (context as? APIContext)?.requestID ?? ""), status: status, headers: headers,
            contentType: "application/problem+json")
    }

    func body(requestID: String) -> ProblemBody {
        ProblemBody(
            type: "https://muster.dev/problems/\(code.rawValue)", title: code.title, status: status.code,
            detail: detail, code: code.rawValue, field: field, ticketId: ticketId, coolingDownUntil: coolingDownUntil,
            quote: quote, requestId: requestID.isEmpty ? nil : requestID)
    }
}

extension Problem {
    /// The problem that an error stands for; `nil` where the error is a fault of ours that should be logged.
    static func of(_ error: any Error) -> Problem? {
        switch error {
        case let error as any ProblemConvertible:
            return error.problem
        case is NIOTooManyBytesError:
            return Problem(.payloadTooLarge, "The body is larger than this route takes.")
        case let error as any HTTPResponseError:
            return of(status: error.status)
        default:
            return nil
        }
    }

    /// Hummingbird's own errors, which carry a status only.
    private static func of(status: HTTPResponse.Status) -> Problem? {
        switch status {
        case .notFound: .notFound("There is no such route. GET /openapi.yaml lists them all.")
        case .badRequest: .malformedJSON("The request could not be read.")
        case .contentTooLarge: Problem(.payloadTooLarge, "The body is larger than this route takes.")
        case .unauthorized: .unauthorized("This needs a header 'Authorization: Bearer <access token>'.")
        case .serviceUnavailable: .unavailable("The service is not available right now.")
        default: nil
        }
    }
}
