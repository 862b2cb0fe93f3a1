/// All that the sandbox charged, as a value: every operation is a pure function of it and its arguments.
///
/// Promises: a payment intent succeeds at most once; an idempotency key has one answer for ever.
struct SandboxBooks: Sendable {
    /// The most payment intents that are kept; past it, calls are answered 429.
    static let intentsMax = 5_000_000
    static let pageDefault = 10
    static let pageMax = 100
    /// Stripe's own limits of an amount.
    static let amounts: ClosedRange<Int64> = 1...99_999_999

    private(set) var intents = Listing<PaymentIntent>()
    private(set) var refunds = Listing<Refund>()
    private var refundOfIntent: [String: String] = [:]
    private var answers: [String: KeyedAnswer] = [:]

    /// What an idempotency key was answered.
    struct KeyedAnswer: Codable, Equatable, Sendable {
        let key: String
        /// Of the call and its body: another one may not use the key.
        let fingerprint: String
        let answer: StripeAnswer
    }

    /// One change, as it is written to the file.
    struct Change: Codable, Equatable, Sendable {
        var intent: PaymentIntent?
        var refund: Refund?
        var keyed: KeyedAnswer?

        var isEmpty: Bool { intent == nil && refund == nil && keyed == nil }
    }

    /// What came of an operation; the books change by ``apply(_:)`` alone.
    struct Outcome: Sendable {
        let answer: StripeAnswer
        var change = Change()
        var event: Event?
        /// Whether money was taken by this very call.
        var isCharge = false
    }

    enum Event: Sendable, Equatable {
        case succeeded(PaymentIntent)
        case failed(PaymentIntent)
        case refunded(RefundedCharge)
    }

    /// What an operation takes from outside: time, names and luck.
    struct Circumstances: Sendable {
        /// Unix seconds.
        let now: Int64
        let intentId: String
        let chargeId: String
        let refundId: String
        /// The card is declined whatever it is.
        let declines: Bool
    }

    mutating func apply(_ change: Change) {
        if let intent = change.intent { intents.set(intent, id: intent.id) }
        if let refund = change.refund {
            refunds.set(refund, id: refund.id)
            refundOfIntent[refund.paymentIntent] = refund.id
        }
        if let keyed = change.keyed { answers[keyed.key] = keyed }
    }

    /// The answer that a key has already: the same for the same call, an error for another; `nil` for a new key.
    func replay(key: String, fingerprint: String) -> StripeAnswer? {
        guard let keyed = answers[key] else { return nil }
        guard keyed.fingerprint != fingerprint else { return keyed.answer }
        return .fault(
            400,
            .init(
                type: "idempotency_error",
                message: "Keys for idempotent requests can only be used with the same parameters they were first used "
                    + "with. Try using a key other than '\(key)' if you meant to execute a different request."))
    }

    // MARK: Operations

    func create(_ form: FormBody, _ given: Circumstances) -> Outcome {
        guard intents.count < Self.intentsMax else {
            return Outcome(answer: .fault(429, .init(type: "rate_limit_error", message: "The sandbox is full.")))
        }
        guard let amountText = form["amount"] else { return Self.missing("amount") }
        guard let amount = Int64(amountText) else {
            return invalid("Invalid integer: \(amountText)", code: "parameter_invalid_integer", param: "amount")
        }
        guard Self.amounts.contains(amount) else {
            let code = amount < Self.amounts.lowerBound ? "amount_too_small" : "amount_too_large"
            return invalid("Amount must be from 1 to 99999999.", code: code, param: "amount")
        }
        guard let currency = form["currency"]?.lowercased() else { return Self.missing("currency") }
        guard currency.utf8.count == 3,
            currency.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        else { return invalid("Invalid currency: \(currency)", code: "parameter_invalid_empty", param: "currency") }
        let method = form["payment_method"]
        if let method, !TestCard.isKnown(method) { return Self.noSuchMethod(method) }
        let intent = PaymentIntent(
            id: given.intentId, amount: amount, currency: currency,
            status: method == nil ? .requiresPaymentMethod : .requiresConfirmation, paymentMethod: method,
            metadata: form.entries(of: "metadata"), created: given.now)
        guard form["confirm"] == "true" else {
            return Outcome(answer: .ok(intent), change: Change(intent: intent))
        }
        return charge(intent, given)
    }

    func confirm(_ id: String, _ form: FormBody, _ given: Circumstances) -> Outcome {
        guard var intent = intents[id] else { return Self.noSuch("payment_intent", id) }
        guard intent.status != .succeeded else {
            return invalid(
                "You cannot confirm this PaymentIntent because it has already succeeded.",
                code: "payment_intent_unexpected_state", param: nil)
        }
        if let method = form["payment_method"] {
            guard TestCard.isKnown(method) else { return Self.noSuchMethod(method) }
            intent.paymentMethod = method
        }
        return charge(intent, given)
    }

