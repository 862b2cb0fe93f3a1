import GameModel
import NIOHTTP1

/// Stripe, or anything that speaks its API: one payment intent per order, created and confirmed in one call.
///
/// Promises that nothing is charged or given back twice: every call for an order carries the order's id as its
/// Idempotency-Key, and a refund is looked for before it is made. Answers that don't tell what happened are
/// ``PaymentError/unavailable(_:)``. Source: docs.stripe.com/api.
public struct StripeProvider: PaymentProvider {
    /// The version whose answers this code reads; pinned, so that the account's own setting can't change their shape.
    public static let apiVersion = "2024-06-20"
    static let pageMax = 100

    public let name = "stripe"
    private let connection: ProviderConnection
    private let secretKey: String

    /// - Parameters:
    ///   - url: `https://api.stripe.com`.
    ///   - timeout: for one call, from its start to the end of its answer.
    ///   - connections: how many calls may be under way at once; more wait.
    public init(
        url: String, secretKey: String, timeout: Duration = .seconds(20), connections: Int = 8
    ) {
        connection = ProviderConnection(url: url, timeout: timeout, connections: connections)
        self.secretKey = secretKey
    }

    /// Closes the connections. Must be called once, when nothing is asked any more.
    public func shutdown() async throws { try await connection.shutdown() }

    // MARK: Charges

    public func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        let answer = try await post(
            "/v1/payment_intents",
            [
                ("amount", String(request.amount.minorUnits)),
                ("currency", request.amount.currency.rawValue.lowercased()),
                ("payment_method", request.paymentMethod),
                ("payment_method_types[]", "card"),
                ("confirm", "true"),
                ("metadata[order_id]", request.orderId.rawValue),
                ("metadata[player_id]", request.playerId.rawValue),
                ("expand[]", "latest_charge"),
            ],
            idempotencyKey: request.idempotencyKey)
        return try await withDisputes(try StripeAnswer.outcome(answer))
    }

    public func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        let path = "/v1/payment_intents/" + ProviderConnection.escaped(reference)
        let answer = try await get(path, [("expand[]", "latest_charge")])
        return try await withDisputes(try StripeAnswer.outcome(answer))
    }

    /// Lists Stripe's charges, of which each payment intent has at most one that succeeded.
    public func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage {
        var query = [
            ("limit", String(Self.pageMax)), ("expand[]", "data.payment_intent"),
        ]
        // Whole seconds: the one before, so that none of this one is left out.
        let second = since.milliseconds / 1000 - 1
        if second > 0 { query.append(("created[gt]", String(second))) }
        if let cursor { query.append(("starting_after", cursor)) }
        let page = try StripeAnswer.page(try await get("/v1/charges", query))
        var charges: [Charge] = []
        for charge in page.succeeded { charges.append(try await withDisputes(charge)) }
        return ChargePage(succeeded: charges, next: page.next)
    }

    public func cancel(reference: String) async throws(PaymentError) {
        let path = "/v1/payment_intents/" + ProviderConnection.escaped(reference) + "/cancel"
        try StripeAnswer.cancelled(try await post(path, []))
    }

    private func withDisputes(_ outcome: ChargeOutcome) async throws(PaymentError) -> ChargeOutcome {
        guard case .succeeded(let charge) = outcome else { return outcome }
        return .succeeded(try await withDisputes(charge))
    }

    /// Stripe marks a charge that was ever disputed, for good: whether the dispute was won is told by the dispute.
    private func withDisputes(_ charge: Charge) async throws(PaymentError) -> Charge {
        guard charge.isDisputed else { return charge }
        let answer = try await get(
            "/v1/disputes", [("payment_intent", charge.reference), ("limit", String(Self.pageMax))])
        return charge.disputed(try StripeAnswer.isDisputeLost(answer))
    }

    // MARK: Refunds

    /// Looks for the order's refund before it makes one: Stripe forgets an idempotency key after a day, and while it
    /// remembers, it repeats its first answer, however the refund went on.
    public func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome {
        if let made = try await refund(of: request.reference, for: request) { return made }
        let answer = try await post(
            "/v1/refunds",
            [
                ("payment_intent", request.reference),
                ("amount", String(request.amount.minorUnits)),
                ("metadata[order_id]", request.orderId.rawValue), ("metadata[attempt]", request.attempt),
            ],
            idempotencyKey: request.idempotencyKey)
        if let outcome = try StripeAnswer.refund(answer) { return outcome }
        // Given back already, by somebody else.
        return try await refund(of: request.reference, for: nil) ?? .undecided(reference: request.reference)
    }

    private func refund(of reference: String, for request: RefundRequest?) async throws(PaymentError) -> RefundOutcome?
    {
        let answer = try await get(
            "/v1/refunds", [("payment_intent", reference), ("limit", String(Self.pageMax))])
        return try StripeAnswer.refund(answer, for: request)
    }

    // MARK: Calls

    private func get(
        _ path: String, _ query: [(String, String)]
    ) async throws(PaymentError) -> ProviderConnection.Answer {
        try await connection.send(.GET, path + "?" + ProviderConnection.form(query), headers: headers)
    }

    private func post(
        _ path: String, _ form: [(String, String)], idempotencyKey: String? = nil
    ) async throws(PaymentError) -> ProviderConnection.Answer {
        let key = idempotencyKey.map { [("Idempotency-Key", $0)] } ?? []
        return try await connection.send(
            .POST, path, headers: headers + key, body: form.isEmpty ? .none : .form(form))
    }

    private var headers: [(String, String)] {
        [("Authorization", "Bearer \(secretKey)"), ("Stripe-Version", Self.apiVersion)]
    }
}
