import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle

/// Stripe's API as far as Muster uses it, with faults on demand. Source: docs.stripe.com/api.
struct SandboxRoutes: Sendable {
    static let bodyBytesMax = 64 << 10
    /// The header by which a call that comes again is known.
    private static let idempotencyKey = HTTPField.Name("Idempotency-Key")

    let secretKey: String
    let ledger: SandboxLedger
    let dice: FaultDice
    /// `nil` where no webhooks are sent.
    let webhooks: WebhookSender?
    let logger: Logger

    /// Why no answer is sent: the connection is closed instead.
    private struct ConnectionCut: Error {}

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/payment_intents") { request, _ in
            try await charge(request, "create") { books, form, given in books.create(form, given) }
        }
        router.post("/v1/payment_intents/{id}/confirm") { request, context in
            let id = try context.parameters.require("id")
            return try await charge(request, "confirm \(id)") { books, form, given in books.confirm(id, form, given) }
        }
        router.post("/v1/refunds") { request, _ in
            try await charge(request, "refund") { books, form, given in books.refund(form, given) }
        }
        router.get("/v1/payment_intents/{id}") { request, context in
            let id = try context.parameters.require("id")
            return read(request) { $0.intent(id) }
        }
        router.get("/v1/payment_intents") { request, _ in
            let (limit, after) = Self.paging(request)
            return read(request) {
                SandboxBooks.page(of: $0.intents, url: "/v1/payment_intents", limit: limit, after: after)
            }
        }
        router.get("/v1/refunds") { request, _ in
            let (limit, after) = Self.paging(request)
            return read(request) { SandboxBooks.page(of: $0.refunds, url: "/v1/refunds", limit: limit, after: after) }
        }
    }

    // MARK: Calls that change something

    private func charge(
        _ request: Request, _ call: String,
        _ operation: (SandboxBooks, FormBody, SandboxBooks.Circumstances) -> SandboxBooks.Outcome
    ) async throws -> Response {
        if let refusal = refusal(of: request) { return Self.response(refusal) }
        let text = String(buffer: try await request.body.collect(upTo: Self.bodyBytesMax))
        guard let form = FormBody(text) else {
            return Self.response(.invalid("The form can't be read.", code: "parameter_invalid_string", param: nil))
        }
        if dice.roll(\.delay) { try await hold(dice.faults.delayFor) }
        if dice.roll(\.rateLimit) {
            return Self.response(.fault(429, .init(type: "rate_limit_error", message: "Too many requests.")))
        }
        if dice.roll(\.error) { return Self.response(Self.internalError) }
        let outcome: SandboxBooks.Outcome
        do {
            outcome = try ledger.perform(
                key: Self.idempotencyKey.flatMap { request.headers[$0] }, call: call, body: text,
                declines: dice.roll(\.decline)
            ) { books, given in operation(books, form, given) }
        } catch {
            logger.error("the books can't be written", metadata: ["error": "\(error)"])
            return Self.response(Self.internalError)
        }
        if let event = outcome.event { webhooks?.send(event) }
        if outcome.isCharge {
            // The idempotency key keeps the true answer: these faults are of the way back, not of the charge.
            if dice.roll(\.timeoutAfterCharge) {
                try await hold(dice.faults.timeoutFor)
                return Self.cut()
            }
            if dice.roll(\.errorAfterCharge) { return Self.response(Self.internalError) }
        }
        return Self.response(outcome.answer)
    }

    /// Waits, but not past the moment when the sandbox is asked to stop.
    private func hold(_ duration: Duration) async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await Task.sleep(for: duration)
            } catch is CancellationError {
                logger.debug("a held call is let go: stopping")
            }
        }
    }

    /// Announces an answer and closes the connection instead of sending it.
    private static func cut() -> Response {
        Response(status: .ok, body: ResponseBody { _ in throw ConnectionCut() })
    }

    private static let internalError = StripeAnswer.fault(
        500, .init(type: "api_error", message: "An unknown error occurred."))

    // MARK: Calls that read

    private func read(_ request: Request, _ answer: (SandboxBooks) -> StripeAnswer) -> Response {
        Self.response(refusal(of: request) ?? ledger.read(answer))
    }

    private static func paging(_ request: Request) -> (limit: String?, after: String?) {
        let parameters = request.uri.queryParameters
        return (parameters["limit"].map(String.init), parameters["starting_after"].map(String.init))
    }

    /// The answer to a caller without our secret key.
    private func refusal(of request: Request) -> StripeAnswer? {
        guard let given = request.headers[.authorization] else {
            return .fault(
                401, .init(type: "invalid_request_error", message: "You did not provide an API key."))
        }
        guard given == "Bearer \(secretKey)" else {
            return .fault(401, .init(type: "invalid_request_error", message: "Invalid API Key provided."))
        }
        return nil
    }

    private static func response(_ answer: StripeAnswer) -> Response {
        .json(answer.body, status: HTTPResponse.Status(code: answer.status))
    }
}

extension Response {
    static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }
}
