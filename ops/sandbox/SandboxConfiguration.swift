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
    /// | `muster.sandbox.faults`, as ``SandboxFaults/init(_:)`` reads them | none |
    /// | `muster.sandbox.seed` | by chance |
    /// | `muster.sandbox.data`, else `muster.data` | none |
    /// | `muster.payments.secret-key` | sk_test_muster |
    /// | `muster.payments.webhook-secret` | whsec_muster |
    /// - Throws: ``SandboxError`` for faults that can't be read.
    public init(reader: ConfigReader) throws {
        host = reader.string(forKey: "muster.sandbox.host", default: host)
        port = reader.int(forKey: "muster.sandbox.port", default: port)
        secretKey = reader.string(forKey: "muster.payments.secret-key", isSecret: true, default: secretKey)
        webhookURL = reader.string(forKey: "muster.sandbox.webhook-url")
        webhookSecret = reader.string(forKey: "muster.payments.webhook-secret", isSecret: true, default: webhookSecret)
        faults = try SandboxFaults(reader.string(forKey: "muster.sandbox.faults", default: ""))
        seed = reader.int(forKey: "muster.sandbox.seed").map { UInt64(bitPattern: Int64($0)) }
        dataFolder = reader.string(forKey: "muster.sandbox.data") ?? reader.string(forKey: "muster.data")
    }

    /// - Throws: ``SandboxError`` naming the first setting that can't be.
    public func validate() throws(SandboxError) {
        guard (0...65_535).contains(port) else { throw .invalid("port \(port): it is from 0 to 65535") }
        guard !secretKey.isEmpty else { throw .invalid("the secret key is empty") }
        guard webhookURL == nil || !webhookSecret.isEmpty else { throw .invalid("the webhook secret is empty") }
        if let webhookURL, !webhookURL.hasPrefix("http://"), !webhookURL.hasPrefix("https://") {
            throw .invalid("webhook URL \(webhookURL): it begins with http:// or https://")
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
