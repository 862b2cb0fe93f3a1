import ServiceLifecycle
import Store

/// Closes the connections to providers that check signatures for us, when no webhook comes any more.
struct WebhooksCloser: Service {
    let webhooks: PaymentWebhooks

    func run() async throws {
        // Also where another service failed, as one whose port is taken: a client that is let go of open ends the
        // process, and what had failed would not be told.
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: closed all the same.
        }
        try await webhooks.shutdown()
    }
}
