/// The means of payment that the sandbox knows: some of Stripe's cards for tests, and payment tokens like those of
/// PayPal's vault. Each does one thing.
enum TestMethod: String, Sendable {
    case visa = "pm_card_visa"
    case declined = "pm_card_chargeDeclined"
    /// Charged, and disputed at once.
    case disputed = "pm_card_createDispute"
    /// Its refunds take their time.
    case slowRefund = "pm_card_pendingRefund"
    /// Its refunds take their time, and fail.
    case failingRefund = "pm_card_refundFail"

    case vault = "vault_good"
    case vaultDeclined = "vault_declined"
    /// Approved, and only charged once it is captured.
    case vaultApproved = "vault_approved"
    /// Captured, and held back for good.
    case vaultHeld = "vault_held"
    case vaultDisputed = "vault_disputed"
    case vaultSlowRefund = "vault_pending_refund"

    var isPayPal: Bool { rawValue.hasPrefix("vault_") }
    var declines: Bool { self == .declined || self == .vaultDeclined }
    var disputes: Bool { self == .disputed || self == .vaultDisputed }
    var delaysRefund: Bool { self == .slowRefund || self == .failingRefund || self == .vaultSlowRefund }

    /// One of Stripe's.
    static func card(_ name: String) -> TestMethod? { TestMethod(rawValue: name).flatMap { $0.isPayPal ? nil : $0 } }
    /// One of PayPal's.
    static func token(_ name: String) -> TestMethod? { TestMethod(rawValue: name).flatMap { $0.isPayPal ? $0 : nil } }
}
