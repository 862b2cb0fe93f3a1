import Foundation
import HTTPTypes
import Hummingbird

/// Stripe's API as far as Muster uses it, with faults on demand. Source: docs.stripe.com/api.
struct SandboxRoutes: Sendable {
    /// The header by which a call that comes again is known.
    private static let idempotencyKey = HTTPField.Name("Idempotency-Key")
    private static let words = SandboxCalls.Words(
        rateLimit: .fault(429, .init(type: "rate_limit_error", message: "Too many requests.")),
        internalError: .fault(500, .init(type: "api_error", message: "An unknown error occurred.")),
        reusedKey: .fault(
            400,
            .init(
                type: "idempotency_error",
                message: "Keys for idempotent requests can only be used with the same parameters they were first used "
                    + "with. Try using another key if you meant to execute a different request.")))

    let secretKey: String
    let calls: SandboxCalls

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/payment_intents") { request, _ in
            try await perform(request, "create") { books, form, given in books.create(form, given) }
        }
        router.post("/v1/payment_intents/{id}/confirm") { request, context in
            let id = try context.parameters.require("id")
            return try await perform(request, "confirm \(id)") { books, form, given in books.confirm(id, form, given) }
        }
        router.post("/v1/payment_intents/{id}/cancel") { request, context in
            let id = try context.parameters.require("id")
            return try await perform(request, "cancel \(id)") { books, _, _ in books.cancel(id) }
        }
        router.post("/v1/refunds") { request, _ in
            try await perform(request, "refund") { books, form, given in books.refund(form, given) }
        }
        router.get("/v1/payment_intents/{id}") { request, context in
            let id = try context.parameters.require("id")
            return read(request) { books, query in books.intent(id, expanding: query.expands("latest_charge")) }
        }
        router.get("/v1/charges/{id}") { request, context in
            let id = try context.parameters.require("id")
            return read(request) { books, query in books.charge(id, expanding: query.expands("payment_intent")) }
        }
        router.get("/v1/payment_intents") { request, _ in read(request) { $0.listIntents($1) } }
        router.get("/v1/charges") { request, _ in read(request) { $0.listCharges($1) } }
        router.get("/v1/refunds") { request, _ in read(request) { $0.listRefunds($1) } }
        router.get("/v1/disputes") { request, _ in read(request) { $0.listDisputes($1) } }
    }

    private func perform(
        _ request: Request, _ call: String,
        _ operation: (SandboxBooks, FormBody, SandboxBooks.Circumstances) -> SandboxBooks.Outcome
    ) async throws -> Response {
        if let refusal = refusal(of: request) { return .answer(refusal) }
        let text = String(buffer: try await request.body.collect(upTo: SandboxCalls.bodyBytesMax))
        guard let form = FormBody(text) else {
            return .answer(.invalid("The form can't be read.", code: "parameter_invalid_string", param: nil))
        }
        return try await calls.perform(
            key: Self.idempotencyKey.flatMap { request.headers[$0] }, call: call, body: text, words: Self.words
        ) { books, given in operation(books, form, given) }
    }

    private func read(_ request: Request, _ answer: (SandboxBooks, StripeQuery) -> SandboxAnswer) -> Response {
        if let refusal = refusal(of: request) { return .answer(refusal) }
        do {
            let query = try StripeQuery(request)
            return .answer(calls.ledger.read { answer($0, query) })
        } catch {
            return .answer(error.answer)
        }
    }

    /// The answer to a caller without our secret key.
    private func refusal(of request: Request) -> SandboxAnswer? {
        guard let given = request.headers[.authorization] else {
            return .fault(
                401, .init(type: "invalid_request_error", message: "You did not provide an API key."))
        }
        guard given == "Bearer \(secretKey)" else {
            return .fault(401, .init(type: "invalid_request_error", message: "Invalid API Key provided."))
        }
        return nil
    }
}
