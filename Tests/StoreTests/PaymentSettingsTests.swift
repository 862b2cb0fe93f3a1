import Testing

@testable import Store

@Suite("The payment providers' settings")
struct PaymentSettingsTests {
    private func settings(_ values: [String: String]) -> PaymentSettings {
        PaymentSettings(
            string: { key, _ in values[key] }, int: { key in values[key].flatMap { Int($0) } })
    }

    @Test("without settings the sandbox on this machine charges, and nothing is told by webhooks")
    func defaults() async throws {
        let settings = settings([:])
        #expect(settings == PaymentSettings())
        try settings.validate()
        #expect(settings.providerNames == ["stripe"])
        let providers = PaymentProviders(settings)
        #expect(providers.names == ["stripe"])
        try await providers.shutdown()
    }

    @Test("with a client id PayPal is a means of payment; secrets are several while one is replaced")
    func full() async throws {
        let settings = settings([
            "muster.payments.url": "https://api.stripe.com", "muster.payments.secret-key": "sk_live_1",
            "muster.payments.webhook-secret": "whsec_new, whsec_old", "muster.payments.timeout-ms": "5000",
            "muster.payments.paypal.client-id": "client", "muster.payments.paypal.client-secret": "hush",
            "muster.payments.paypal.url": "https://api-m.paypal.com", "muster.payments.paypal.webhook-id": "WH-1",
        ])
        try settings.validate()
        #expect(settings.stripeWebhookSecrets == ["whsec_new", "whsec_old"])
        let providers = PaymentProviders(settings)
        #expect(providers.names == settings.providerNames)
        #expect(providers["paypal"]?.name == "paypal" && providers["other"] == nil)
        try await providers.shutdown()
        let webhooks = PaymentWebhooks(settings)
        #expect(webhooks.verifiers.map(\.name) == ["stripe", "paypal"])
        try await webhooks.shutdown()
        for secret in ["sk_live_1", "whsec_new", "whsec_old", "hush"] {
            #expect(!"\(settings)".contains(secret) && !String(reflecting: settings).contains(secret))
            #expect(!"\([settings])".contains(secret))
        }
    }

    @Test(
        "a setting that can't be is named, and a secret is not repeated",
        arguments: [
            (["url": "ftp://x"], "muster.payments.url is 'ftp://x', and must begin with http:// or https://"),
            (["secret-key": "a b"], "muster.payments.secret-key must be 1 to 512 visible ASCII characters"),
            (["timeout-ms": "99"], "muster.payments.timeout-ms is 99, and must be 100 to 120000"),
            (["webhook-secret": "ä"], "muster.payments.webhook-secret must be 1 to 512 visible ASCII characters"),
            (
                ["paypal.client-id": "c"],
                "muster.payments.paypal.client-secret must be 1 to 512 visible ASCII characters"
            ),
            (
                ["paypal.client-id": "c", "paypal.client-secret": "s", "paypal.url": "x"],
                "muster.payments.paypal.url is 'x', and must begin with http:// or https://"
            ),
        ])
    func refused(values: [String: String], words: String) {
        let settings = settings(Dictionary(uniqueKeysWithValues: values.map { ("muster.payments." + $0, $1) }))
        #expect(throws: PaymentSettingsError(description: words)) { try settings.validate() }
    }
}
