import GameModel

/// Where the payment providers are, and with what they know us. The defaults work on a laptop, beside `muster sandbox`.
///
/// Its description names no secret, so that it may come into a log.
public struct PaymentSettings: Sendable, Equatable, CustomStringConvertible {
    /// Stripe's API; in production `https://api.stripe.com`.
    public var stripeURL = "http://127.0.0.1:8090"
    public var stripeSecretKey = "sk_test_muster"
    /// What Stripe signs its webhooks with: two while one is being replaced; none refuses them all.
    public var stripeWebhookSecrets: [String] = []
    /// `nil`: nothing is paid by PayPal.
    public var payPal: PayPal?
    /// How long one call to a provider may take.
    public var timeout: Duration = .seconds(20)

    public struct PayPal: Sendable, Equatable, CustomStringConvertible {
        /// PayPal's API; in production `https://api-m.paypal.com`.
        public var url = "http://127.0.0.1:8090"
        public var clientId: String
        public var clientSecret = ""
        /// The webhook's own id, which PayPal's signature covers; `nil` refuses its webhooks.
        public var webhookId: String?

        public init(clientId: String, clientSecret: String = "", webhookId: String? = nil) {
            self.clientId = clientId
            self.clientSecret = clientSecret
            self.webhookId = webhookId
        }

        public var description: String {
            "paypal at \(url), \(webhookId == nil ? "without webhooks" : "with webhooks")"
        }
    }

    public init() {}

    /// Reads, each with the default above where it is absent:
    /// - `muster.payments.url`, `muster.payments.secret-key` (secret)
    /// - `muster.payments.webhook-secret` (secret; several with commas between them)
    /// - `muster.payments.timeout-ms` (100 to 120000)
    /// - `muster.payments.paypal.client-id`: with it, PayPal is a means of payment
    /// - `muster.payments.paypal.url`, `.client-secret` (secret), `.webhook-id`
    ///
    /// - Parameters:
    ///   - string: a setting by its key, and whether it is a secret.
    ///   - int: a setting that is a number.
    public init(string: (_ key: String, _ isSecret: Bool) -> String?, int: (_ key: String) -> Int?) {
        stripeURL = string("muster.payments.url", false) ?? stripeURL
        stripeSecretKey = string("muster.payments.secret-key", true) ?? stripeSecretKey
        let secrets = string("muster.payments.webhook-secret", true) ?? ""
        stripeWebhookSecrets = secrets.split { $0 == "," || $0 == " " }.map(String.init)
        timeout = int("muster.payments.timeout-ms").map { .milliseconds($0) } ?? timeout
        guard let client = string("muster.payments.paypal.client-id", false), !client.isEmpty else { return }
        var payPal = PayPal(clientId: client)
        payPal.url = string("muster.payments.paypal.url", false) ?? payPal.url
        payPal.clientSecret = string("muster.payments.paypal.client-secret", true) ?? ""
        payPal.webhookId = string("muster.payments.paypal.webhook-id", false)
        self.payPal = payPal
    }

    /// What an order may name, the default first.
    public var providerNames: [String] { payPal == nil ? ["stripe"] : ["stripe", "paypal"] }

    /// - Throws: ``PaymentSettingsError`` naming the first setting that can't be, and what would be right.
    public func validate() throws(PaymentSettingsError) {
        guard (100...120_000).contains(timeout.milliseconds) else {
            throw PaymentSettingsError(
                description: "muster.payments.timeout-ms is \(timeout.milliseconds), and must be 100 to 120000")
        }
        try Self.check(url: stripeURL, "muster.payments.url")
        try Self.check(word: stripeSecretKey, "muster.payments.secret-key")
        for secret in stripeWebhookSecrets { try Self.check(word: secret, "muster.payments.webhook-secret") }
        guard let payPal else { return }
        try Self.check(url: payPal.url, "muster.payments.paypal.url")
        try Self.check(word: payPal.clientId, "muster.payments.paypal.client-id")
        try Self.check(word: payPal.clientSecret, "muster.payments.paypal.client-secret")
        if let webhook = payPal.webhookId { try Self.check(word: webhook, "muster.payments.paypal.webhook-id") }
    }

    public var description: String {
        let stripe = "stripe at \(stripeURL), \(stripeWebhookSecrets.count) webhook secrets"
        return payPal.map { "\(stripe); \($0)" } ?? stripe
    }

    private static func check(url: String, _ setting: String) throws(PaymentSettingsError) {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw PaymentSettingsError(
                description: "\(setting) is '\(url)', and must begin with http:// or https://")
        }
    }

    /// The value is left out of the message: it may be a secret.
    private static func check(word: String, _ setting: String) throws(PaymentSettingsError) {
        guard (1...512).contains(word.utf8.count), word.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw PaymentSettingsError(description: "\(setting) must be 1 to 512 visible ASCII characters")
        }
    }
}

/// A setting of the providers' that can't be.
public struct PaymentSettingsError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
}
