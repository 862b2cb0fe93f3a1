/// What comes after a charge, whoever's it is: refunds and disputes.
extension SandboxBooks {
    /// What a refund makes of its charge.
    struct Refunding {
        let refund: Refund
        /// As it is then.
        let charge: Charge
    }

    /// What can still be given back of a charge, pending refunds taken off.
    func refundable(_ charge: Charge) -> Int64 {
        let underWay = refunds(of: charge.id).filter { $0.status == .pending }.map(\.amount).reduce(0, +)
        return charge.refundable(underWay: underWay)
    }

    /// Begins a refund: decided at once, or later.
    func refund(
        _ amount: Int64, of charge: Charge, id: String, metadata: [String: String], _ given: Circumstances
    ) -> Refunding {
        let isDelayed =
            given.delaysRefund || charge.paymentMethod.flatMap { TestMethod(rawValue: $0) }?.delaysRefund == true
        let refund = Refund(
            id: id, amount: amount, currency: charge.currency, charge: charge.id,
            paymentIntent: charge.paymentIntent, status: isDelayed ? .pending : .succeeded, metadata: metadata,
            created: given.now, decidedAt: isDelayed ? given.milliseconds + given.pendingFor : nil)
        return Refunding(refund: refund, charge: isDelayed ? charge : Self.given(back: amount, of: charge))
    }

    /// Decides a pending refund whose time has come.
    func decide(_ refund: Refund) -> Outcome {
        var (refund, charge) = (refund, charges[refund.charge])
        refund.decidedAt = nil
        if charge?.paymentMethod == TestMethod.failingRefund.rawValue {
            refund.status = .failed
            refund.failureReason = "expired_or_canceled_card"
        } else {
            refund.status = .succeeded
            charge = charge.map { Self.given(back: refund.amount, of: $0) }
        }
        return Outcome(
            answer: .ok(refund), change: Change(charge: charge, refund: refund),
            events: events(of: refund, charge, isNew: false))
    }

    func events(of refund: Refund, _ charge: Charge?, isNew: Bool) -> [Event] {
        if orders[refund.paymentIntent] != nil {
            guard refund.status == .succeeded else { return [] }
            let custom = charge?.metadata["custom_id"]
            return [Event(type: "PAYMENT.CAPTURE.REFUNDED", object: PayPalRefundView(refund, custom), isPayPal: true)]
        }
        var events: [Event] = []
        if !isNew {
            events.append(Event(type: refund.status == .failed ? "refund.failed" : "refund.updated", object: refund))
        }
        if refund.status == .succeeded, let charge { events.append(Event(type: "charge.refunded", object: charge)) }
        return events
    }

    /// Opens a dispute of a charge.
    func dispute(_ charge: Charge, as status: Dispute.Status, id: String, _ given: Circumstances) -> Outcome {
        var charge = charge
        charge.disputed = true
        let dispute = Dispute(
            id: id, amount: charge.amountCaptured, charge: charge.id, currency: charge.currency,
            paymentIntent: charge.paymentIntent, status: status, created: given.now)
        return Outcome(
            answer: .ok(dispute), change: Change(charge: charge, dispute: dispute),
            events: [event(of: dispute, "created")])
    }

    /// Goes on with a dispute.
    func move(_ dispute: Dispute, to status: Dispute.Status) -> Outcome {
        var dispute = dispute
        dispute.status = status
        let isClosed = status == .won || status == .lost
        return Outcome(
            answer: .ok(dispute), change: Change(dispute: dispute),
            events: [event(of: dispute, isClosed ? "closed" : "updated")])
    }

    func event(of dispute: Dispute, _ verb: String) -> Event {
        guard orders[dispute.paymentIntent] != nil else {
            return Event(type: "charge.dispute.\(verb)", object: dispute)
        }
        let name = verb == "closed" ? "RESOLVED" : verb.uppercased()
        let custom = charges[dispute.charge]?.metadata["custom_id"]
        return Event(type: "CUSTOMER.DISPUTE.\(name)", object: PayPalDisputeView(dispute, custom), isPayPal: true)
    }

    private static func given(back amount: Int64, of charge: Charge) -> Charge {
        var charge = charge
        charge.amountRefunded += amount
        charge.refunded = charge.amountRefunded >= charge.amountCaptured
        return charge
    }
}
