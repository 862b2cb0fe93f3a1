/// Stripe's operations. Source: docs.stripe.com/api.
extension SandboxBooks {
    func create(_ form: FormBody, _ given: Circumstances) -> Outcome {
        guard !isFull else {
            return Outcome(answer: .fault(429, .init(type: "rate_limit_error", message: "The sandbox is full.")))
        }
        guard let amountText = form["amount"] else { return Self.missing("amount") }
        guard let amount = Int64(amountText) else {
            return Self.invalid("Invalid integer: \(amountText)", code: "parameter_invalid_integer", param: "amount")
        }
        guard Self.amounts.contains(amount) else {
            let code = amount < Self.amounts.lowerBound ? "amount_too_small" : "amount_too_large"
            return Self.invalid("Amount must be from 1 to 99999999.", code: code, param: "amount")
        }
        guard let currency = form["currency"]?.lowercased() else { return Self.missing("currency") }
        guard currency.utf8.count == 3,
            currency.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        else {
            return Self.invalid("Invalid currency: \(currency)", code: "parameter_invalid_empty", param: "currency")
        }
        let method = form["payment_method"]
        if let method, TestMethod.card(method) == nil { return Self.noSuchMethod(method) }
        let isCharged = form["confirm"] == "true"
        let intent = PaymentIntent(
            id: given.stripeId("pi"), amount: amount + (given.missesAmount && isCharged ? 1 : 0), currency: currency,
            status: method == nil ? .requiresPaymentMethod : .requiresConfirmation, paymentMethod: method,
            metadata: form.entries(of: "metadata"), created: given.now)
        guard isCharged else { return Outcome(answer: .ok(intent), change: Change(intent: intent)) }
        return charge(intent, form, given)
    }

    func confirm(_ id: String, _ form: FormBody, _ given: Circumstances) -> Outcome {
        guard var intent = intents[id] else { return Self.noSuch("payment_intent", id) }
        guard intent.status != .succeeded, intent.status != .canceled else {
            return Self.unexpected(
                intent, "You cannot confirm this PaymentIntent because it is \(intent.status.rawValue).")
        }
        if let method = form["payment_method"] {
            guard TestMethod.card(method) != nil else { return Self.noSuchMethod(method) }
            intent.paymentMethod = method
        }
        return charge(intent, form, given)
    }

    func cancel(_ id: String) -> Outcome {
        guard var intent = intents[id] else { return Self.noSuch("payment_intent", id) }
        guard intent.status != .succeeded, intent.status != .canceled else {
            return Self.unexpected(
                intent, "You cannot cancel this PaymentIntent because it is \(intent.status.rawValue).")
        }
        intent.status = .canceled
        return Outcome(
            answer: .ok(intent), change: Change(intent: intent),
            events: [Event(type: "payment_intent.canceled", object: intent)])
    }

    func refund(_ form: FormBody, _ given: Circumstances) -> Outcome {
        let name = form["payment_intent"] ?? form["charge"]
        guard let name else { return Self.missing("payment_intent") }
        guard intents[name] != nil || charges[name] != nil else {
            return Self.noSuch("payment_intent", name, status: 400)
        }
        guard let charge = charge(named: name), charge.status == .succeeded, orders[charge.paymentIntent] == nil else {
            return Self.invalid(
                "This PaymentIntent (\(name)) does not have a successful charge to refund.",
                code: "payment_intent_unexpected_state", param: "payment_intent")
        }
        let left = refundable(charge)
        guard left > 0 else {
            return Self.invalid(
                "Charge \(charge.id) has already been refunded.", code: "charge_already_refunded", param: nil)
        }
        guard let amount = form["amount"].map({ Int64($0) }) ?? left, (1...left).contains(amount) else {
            return Self.invalid(
                "Refund amount (\(form["amount"] ?? "")) must be from 1 to \(left).", code: "amount_too_large",
                param: "amount")
        }
        if disputes(of: charge.id).contains(where: { [.needsResponse, .underReview, .lost].contains($0.status) }) {
            return Self.invalid("Charge \(charge.id) has been charged back.", code: "charge_disputed", param: nil)
        }
        let made = refund(
            amount, of: charge, id: given.stripeId("re"), metadata: form.entries(of: "metadata"), given)
        return Outcome(
            answer: .ok(made.refund), change: Change(charge: made.charge, refund: made.refund),
            events: events(of: made.refund, made.charge, isNew: true), isMoney: true)
    }

    // MARK: Reading

    func intent(_ id: String, expanding: Bool) -> SandboxAnswer {
        guard let intent = intents[id] else { return Self.noSuch("payment_intent", id).answer }
        return .ok(IntentView(intent: intent, charge: expanding ? charge(named: id) : nil))
    }

    func charge(_ id: String, expanding: Bool) -> SandboxAnswer {
        guard let charge = charges[id], orders[charge.paymentIntent] == nil else {
            return Self.noSuch("charge", id).answer
        }
        return .ok(ChargeView(charge: charge, intent: expanding ? intents[charge.paymentIntent] : nil))
    }