    func refund(_ form: FormBody, _ given: Circumstances) -> Outcome {
        guard let id = form["payment_intent"] else { return Self.missing("payment_intent") }
        guard let intent = intents[id] else { return Self.noSuch("payment_intent", id, status: 400) }
        guard intent.status == .succeeded, let charge = intent.latestCharge else {
            return invalid(
                "This PaymentIntent (\(id)) does not have a successful charge to refund.",
                code: "payment_intent_unexpected_state", param: "payment_intent")
        }
        guard refundOfIntent[id] == nil else {
            return invalid("Charge \(charge) has already been refunded.", code: "charge_already_refunded", param: nil)
        }
        if let amount = form["amount"], Int64(amount) != intent.amount {
            return invalid(
                "The sandbox refunds whole charges only.", code: "parameter_invalid_integer", param: "amount")
        }
        let refund = Refund(
            id: given.refundId, amount: intent.amount, currency: intent.currency, charge: charge, paymentIntent: id,
            created: given.now)
        let refunded = RefundedCharge(
            id: charge, amount: intent.amount, amountRefunded: intent.amount, currency: intent.currency,
            paymentIntent: id, metadata: intent.metadata)
        return Outcome(answer: .ok(refund), change: Change(refund: refund), event: .refunded(refunded))
    }

    func intent(_ id: String) -> StripeAnswer {
        intents[id].map { .ok($0) } ?? Self.noSuch("payment_intent", id).answer
    }

    /// One page of a list: at most `limit`, older than the one named.
    static func page<Element>(
        of listing: Listing<Element>, url: String, limit: String?, after: String?
    ) -> StripeAnswer {
        guard let limit = limit.map({ Int($0) }) ?? pageDefault, (1...pageMax).contains(limit) else {
            return .invalid(
                "Invalid limit: from 1 to \(pageMax).", code: "parameter_invalid_integer", param: "limit")
        }
        guard let page = listing.page(limit: limit, after: after) else {
            return .invalid(
                "No such object: '\(after ?? "")'", code: "resource_missing", param: "starting_after")
        }
        return .ok(StripeList(url: url, hasMore: page.hasMore, data: page.data))
    }

    // MARK: Rules

    private func charge(_ intent: PaymentIntent, _ given: Circumstances) -> Outcome {
        guard let method = intent.paymentMethod else { return Self.missing("payment_method") }
        var intent = intent
        intent.latestCharge = given.chargeId
        if given.declines || TestCard.declines(method) {
            intent.status = .requiresPaymentMethod
            intent.lastPaymentError = .declined
            let error = CardError.declined
            let answer = StripeAnswer.fault(
                402,
                .init(
                    type: error.type, code: error.code, declineCode: error.declineCode, message: error.message,
                    paymentIntent: intent))
            return Outcome(answer: answer, change: Change(intent: intent), event: .failed(intent))
        }
        intent.status = .succeeded
        intent.amountReceived = intent.amount
        intent.lastPaymentError = nil
        return Outcome(answer: .ok(intent), change: Change(intent: intent), event: .succeeded(intent), isCharge: true)
    }

    private func invalid(_ message: String, code: String, param: String?) -> Outcome {
        Outcome(answer: .invalid(message, code: code, param: param))
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

/// Stripe's cards for tests.
enum TestCard {
    static func isKnown(_ method: String) -> Bool { method == "pm_card_visa" || declines(method) }
    static func declines(_ method: String) -> Bool { method == "pm_card_chargeDeclined" }
}

/// Things in the order they came, found by id, listed newest first.
struct Listing<Element: Codable & Sendable>: Sendable {
    private var elements: [(id: String, element: Element)] = []
    private var positions: [String: Int] = [:]

    var count: Int { elements.count }

    subscript(id: String) -> Element? { positions[id].map { elements[$0].element } }

    mutating func set(_ element: Element, id: String) {
        if let position = positions[id] {
            elements[position].element = element
        } else {
            positions[id] = elements.count
            elements.append((id, element))
        }
    }

    /// `nil` where the one to start after is not there.
    func page(limit: Int, after id: String?) -> (data: [Element], hasMore: Bool)? {
        var end = elements.count
        if let id {
            guard let position = positions[id] else { return nil }
            end = position
        }
        let start = max(0, end - limit)
        return (elements[start..<end].reversed().map(\.element), start > 0)
    }

    func count(_ condition: (Element) -> Bool) -> Int { elements.count { condition($0.element) } }
}
