import GameModel

/// Reads PayPal's webhooks.
public struct PayPalWebhooks: WebhookVerifier {
    public let name = "paypal"

    public init(
        url: String, clientId: String, clientSecret: String, webhookId: String, timeout: Duration = .seconds(20)
    ) {}

    public func shutdown() async throws {}

    public func event(headers: [String: String], body: [UInt8], at now: Instant) async throws(StoreError)
        -> ProviderEvent
    {
        throw .unavailable("not built yet")
    }
}
