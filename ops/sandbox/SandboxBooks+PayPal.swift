/// PayPal's operations. Source: developer.paypal.com/docs/api/orders/v2 and …/payments/v2.
extension SandboxBooks {
    func createOrder(_ body: String, _ given: Circumstances) -> Outcome {
        guard !isFull else {
            return Outcome(answer: .payPalFault(429, "RATE_LIMIT_REACHED", "The sandbox is full."))
        }
        guard let request = PayPalJSON.read(PayPalOrderBody.self, body), request.intent == "CAPTURE",
            request.purchaseUnits.count == 1, let unit = request.purchaseUnits.first
        else {
            return Outcome(
                answer: .payPalFault(
                    400, "INVALID_REQUEST", issue: "INVALID_PARAMETER_SYNTAX",
                    "One purchase unit with an amount and the intent CAPTURE are needed."))
        }
        guard let amount = unit.amount.minorUnits, Self.amounts.contains(amount) else {
            return Outcome(
                answer: .payPalRefusal(
                    "DECIMAL_PRECISION", field: "/purchase_units/@reference_id=='default'/amount/value",
                    "The amount can't be."))
        }
        guard let token = request.paymentSource?.paypal?.vaultId, let method = TestMethod.token(token) else {
            return Outcome(
                answer: .payPalRefusal(
                    "INVALID_RESOURCE_ID", field: "/payment_source/paypal/vault_id", "There is no such token."))
        }
        if let invoice = unit.invoiceId, order(ofInvoice: invoice) != nil {
            return Outcome(answer: .payPalRefusal("DUPLICATE_INVOICE_ID", "The invoice \(invoice) was used before."))
        }
        if given.declines || method.declines {
            return Outcome(answer: .payPalRefusal("INSTRUMENT_DECLINED", "The means of payment was declined."))
        }
        let order = PayPalOrder(
            id: given.payPalId("O"), amount: amount + (given.missesAmount ? 1 : 0), currency: unit.amount.currencyCode,
            status: .approved, token: token, customId: unit.customId, invoiceId: unit.invoiceId, created: given.now)
        guard method != .vaultApproved else {
            return Outcome(
                answer: .payPal(PayPalOrderView(order, nil, []), status: 201), change: Change(order: order),
                events: [
                    Event(type: "CHECKOUT.ORDER.APPROVED", object: PayPalOrderView(order, nil, []), isPayPal: true)
                ])
        }
        return capture(order, given)
    }

    func captureOrder(_ id: String, _ given: Circumstances) -> Outcome {
        guard let order = orders[id] else { return Outcome(answer: .payPalNotFound) }
        guard order.capture == nil else {
            return Outcome(answer: .payPalRefusal("ORDER_ALREADY_CAPTURED", "The order was captured before."))
        }
        guard !given.declines else {
            return Outcome(answer: .payPalRefusal("INSTRUMENT_DECLINED", "The means of payment was declined."))
        }
        return capture(order, given)
    }

    func refundCapture(_ id: String, _ body: String, _ given: Circumstances) -> Outcome {
        guard let charge = charges[id], orders[charge.paymentIntent] != nil else {
            return Outcome(answer: .payPalNotFound)
        }
        guard let request = PayPalJSON.read(PayPalRefundBody.self, body) else {
            return Outcome(
                answer: .payPalFault(
                    400, "INVALID_REQUEST", issue: "INVALID_PARAMETER_SYNTAX", "The body can't be read."))
        }
        let left = refundable(charge)
        guard charge.status == .succeeded, left > 0 else {
            return Outcome(answer: .payPalRefusal("CAPTURE_FULLY_REFUNDED", "The capture was given back in full."))
        }
        if disputes(of: id).contains(where: { $0.status != .won }) {
            return Outcome(answer: .payPalRefusal("TRANSACTION_DISPUTED", "The capture is disputed."))
        }
        guard request.amount?.currencyCode.lowercased() ?? charge.currency == charge.currency else {
            return Outcome(answer: .payPalRefusal("CURRENCY_MISMATCH", "The capture is of another currency."))
        }
        guard let amount = request.amount.map({ $0.minorUnits }) ?? left, (1...left).contains(amount) else {
            return Outcome(
                answer: .payPalRefusal("REFUND_AMOUNT_EXCEEDED", "No more than what was captured is given back."))
        }
        let custom = request.customId ?? charge.metadata["custom_id"]
        let made = refund(
            amount, of: charge, id: given.payPalId("R"), metadata: custom.map { ["custom_id": $0] } ?? [:], given)
        return Outcome(
            answer: .payPal(PayPalRefundView(made.refund, custom), status: 201),
            change: Change(charge: made.charge, refund: made.refund),
            events: events(of: made.refund, made.charge, isNew: true), isMoney: true)
    }

