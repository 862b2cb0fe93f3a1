import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import NIOCore
import Store

/// An error reply: RFC 9457 `application/problem+json`, the one shape that every error of this API has.
///
/// Where several problems apply at once, the first of this order is answered, so that clients can rely on it:
/// 1. `malformed-request`, 2. `not-found` of a route and `method-not-allowed`, 3. `payload-too-large` by
/// `Content-Length`, 4. `too-many-requests` by the rate of requests, 5. `unauthorized`, 6. `forbidden`,
/// 7. `malformed-json`, 8. `invalid-field` (the first bad field in the order of the documentation), 9. `not-found` of
/// the thing named, 10. `idempotency-mismatch`, 11. `ticket-active`, `price-changed` and `conflict`,
/// 12. `too-many-requests` by a rule of the game or the store, 13. `unavailable`, 14. `internal`.
public struct Problem: Error, Sendable, Equatable {
    /// The closed set of codes: the last part of `type`, and what programs should switch on.
    public enum Code: String, Sendable, CaseIterable {
        case malformedRequest = "malformed-request"
        case malformedJSON = "malformed-json"
        case unauthorized
        case forbidden
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case conflict
        case ticketActive = "ticket-active"
        case priceChanged = "price-changed"
        case payloadTooLarge = "payload-too-large"
        case invalidField = "invalid-field"
        case idempotencyMismatch = "idempotency-mismatch"
        case tooManyRequests = "too-many-requests"
        case unavailable
        case `internal`
    }

    public var code: Code
    /// One sentence for a person: what was wrong with this request and what would be right.
    public var detail: String
    /// The field at fault, as a path into the body (`players[2].team`), a query item, a path part or a header.
    public var field: String?
    /// With `ticket-active`: the player's ticket that is in the way.
    public var ticketId: TicketID?
    /// With `too-many-requests`, where the player may not queue for a while: until when.
    public var coolingDownUntil: Instant?
    /// With `price-changed`: what an order of this moment would cost.
    public var quote: Quote?
    /// With `method-not-allowed`: the methods that are, sent as `Allow`.
    public var allow: String?
    /// Seconds after which trying again makes sense; sent as `Retry-After`.
    public var retryAfterSeconds: Int?

    public init(
        _ code: Code, _ detail: String, field: String? = nil, ticketId: TicketID? = nil, retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.field = field
        self.ticketId = ticketId
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// An error that knows which reply it is. `Problem+<Domain>.swift` makes each domain's errors conform.
public protocol ProblemConvertible: Error {
    var problem: Problem { get }
}

extension Problem: ProblemConvertible {
    public var problem: Problem { self }
}

// MARK: The kinds, by name

extension Problem {
    public static func malformedJSON(_ detail: String) -> Problem { Problem(.malformedJSON, detail) }
    public static func unauthorized(_ detail: String) -> Problem { Problem(.unauthorized, detail) }
    public static func forbidden(_ detail: String) -> Problem { Problem(.forbidden, detail) }

    /// There is no such thing; the text names what was looked for ("No order 01J… of yours.").
    public static func notFound(_ detail: String) -> Problem { Problem(.notFound, detail) }

    public static func conflict(_ detail: String, field: String? = nil) -> Problem {
        Problem(.conflict, detail, field: field)
    }

    /// The player has a ticket already.
    public static func ticketActive(_ ticket: TicketID) -> Problem {
        Problem(
            .ticketActive, "You already have an active ticket, \(ticket). Cancel it, or go on with it.",
            ticketId: ticket)
    }

    public static func payloadTooLarge(bytesMax: Int) -> Problem {
        Problem(.payloadTooLarge, "The body is larger than \(bytesMax) bytes.")
    }

    /// A field is missing, of the wrong type or out of range; the text says what would be right.
    public static func invalidField(_ field: String, _ detail: String) -> Problem {
        Problem(.invalidField, detail, field: field)
    }

    public static func idempotencyMismatch(_ detail: String) -> Problem { Problem(.idempotencyMismatch, detail) }

    public static func tooManyRequests(_ detail: String, retryAfterSeconds: Int) -> Problem {
        Problem(.tooManyRequests, detail, retryAfterSeconds: retryAfterSeconds)
    }

    /// The same, for a time that is rounded up to whole seconds.
    public static func tooManyRequests(_ detail: String, retryAfter: Duration) -> Problem {
        .tooManyRequests(detail, retryAfterSeconds: max(1, Int(retryAfter.inSeconds.rounded(.up))))
    }

    /// The path is a route's, by other methods.
    static func methodNotAllowed(_ method: HTTPRequest.Method, allow: String) -> Problem {
        var problem = Problem(.methodNotAllowed, "This route does not answer to \(method.rawValue), but to \(allow).")
        problem.allow = allow
        return problem
    }

    /// The order named another price than there is now.
    static func priceChanged(_ quote: Quote) -> Problem {
        var problem = Problem(
            .priceChanged,
            "The price is \(quote.total) \(quote.unit) in minor units by now. Show it, and order with that.")
        problem.quote = quote
        return problem
    }

    /// Something that this process stands on is away; nothing of the request has happened, or it is safe to repeat.
    public static func unavailable(_ detail: String, retryAfterSeconds: Int = 1) -> Problem {
        Problem(.unavailable, detail, retryAfterSeconds: retryAfterSeconds)
    }

    /// A fault of ours. What went wrong is in the log under the request's id, never in the reply.
    public static let internalError = Problem(
        .internal, "Something went wrong on our side. The log knows more under this request's id.")
}

extension Problem.Code {
    /// The HTTP status that goes with the code.
    public var status: HTTPResponse.Status {
        switch self {
        case .malformedRequest, .malformedJSON: .badRequest
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .conflict, .ticketActive, .priceChanged: .conflict
        case .payloadTooLarge: .contentTooLarge
        case .invalidField, .idempotencyMismatch: .unprocessableContent
        case .tooManyRequests: .tooManyRequests
        case .unavailable: .serviceUnavailable
        case .internal: .internalServerError
        }
    }

    /// The RFC's `title`: the same words for every problem of a kind.
    public var title: String {
        switch self {
        case .malformedRequest: "Not a request"
        case .malformedJSON: "The body is not JSON"
        case .unauthorized: "No valid access token"
        case .forbidden: "Not allowed with this token"
        case .notFound: "Not found"
        case .methodNotAllowed: "Not with this method"
        case .conflict: "In conflict with what is there"
        case .ticketActive: "A ticket is active"
        case .priceChanged: "The price has changed"
        case .payloadTooLarge: "The body is too large"
        case .invalidField: "A field is not right"
        case .idempotencyMismatch: "The idempotency key was used for something else"
        case .tooManyRequests: "Too many requests"
        case .unavailable: "Not available right now"
        case .internal: "A fault of ours"
        }
    }
}
