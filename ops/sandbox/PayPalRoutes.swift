import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat

/// PayPal's API as far as Muster uses it, on the same books and under the same faults as Stripe's.
///
/// Source: developer.paypal.com/docs/api.
struct PayPalRoutes: Sendable {
    private static let requestId = HTTPField.Name("PayPal-Request-Id")
    private static let words = SandboxCalls.Words(
        rateLimit: .payPalFault(429, "RATE_LIMIT_REACHED", "Too many requests."),
        internalError: .payPalFault(500, "INTERNAL_SERVER_ERROR", "An internal server error has occurred."),
        reusedKey: .payPalRefusal("DUPLICATE_REQUEST_ID", "The request id was used for another request."))
    /// Seconds.
    private static let tokenLifetime = 32_400

    let account: PayPalAccount
    let calls: SandboxCalls

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/oauth2/token") { request, _ -> Response in
            guard request.headers[.authorization] == account.basic else {
                return Response.json(
                    #"{"error":"invalid_client","error_description":"Client Authentication failed"}"#,
                    status: .unauthorized)
            }
            return Response.json(
                #"{"access_token":"\#(account.token)","token_type":"Bearer","expires_in":\#(Self.tokenLifetime)}"#)
        }
        router.post("/v2/checkout/orders") { request, _ in
            try await perform(request, "order") { books, body, given in books.createOrder(body, given) }
        }
        router.post("/v2/checkout/orders/{id}/capture") { request, context in
            let id = try context.parameters.require("id")
            return try await perform(request, "capture \(id)") { books, _, given in books.captureOrder(id, given) }
        }
        router.post("/v2/payments/captures/{id}/refund") { request, context in
            let id = try context.parameters.require("id")
            return try await perform(request, "refund \(id)") { books, body, given in
                books.refundCapture(id, body, given)
            }
        }
        router.get("/v2/checkout/orders/{id}") { request, context in
            let id = try context.parameters.require("id")
            return read(request) { $0.order(id) }
        }
        router.get("/v2/payments/captures/{id}") { request, context in
            let id = try context.parameters.require("id")
            return read(request) { $0.capture(id) }
        }
        router.get("/v1/customer/disputes/{id}") { request, context in
            let id = try context.parameters.require("id")
            return read(request) { $0.dispute(id) }
        }
        router.get("/v1/customer/disputes") { request, _ in
            let capture = request.uri.queryParameters["disputed_transaction_id"].map(String.init) ?? ""
            return read(request) { $0.listDisputes(ofCapture: capture) }
        }
        router.get("/v1/reporting/transactions") { request, _ in report(request) }
        router.post("/v1/notifications/verify-webhook-signature") { request, _ -> Response in
            if let refusal = refusal(of: request) { return .answer(refusal) }
            let body = Data(buffer: try await request.body.collect(upTo: FaultRoutes.webhookBytesMax))
            let isGood = try account.isSigned(body)
            return Response.json(#"{"verification_status":"\#(isGood ? "SUCCESS" : "FAILURE")"}"#)
        }
    }

    private func perform(
        _ request: Request, _ call: String,
        _ operation: (SandboxBooks, String, SandboxBooks.Circumstances) -> SandboxBooks.Outcome
    ) async throws -> Response {
        if let refusal = refusal(of: request) { return .answer(refusal) }
        let body = String(buffer: try await request.body.collect(upTo: SandboxCalls.bodyBytesMax))
        // Keys of Stripe's calls are others.
        let key = Self.requestId.flatMap { request.headers[$0] }.map { "paypal:" + $0 }
        return try await calls.perform(key: key, call: call, body: body, words: Self.words) { books, given in
            operation(books, body, given)
        }
    }

    private func read(_ request: Request, _ answer: (SandboxBooks) -> SandboxAnswer) -> Response {
        .answer(refusal(of: request) ?? calls.ledger.read(answer))
    }

    private func report(_ request: Request) -> Response {
        let parameters = request.uri.queryParameters
        func time(_ name: String) -> Int64? {
            guard let text = parameters[name[...]].map(String.init) else { return nil }
            do { return Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970) } catch { return nil }
        }
        let page = parameters["page"].flatMap { Int($0) } ?? 1
        let size = parameters["page_size"].flatMap { Int($0) } ?? 100
        guard let start = time("start_date"), let end = time("end_date"), start <= end, end - start <= 31 * 86_400,
            (1...10_000).contains(page), (1...500).contains(size)
        else {
            return .answer(
                .payPalFault(
                    400, "INVALID_REQUEST", issue: "INVALID_PARAMETER_VALUE",
                    "start_date and end_date are at most 31 days apart, page is from 1, page_size to 500."))
        }
        return read(request) { $0.report(in: start...end, page: page, size: size) }
    }

    private func refusal(of request: Request) -> SandboxAnswer? {
        guard request.headers[.authorization] == "Bearer \(account.token)" else {
            return .payPalFault(401, "AUTHENTICATION_FAILURE", "Authentication failed due to an invalid token.")
        }
        return nil
    }
}

/// The merchant that PayPal's side of the sandbox knows, and how it signs to it.
struct PayPalAccount: Sendable {
    let clientId: String
    let clientSecret: String
    let webhookId: String

    var basic: String { "Basic " + Data("\(clientId):\(clientSecret)".utf8).base64EncodedString() }
    /// The access token: always the same.
    var token: String { "A21AA" + code(of: "token") }

    /// The headers of a webhook. The signature covers what PayPal's does, with a secret in place of a certificate.
    func headers(of body: String, id: String, at time: String) throws -> [(String, String)] {
        let event = try JSONSerialization.jsonObject(with: Data(body.utf8))
        return [
            ("PAYPAL-AUTH-ALGO", "SHA256withRSA"), ("PAYPAL-CERT-URL", "https://api.paypal.com/v1/sandbox-has-none"),
            ("PAYPAL-TRANSMISSION-ID", id), ("PAYPAL-TRANSMISSION-TIME", time),
            ("PAYPAL-TRANSMISSION-SIG", try signature(of: event, id: id, at: time)),
        ]
    }

    /// Whether what is to be verified was signed by ``headers(of:id:at:)``.
    func isSigned(_ question: Data) throws -> Bool {
        guard let fields = try JSONSerialization.jsonObject(with: question) as? [String: Any],
            let event = fields["webhook_event"] as? [String: Any], let id = fields["transmission_id"] as? String,
            let time = fields["transmission_time"] as? String, let given = fields["transmission_sig"] as? String,
            fields["webhook_id"] as? String == webhookId
        else { return false }
        return try given == signature(of: event, id: id, at: time)
    }

    /// Of the event with its fields in one order: what is to be verified comes parsed.
    private func signature(of event: Any, id: String, at time: String) throws -> String {
        let body = try JSONSerialization.data(
            withJSONObject: event, options: [.sortedKeys, .withoutEscapingSlashes])
        return code(of: "\(id)|\(time)|\(webhookId)|\(String(decoding: body, as: UTF8.self))")
    }

    private func code(of text: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(text.utf8), using: SymmetricKey(data: Data(clientSecret.utf8)))
        return code.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
