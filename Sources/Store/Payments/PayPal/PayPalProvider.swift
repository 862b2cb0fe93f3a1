import Foundation
import GameModel

/// PayPal, or anything that speaks its API: one PayPal order per order of ours, made and captured with a payment token
/// from its vault.
///
/// A charge is a capture and is named by it; until there is one, PayPal's order names it, and either name finds it.
/// Promises that nothing is charged twice: each call carries an id of ours that PayPal knows again, and past the time
/// that PayPal remembers it (6 hours) the invoice's id, our order's, is refused as used. Source:
/// developer.paypal.com/docs/api/orders/v2, …/payments/v2, …/transaction-search/v1, …/customer-disputes/v1.
public struct PayPalProvider: PaymentProvider {
    static let ordersPath = "/v2/checkout/orders"
    static let capturesPath = "/v2/payments/captures"
    static let disputesPath = "/v1/customer/disputes"

    public let name = "paypal"
    public let keysKept: Duration = .seconds(6 * 3600)
    /// Transaction Search shows a payment up to three hours late.
    public let listingLag: Duration = .seconds(3 * 3600)
    let connection: PayPalConnection
    let clock: @Sendable () -> Instant

    /// - Parameters:
    ///   - url: `https://api-m.paypal.com`.
    ///   - timeout: for one call, from its start to the end of its answer.
    ///   - connections: how many calls may be under way at once; more wait.
    public init(
        url: String, clientId: String, clientSecret: String, timeout: Duration = .seconds(20), connections: Int = 8,
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        connection = PayPalConnection(
            url: url, clientId: clientId, clientSecret: clientSecret, timeout: timeout, connections: connections)
        self.clock = clock
    }

    /// Closes the connections. Must be called once, when nothing is asked any more.
    public func shutdown() async throws { try await connection.shutdown() }

    // MARK: Charges

    public func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        guard let amount = PayPalAmount(request.amount) else {
            throw .refused(code: "amount_not_payable", message: "PayPal can't be asked for \(request.amount)")
        }
        let id = request.orderId.rawValue
        let answer = try await connection.post(
            Self.ordersPath,
            PayPalOrderRequest(
                purchaseUnits: [.init(customId: id, invoiceId: id, amount: amount)],
                paymentSource: .init(paypal: .init(vaultId: request.paymentMethod))),
            requestId: request.idempotencyKey)
        switch try PayPalAnswer.order(answer) {
        case .outcome(let outcome): return outcome
        case .toCapture:
            let order = try PayPalAnswer.read(PayPalOrder.self, answer)
            return try await capture(order.id, key: "capture-" + request.idempotencyKey)
        }
    }

    /// Takes the money of an order that the buyer agreed to.
    private func capture(_ order: String, key: String) async throws(PaymentError) -> ChargeOutcome {
        let path = Self.ordersPath + "/" + ProviderConnection.escaped(order)
        do throws(PaymentError) {
            let answer = try await connection.post(path + "/capture", json: Data("{}".utf8), requestId: key)
            guard case .outcome(let outcome) = try PayPalAnswer.order(answer) else {
                // Not named as the charge: a look at its name would never capture it.
                throw .unavailable("PayPal has not captured the order \(order) yet")
            }
            return outcome
        } catch {
            guard case .refused("ORDER_ALREADY_CAPTURED", _) = error else { throw error }
            return try await charge(reference: order)
        }
    }

    public func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        switch try await verdict(on: reference) {
        case .outcome(let outcome): try await withDisputes(outcome)
        case .toCapture: .undecided(reference: reference)
        }
    }

    /// An order that was not captured needs no undoing: only a call of ours would capture it, and PayPal drops it by
    /// itself. A capture that PayPal holds back can't be taken back.
    public func cancel(reference: String) async throws(PaymentError) {
        switch try await verdict(on: reference) {
        case .toCapture, .outcome(.declined): return
        case .outcome(.succeeded):
            throw .refused(code: "already_captured", message: "the order \(reference) was charged")
        case .outcome(.undecided(let open)):
            throw .refused(code: "capture_pending", message: "PayPal has not decided on \(open) yet")
        }
    }

    /// What a capture's or an order's name leads to.
    private func verdict(on reference: String) async throws(PaymentError) -> PayPalAnswer.Verdict {
        let name = ProviderConnection.escaped(reference)
        guard let capture = try PayPalAnswer.capture(try await connection.get(Self.capturesPath + "/" + name)) else {
            return try PayPalAnswer.order(try await connection.get(Self.ordersPath + "/" + name))
        }
        guard capture.isTaken else { return .outcome(PayPalAnswer.outcome(of: capture)) }
        let order = capture.isGivenBack ? try await order(of: capture) : nil
        return .outcome(.succeeded(try PayPalAnswer.charge(of: capture, in: order)))
    }

    private func order(of capture: PayPalCapture) async throws(PaymentError) -> PayPalOrder? {
        guard let id = capture.orderId else { return nil }
        let answer = try await connection.get(Self.ordersPath + "/" + ProviderConnection.escaped(id))
        return try PayPalAnswer.read(PayPalOrder.self, answer)
    }

    private func withDisputes(_ outcome: ChargeOutcome) async throws(PaymentError) -> ChargeOutcome {
        guard case .succeeded(let charge) = outcome else { return outcome }
        let answer = try await connection.get(Self.disputesPath, [("disputed_transaction_id", charge.reference)])
        for dispute in try PayPalAnswer.read(PayPalDisputes.self, answer).items ?? [] {
            // How a dispute ended is told by itself alone, not by the list.
            let full =
                dispute.isResolved
                ? try PayPalAnswer.read(
                    PayPalDispute.self,
                    try await connection.get(Self.disputesPath + "/" + ProviderConnection.escaped(dispute.disputeId)))
                : dispute
            if PayPalAnswer.isLost(full) { return .succeeded(charge.disputed(true)) }
        }
        return outcome
    }

    // MARK: Refunds

    public func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome {
        guard let amount = PayPalAmount(request.amount) else {
            throw .refused(code: "amount_not_payable", message: "PayPal can't give back \(request.amount)")
        }
        guard case .outcome(.succeeded(let charge)) = try await verdict(on: request.reference) else {
            return .refused(code: "not_charged")
        }
        let path = Self.capturesPath + "/" + ProviderConnection.escaped(charge.reference)
        let answer = try await connection.post(
            path + "/refund", PayPalRefundRequest(amount: amount, customId: request.orderId.rawValue),
            requestId: request.idempotencyKey)
        if let outcome = try PayPalAnswer.refund(answer) { return outcome }
        // Given back already.
        guard let capture = try PayPalAnswer.capture(try await connection.get(path)),
            let order = try await order(of: capture),
            let made = PayPalAnswer.refund(in: order, for: request.orderId)
        else { return .undecided(reference: charge.reference) }
        return made
    }
}