    func listIntents(_ query: StripeQuery) -> SandboxAnswer {
        Self.answer(query, query.page(of: intents) { _ in true }) { intent in
            IntentView(intent: intent, charge: query.expands("data.latest_charge") ? charge(named: intent.id) : nil)
        }
    }

    func listCharges(_ query: StripeQuery) -> SandboxAnswer {
        Self.answer(query, query.page(of: charges) { orders[$0.paymentIntent] == nil && query.fits($0) }) { charge in
            ChargeView(
                charge: charge, intent: query.expands("data.payment_intent") ? intents[charge.paymentIntent] : nil)
        }
    }

    func listRefunds(_ query: StripeQuery) -> SandboxAnswer {
        if let name = query.parent {
            return Self.answer(query, query.page(of: charge(named: name).map { refunds(of: $0.id) } ?? [])) { $0 }
        }
        return Self.answer(query, query.page(of: refunds) { orders[$0.paymentIntent] == nil }) { $0 }
    }

    func listDisputes(_ query: StripeQuery) -> SandboxAnswer {
        if let name = query.parent {
            return Self.answer(query, query.page(of: charge(named: name).map { disputes(of: $0.id) } ?? [])) { $0 }
        }
        return Self.answer(query, query.page(of: disputes) { orders[$0.paymentIntent] == nil }) { $0 }
    }

    private static func answer<Element, View: Encodable & Sendable>(
        _ query: StripeQuery, _ page: (data: [Element], hasMore: Bool)?, _ view: (Element) -> View
    ) -> SandboxAnswer {
        guard let page else {
            return .invalid(
                "No such object: '\(query.after ?? "")'", code: "resource_missing", param: "starting_after")
        }
        return .ok(StripeList(url: query.path, hasMore: page.hasMore, data: page.data.map(view)))
    }

    // MARK: Rules

    private func charge(_ intent: PaymentIntent, _ form: FormBody, _ given: Circumstances) -> Outcome {
        guard let method = intent.paymentMethod else { return Self.missing("payment_method") }
        var intent = intent
        let isDeclined = given.declines || TestMethod.card(method)?.declines == true
        var charge = Charge(
            id: given.stripeId("ch"), amount: intent.amount, amountCaptured: isDeclined ? 0 : intent.amount,
            captured: !isDeclined, currency: intent.currency, failureCode: isDeclined ? "card_declined" : nil,
            metadata: intent.metadata, paymentIntent: intent.id, paymentMethod: method,
            status: isDeclined ? .failed : .succeeded, created: given.now)
        intent.latestCharge = charge.id
        guard !isDeclined else {
            intent.status = .requiresPaymentMethod
            intent.lastPaymentError = .declined
            let error = CardError.declined
            let answer = SandboxAnswer.fault(
                402,
                .init(
                    type: error.type, code: error.code, declineCode: error.declineCode, message: error.message,
                    paymentIntent: intent))
            return Outcome(
                answer: answer, change: Change(intent: intent, charge: charge),
                events: [Event(type: "payment_intent.payment_failed", object: intent)])
        }
        intent.status = .succeeded
        intent.amountReceived = intent.amount
        intent.lastPaymentError = nil
        var change = Change(intent: intent, charge: charge)
        var events = [Event(type: "payment_intent.succeeded", object: intent)]
        if TestMethod.card(method)?.disputes == true {
            let disputed = dispute(charge, as: .needsResponse, id: given.stripeId("du"), given)
            (change.charge, change.dispute) = (disputed.change.charge, disputed.change.dispute)
            charge = disputed.change.charge ?? charge
            events += disputed.events
        }
        let isExpanded = form.values(of: "expand[]").contains("latest_charge")
        return Outcome(
            answer: .ok(IntentView(intent: intent, charge: isExpanded ? charge : nil)), change: change,
            events: events, isMoney: true)
    }

    private static func invalid(_ message: String, code: String, param: String?) -> Outcome {
        Outcome(answer: .invalid(message, code: code, param: param))
    }

    private static func unexpected(_ intent: PaymentIntent, _ message: String) -> Outcome {
        Outcome(
            answer: .fault(
                400,
                .init(
                    type: "invalid_request_error", code: "payment_intent_unexpected_state", message: message,
                    paymentIntent: intent)))
    }

    private static func missing(_ param: String) -> Outcome {
        Outcome(answer: .invalid("Missing required param: \(param).", code: "parameter_missing", param: param))
    }

    private static func noSuchMethod(_ method: String) -> Outcome {
        Outcome(
            answer: .invalid("No such PaymentMethod: '\(method)'", code: "resource_missing", param: "payment_method"))
    }

    private static func noSuch(_ kind: String, _ id: String, status: Int = 404) -> Outcome {
        Outcome(answer: .invalid("No such \(kind): '\(id)'", code: "resource_missing", param: "intent", status: status))
    }
}
