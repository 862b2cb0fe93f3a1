import ServiceLifecycle
import Store

/// Closes the connections to providers that check signatures for us, when no webhook comes any more.
struct WebhooksCloser: Service {
    let webhooks: PaymentWebhooks

    func run() async throws {
        try await gracefulShutdown()
        try await webhooks.shutdown()
    }
}
