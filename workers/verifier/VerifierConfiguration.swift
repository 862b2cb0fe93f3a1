import Configuration
import GameModel
import Jobs
import Redis
import Store

/// The settings of a verifier process. The defaults work on a laptop, beside `muster sandbox`.
public struct VerifierConfiguration: Sendable, Equatable {
    public var redisURL = "redis://127.0.0.1:6379"
    /// The folder with `accounts.sqlite`.
    public var dataFolder = ".muster"
    public var healthHost = "127.0.0.1"
    /// The port of /healthz, /readyz and /metrics; 0 takes any that is free.
    public var healthPort = 0
    /// Where the payment providers are.
    public var payments = PaymentSettings()
    /// Orders that are verified at the same time.
    public var concurrency = 64
    /// How long after it was placed an order may be charged; then it ends as the provider's truth demands.
    public var orderTimeOut: Duration = .seconds(23 * 3600)
    /// When charges are compared with orders, in UTC; `nil`: never by itself.
    public var reconcileCron: String? = "17 4 * * *"
    /// How far back they are compared.
    public var reconcileDays = 7

    public init() {}

    /// Reads, each with the default above where it is absent:
    /// - `muster.redis.url`
    /// - `muster.data`
    /// - `muster.health.host`, `muster.health.port` (0 to 65535)
    /// - those of the payment providers, ``PaymentSettings/init(string:int:)``
    /// - `muster.verifier.concurrency` (1 to 1000)
    /// - `muster.payments.order-timeout-hours` (1 to 23; less where a provider forgets idempotency keys sooner)
    /// - `muster.payments.reconcile-cron`, five fields or `@daily`; `off`: never by itself
    /// - `muster.payments.reconcile-days` (1 to 366)
    public init(reader: ConfigReader) {
        redisURL = reader.string(forKey: "muster.redis.url", default: redisURL)
        dataFolder = reader.string(forKey: "muster.data", default: dataFolder)
        healthHost = reader.string(forKey: "muster.health.host", default: healthHost)
        healthPort = reader.int(forKey: "muster.health.port", default: healthPort)
        payments = PaymentSettings(
            string: { reader.string(forKey: ConfigKey($0), isSecret: $1) }, int: { reader.int(forKey: ConfigKey($0)) })
        concurrency = reader.int(forKey: "muster.verifier.concurrency", default: concurrency)
        let hours = Int(orderTimeOut.milliseconds / Self.hour)
        orderTimeOut = .milliseconds(
            Int64(clamping: reader.int(forKey: "muster.payments.order-timeout-hours", default: hours)) * Self.hour)
        let cron = reader.string(forKey: "muster.payments.reconcile-cron", default: reconcileCron ?? Self.never)
        reconcileCron = cron == Self.never ? nil : cron
        reconcileDays = reader.int(forKey: "muster.payments.reconcile-days", default: reconcileDays)
    }

    private static let never = "off"
    /// In ms.
    private static let hour: Int64 = 3_600_000

    /// - Throws: ``VerifierConfigurationError`` naming the setting.
    public func validate() throws(VerifierConfigurationError) {
        try Self.check("muster.health.port", healthPort, in: 0...65_535)
        try Self.check("muster.verifier.concurrency", concurrency, in: 1...1_000)
        try Self.check("muster.payments.order-timeout-hours", Int(orderTimeOut.milliseconds / Self.hour), in: 1...23)
        try Self.check("muster.payments.reconcile-days", reconcileDays, in: 1...366)
        if let reconcileCron {
            do throws(CronScheduleError) {
                _ = try CronSchedule(reconcileCron)
            } catch {
                throw VerifierConfigurationError(
                    description: "muster.payments.reconcile-cron is '\(reconcileCron)': \(error)")
            }
        }
        do throws(PaymentSettingsError) {
            try payments.validate()
        } catch {
            throw VerifierConfigurationError(description: error.description)
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
