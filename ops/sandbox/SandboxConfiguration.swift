import Configuration

/// What the sandbox payment provider is told at its start.
public struct SandboxConfiguration: Equatable, Sendable {
    public var host = "127.0.0.1"
    /// 0 = any.
    public var port = 8090
    /// What callers must send as `Authorization: Bearer …`.
    public var secretKey = "sk_test_muster"
    /// Where events are posted; none: no webhooks.
    public var webhookURL: String?
    /// What events are signed with.
    public var webhookSecret = "whsec_muster"
    /// How late an event comes that others are to overtake.
    public var webhookLateness: Duration = .milliseconds(700)
    /// What PayPal's side knows the caller by.
    public var payPalClientId = "muster"
    public var payPalClientSecret = "paypal_muster"
    /// Where PayPal's events are posted; none: no webhooks.
    public var payPalWebhookURL: String?
    public var payPalWebhookId = "WH-MUSTER"
    /// The faults at the start; `POST /sandbox/faults` changes them.
    public var faults = SandboxFaults()
    /// What the dice of the faults start from; none: by chance.
    public var seed: UInt64?
    /// The folder of `sandbox.jsonl`, from which a restarted sandbox knows its charges; none: it forgets them.
    public var dataFolder: String?

    public init() {}

    /// | key | default |
    /// |---|---|
    /// | `muster.sandbox.host` | 127.0.0.1 |
    /// | `muster.sandbox.port` (0 = any) | 8090 |
    /// | `muster.sandbox.webhook-url` | none |
    /// | `muster.sandbox.paypal-webhook-url` | none |
    /// | `muster.sandbox.faults`, as ``SandboxFaults/init(_:)`` reads them | none |
    /// | `muster.sandbox.seed` | by chance |
    /// | `muster.sandbox.data`, else `muster.data` | none |
    /// | `muster.payments.secret-key` | sk_test_muster |
    /// | `muster.payments.webhook-secret` (the first, where several have commas between them) | whsec_muster |
    /// | `muster.payments.paypal.client-id` | muster |
    /// | `muster.payments.paypal.client-secret` | paypal_muster |
    /// | `muster.payments.paypal.webhook-id` | WH-MUSTER |
    /// - Throws: ``SandboxError`` for faults that can't be read.
    public init(reader: ConfigReader) throws {
        host = reader.string(forKey: "muster.sandbox.host", default: host)
        port = reader.int(forKey: "muster.sandbox.port", default: port)
        secretKey = reader.string(forKey: "muster.payments.secret-key", isSecret: true, default: secretKey)
        webhookURL = reader.string(forKey: "muster.sandbox.webhook-url")
        let secrets = reader.string(forKey: "muster.payments.webhook-secret", isSecret: true, default: webhookSecret)
        webhookSecret = secrets.split { $0 == "," || $0 == " " }.first.map(String.init) ?? ""
        payPalWebhookURL = reader.string(forKey: "muster.sandbox.paypal-webhook-url")
        payPalClientId = reader.string(forKey: "muster.payments.paypal.client-id", default: payPalClientId)
        payPalClientSecret = reader.string(
            forKey: "muster.payments.paypal.client-secret", isSecret: true, default: payPalClientSecret)
        payPalWebhookId = reader.string(forKey: "muster.payments.paypal.webhook-id", default: payPalWebhookId)
        faults = try SandboxFaults(reader.string(forKey: "muster.sandbox.faults", default: ""))
        seed = reader.int(forKey: "muster.sandbox.seed").map { UInt64(bitPattern: Int64($0)) }
        dataFolder = reader.string(forKey: "muster.sandbox.data") ?? reader.string(forKey: "muster.data")
    }

    /// - Throws: ``SandboxError`` naming the first setting that can't be.
    public func validate() throws(SandboxError) {
        guard (0...65_535).contains(port) else { throw .invalid("port \(port): it is from 0 to 65535") }
        guard !secretKey.isEmpty else { throw .invalid("the secret key is empty") }
        guard webhookURL == nil || !webhookSecret.isEmpty else { throw .invalid("the webhook secret is empty") }
        for url in [webhookURL, payPalWebhookURL] {
            guard let url, !url.hasPrefix("http://"), !url.hasPrefix("https://") else { continue }
            throw .invalid("webhook URL \(url): it begins with http:// or https://")
        }
        guard !payPalClientId.isEmpty, !payPalClientSecret.isEmpty else {
            throw .invalid("the client id or secret of PayPal's side is empty")
        }
        try faults.validate()
    }
}

/// Why the sandbox can't start, in words.
public enum SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
    case invalid(String)
    /// The file of its charges can't be read or written.
    case books(String)

    public var description: String {
        switch self {
        case .invalid(let words): words
        case .books(let words): "the sandbox's books: \(words)"
        }
    }
}
