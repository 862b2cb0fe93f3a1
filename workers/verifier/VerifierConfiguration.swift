import Configuration
import GameModel
import Redis

/// The settings of a verifier process. The defaults work on a laptop, beside `muster sandbox`.
public struct VerifierConfiguration: Sendable, Equatable {
    public var redisURL = "redis://127.0.0.1:6379"
    /// The folder with `accounts.sqlite`.
    public var dataFolder = ".muster"
    public var healthHost = "127.0.0.1"
    /// The port of /healthz, /readyz and /metrics; 0 takes any that is free.
    public var healthPort = 0
    /// The payment provider's API.
    public var paymentsURL = "http://127.0.0.1:8090"
    public var paymentsSecretKey = "sk_test_muster"
    /// How long one call to the provider may take.
    public var paymentsTimeout: Duration = .seconds(20)
    /// Orders that are verified at the same time.
    public var concurrency = 64

    public init() {}

    /// Reads, each with the default above where it is absent:
    /// - `muster.redis.url`
    /// - `muster.data`
    /// - `muster.health.host`, `muster.health.port` (0 to 65535)
    /// - `muster.payments.url`, `muster.payments.secret-key` (secret)
    /// - `muster.payments.timeout-ms` (100 to 120000)
    /// - `muster.verifier.concurrency` (1 to 1000)
    public init(reader: ConfigReader) {
        redisURL = reader.string(forKey: "muster.redis.url", default: redisURL)
        dataFolder = reader.string(forKey: "muster.data", default: dataFolder)
        healthHost = reader.string(forKey: "muster.health.host", default: healthHost)
        healthPort = reader.int(forKey: "muster.health.port", default: healthPort)
        paymentsURL = reader.string(forKey: "muster.payments.url", default: paymentsURL)
        paymentsSecretKey = reader.string(
            forKey: "muster.payments.secret-key", isSecret: true, default: paymentsSecretKey)
        paymentsTimeout = .milliseconds(
            reader.int(forKey: "muster.payments.timeout-ms", default: Int(paymentsTimeout.milliseconds)))
        concurrency = reader.int(forKey: "muster.verifier.concurrency", default: concurrency)
    }

    /// - Throws: ``VerifierConfigurationError`` naming the setting.
    public func validate() throws(VerifierConfigurationError) {
        try Self.check("muster.health.port", healthPort, in: 0...65_535)
        try Self.check("muster.payments.timeout-ms", Int(paymentsTimeout.milliseconds), in: 100...120_000)
        try Self.check("muster.verifier.concurrency", concurrency, in: 1...1_000)
        guard paymentsURL.hasPrefix("http://") || paymentsURL.hasPrefix("https://") else {
            throw VerifierConfigurationError(
                description: "muster.payments.url is '\(paymentsURL)', and must begin with http:// or https://")
        }
        guard !paymentsSecretKey.isEmpty, paymentsSecretKey.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw VerifierConfigurationError(
                description: "muster.payments.secret-key must be of visible ASCII characters")
        }
    }

    private static func check(
        _ setting: String, _ value: Int, in range: ClosedRange<Int>
    ) throws(VerifierConfigurationError) {
        guard range.contains(value) else {
            throw VerifierConfigurationError(
                description: "\(setting) is \(value), and must be \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

/// A setting that is out of its range.
public struct VerifierConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
}
