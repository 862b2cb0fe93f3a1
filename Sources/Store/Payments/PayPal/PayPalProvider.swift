import GameModel

/// PayPal.
public struct PayPalProvider: PaymentProvider {
    public let name = "paypal"

    public init(
        url: String, clientId: String, clientSecret: String, timeout: Duration = .seconds(20), connections: Int = 8
    ) {}

    public func shutdown() async throws {}

    public func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        throw .unavailable("not built yet")
    }

    public func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        throw .unavailable("not built yet")
    }

    public func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage {
        throw .unavailable("not built yet")
    }

    public func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome {
        throw .unavailable("not built yet")
    }

    public func cancel(reference: String) async throws(PaymentError) { throw .unavailable("not built yet") }
}
