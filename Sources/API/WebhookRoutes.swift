import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Store

/// News from the payment providers, each under its name.
struct WebhookRoutes: Sendable {
    let webhooks: WebhookReceiver

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/store/webhooks/{provider}", use: receive)
    }

    /// Any 2xx tells the provider not to send the event again.
    @Sendable func receive(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = context.parameters.get("provider") ?? ""
        // What Stripe's webhooks were sent to before there were others.
        let provider = name == "payments" ? "stripe" : name
        guard webhooks.providers.contains(provider) else {
            throw Problem.notFound("No webhooks of '\(provider.prefix(40))' are taken here.")
        }
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        // The signature is over the bytes as they came.
        let body = try await request.collectBytes(context: context)
        let outcome = try await webhooks.receive(
            provider: provider, headers: headers, body: Array(body.readableBytesView))
        context.logger.debug("webhook", metadata: ["provider": "\(provider)", "outcome": "\(outcome)"])
        return .empty(.ok)
    }
}