    // MARK: Reading

    func order(_ id: String) -> SandboxAnswer {
        guard let order = orders[id] else { return .payPalNotFound }
        let capture = order.capture.flatMap { charges[$0] }
        return .payPal(PayPalOrderView(order, capture, capture.map { refunds(of: $0.id) } ?? []))
    }

    func capture(_ id: String) -> SandboxAnswer {
        guard let charge = charges[id], orders[charge.paymentIntent] != nil else { return .payPalNotFound }
        return .payPal(PayPalCaptureView(charge))
    }

    func listDisputes(ofCapture id: String) -> SandboxAnswer {
        .payPal(PayPalDisputeList(items: disputes(of: id).map { view($0).withoutOutcome }))
    }

    func dispute(_ id: String) -> SandboxAnswer {
        guard let dispute = disputes[id], orders[dispute.paymentIntent] != nil else { return .payPalNotFound }
        return .payPal(view(dispute))
    }

    /// A page of what was captured and given back within `times`.
    func report(in times: ClosedRange<Int64>, page: Int, size: Int) -> SandboxAnswer {
        let payments = charges.all(in: times).filter { $0.status == .succeeded }.map { charge in
            (charge.created, charge.paymentIntent, row(charge))
        }
        let returns = refunds.all(in: times).filter { $0.status == .succeeded }.map { refund in
            (refund.created, refund.paymentIntent, row(refund))
        }
        let rows = (payments + returns).filter { orders[$0.1] != nil }.sorted { $0.0 < $1.0 }.map(\.2)
        let start = min((page - 1) * size, rows.count)
        return .payPal(
            PayPalReport(
                transactionDetails: rows[start..<min(start + size, rows.count)].map { .init(transactionInfo: $0) },
                page: page, totalItems: rows.count, totalPages: max(1, (rows.count + size - 1) / size)))
    }

    // MARK: Rules

    private func capture(_ order: PayPalOrder, _ given: Circumstances) -> Outcome {
        var order = order
        let method = TestMethod.token(order.token)
        let isHeld = method == .vaultHeld
        let metadata = ["custom_id": order.customId, "invoice_id": order.invoiceId].compactMapValues { $0 }
        var charge = Charge(
            id: given.payPalId("C"), amount: order.amount, amountCaptured: isHeld ? 0 : order.amount,
            captured: !isHeld, currency: order.currency.lowercased(), metadata: metadata, paymentIntent: order.id,
            paymentMethod: order.token, status: isHeld ? .pending : .succeeded, created: given.now)
        (order.status, order.capture) = (.completed, charge.id)
        let type = isHeld ? "PAYMENT.CAPTURE.PENDING" : "PAYMENT.CAPTURE.COMPLETED"
        var events = [Event(type: type, object: PayPalCaptureView(charge), isPayPal: true)]
        var change = Change(order: order, charge: charge)
        if method?.disputes == true {
            let disputed = dispute(charge, as: .needsResponse, id: "PP-D-" + given.payPalId("D"), given)
            charge = disputed.change.charge ?? charge
            (change.charge, change.dispute) = (charge, disputed.change.dispute)
            events +=
                disputed.change.dispute.map {
                    [
                        Event(
                            type: "CUSTOMER.DISPUTE.CREATED", object: PayPalDisputeView($0, order.customId),
                            isPayPal: true)
                    ]
                } ?? []
        }
        return Outcome(
            answer: .payPal(PayPalOrderView(order, charge, []), status: 201), change: change, events: events,
            isMoney: !isHeld)
    }

    private func view(_ dispute: Dispute) -> PayPalDisputeView {
        PayPalDisputeView(dispute, charges[dispute.charge]?.metadata["custom_id"])
    }

    private func row(_ charge: Charge) -> PayPalReport.Transaction {
        PayPalReport.Transaction(
            transactionId: charge.id, transactionEventCode: "T0006", transactionStatus: charge.refunded ? "V" : "S",
            transactionAmount: PayPalMoney(charge.amount, charge.currency),
            transactionInitiationDate: PayPalJSON.time(charge.created), customField: charge.metadata["custom_id"],
            invoiceId: charge.metadata["invoice_id"])
    }

    private func row(_ refund: Refund) -> PayPalReport.Transaction {
        PayPalReport.Transaction(
            transactionId: refund.id, transactionEventCode: "T1107", transactionStatus: "S",
            transactionAmount: PayPalMoney(-refund.amount, refund.currency),
            transactionInitiationDate: PayPalJSON.time(refund.created),
            customField: refund.metadata?["custom_id"], invoiceId: nil)
    }
}
