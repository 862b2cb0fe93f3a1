import GameModel

/// The providers that charge, by their names.
public struct PaymentProviders: Sendable {
    /// The default one first.
    public let all: [any PaymentProvider]
    private let close: @Sendable () async throws -> Void

    /// - Parameter connections: how many calls to each provider may be under way at once; more wait.
    public init(_ settings: PaymentSettings, connections: Int = 8) {
        let stripe = StripeProvider(
            url: settings.stripeURL, secretKey: settings.stripeSecretKey, timeout: settings.timeout,
            connections: connections)
        guard let account = settings.payPal else {
            all = [stripe]
            close = { try await stripe.shutdown() }
            return
        }
        let payPal = PayPalProvider(
            url: account.url, clientId: account.clientId, clientSecret: account.clientSecret,
            timeout: settings.timeout, connections: connections)
        all = [stripe, payPal]
        close = {
            try await stripe.shutdown()
            try await payPal.shutdown()
        }
    }

    /// Providers of the caller's own, who closes them.
    public init(_ providers: [any PaymentProvider]) {
        all = providers
        close = {}
    }

    public var names: [String] { all.map(\.name) }

    /// The provider that an order names; `nil` where there is none of that name.
    public subscript(name: String) -> (any PaymentProvider)? { all.first { $0.name == name } }

    /// Closes the connections. Must be called once, when nothing is asked any more.
    public func shutdown() async throws { try await close() }
}

/// What reads the providers' webhooks, by their names: the part of payments that an API process needs.
public struct PaymentWebhooks: Sendable {
    public let verifiers: [any WebhookVerifier]
    private let close: @Sendable () async throws -> Void

    public init(_ settings: PaymentSettings) {
        let stripe = StripeWebhooks(secrets: settings.stripeWebhookSecrets)
        guard let account = settings.payPal, let webhook = account.webhookId else {
            verifiers = [stripe]
            close = {}
            return
        }
        let payPal = PayPalWebhooks(
            url: account.url, clientId: account.clientId, clientSecret: account.clientSecret, webhookId: webhook,
            timeout: settings.timeout)
        verifiers = [stripe, payPal]
        close = { try await payPal.shutdown() }
    }

    /// Closes the connections. Must be called once, when no webhook comes any more.
    public func shutdown() async throws { try await close() }
}
