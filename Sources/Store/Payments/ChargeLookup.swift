import GameModel

extension PaymentProvider {
    /// How far the provider's clock may be from ours.
    private static var clockSkew: Duration { .seconds(600) }

    /// The charge of an order, by its name where that is known, else among those made since the order was placed.
    ///
    /// - Returns: `nil` where the provider knows none. A declined one is answered only by its name.
    func outcome(of order: Order) async throws(PaymentError) -> ChargeOutcome? {
        if let reference = order.providerReference, let outcome = try await known(reference) { return outcome }
        return try await listed(for: order).map { .succeeded($0) }
    }

    /// What became of a charge; `nil` where the provider has none of that name.
    func known(_ reference: String) async throws(PaymentError) -> ChargeOutcome? {
        do {
            return try await charge(reference: reference)
        } catch {
            guard case .refused = error else { throw error }
            return nil
        }
    }

    /// Looks through all charges since the order was placed: for the few whose names were lost. That a provider refuses
    /// to list them says nothing of the order: it counts as an outage.
    func listed(for order: Order) async throws(PaymentError) -> Charge? {
        do {
            return try await search(for: order)
        } catch {
            guard case .refused(let code, let message) = error else { throw error }
            throw .unavailable("it doesn't list its charges: \(code): \(message)")
        }
    }

    private func search(for order: Order) async throws(PaymentError) -> Charge? {
        let since = order.createdAt - Self.clockSkew
        var page = try await charges(since: since, after: nil)
        while true {
            if let charge = page.succeeded.first(where: { $0.orderId == order.orderId }) { return charge }
            guard let next = page.next else { return nil }
            page = try await charges(since: since, after: next)
        }
    }
}
