/// All that the sandbox charged, as a value: every operation is a pure function of it and its arguments.
///
/// Promises: a payment intent or PayPal order is charged at most once; an idempotency key has one answer for ever; no
/// more is given back than was taken.
struct SandboxBooks: Sendable {
    /// The most charges that are kept; past it, calls are answered 429.
    static let intentsMax = 5_000_000
    static let pageDefault = 10
    static let pageMax = 100
    /// Stripe's own limits of an amount.
    static let amounts: ClosedRange<Int64> = 1...99_999_999

    private(set) var intents = Listing<PaymentIntent>()
    /// PayPal's.
    private(set) var orders = Listing<PayPalOrder>()
    /// Stripe's charges and PayPal's captures.
    private(set) var charges = Listing<Charge>()
    private(set) var refunds = Listing<Refund>()
    private(set) var disputes = Listing<Dispute>()
    private var refundsOfCharge: [String: [String]] = [:]
    private var disputesOfCharge: [String: [String]] = [:]
    private var orderOfInvoice: [String: String] = [:]
    private var pending: [String: Int64] = [:]
    private var answers: [String: KeyedAnswer] = [:]

    /// What an idempotency key was answered.
    struct KeyedAnswer: Codable, Equatable, Sendable {
        let key: String
        /// Of the call and its body: another one may not use the key.
        let fingerprint: String
        let answer: SandboxAnswer
    }

    /// One change, as it is written to the file.
    struct Change: Codable, Equatable, Sendable {
        var intent: PaymentIntent?
        var order: PayPalOrder?
        var charge: Charge?
        var refund: Refund?
        var dispute: Dispute?
        var keyed: KeyedAnswer?

        var isEmpty: Bool { self == Change() }
    }

    /// What came of an operation; the books change by ``apply(_:)`` alone.
    struct Outcome: Sendable {
        let answer: SandboxAnswer
        var change = Change()
        var events: [Event] = []
        /// Whether money was moved by this very call.
        var isMoney = false
    }

    /// Something that webhooks tell.
    struct Event: Sendable {
        let type: String
        let object: any Encodable & Sendable
        /// Whom it is told to: PayPal's receiver, or Stripe's.
        var isPayPal = false
    }

    /// What an operation takes from outside: time, names and luck.
    struct Circumstances: Sendable {
        /// Unix milliseconds.
        let milliseconds: Int64
        /// Letters and digits by chance: what is made gets its names from them.
        let token: String
        /// The card is declined whatever it is.
        var declines = false
        /// Another amount is charged than was asked for.
        var missesAmount = false
        /// A refund is decided only after ``pendingFor``.
        var delaysRefund = false
        /// Milliseconds.
        var pendingFor: Int64 = 2000

        /// Unix seconds.
        var now: Int64 { milliseconds / 1000 }
        func stripeId(_ prefix: String) -> String { prefix + "_" + token }
        /// 17 capital letters and digits.
        func payPalId(_ letter: String) -> String { letter + token.prefix(16).uppercased() }
    }

    mutating func apply(_ change: Change) {
        if let intent = change.intent { intents.set(intent, id: intent.id) }
        if let order = change.order {
            orders.set(order, id: order.id)
            if let invoice = order.invoiceId { orderOfInvoice[invoice] = order.id }
        }
        if let charge = change.charge { charges.set(charge, id: charge.id) }
        if let refund = change.refund {
            if refunds[refund.id] == nil { refundsOfCharge[refund.charge, default: []].append(refund.id) }
            refunds.set(refund, id: refund.id)
            pending[refund.id] = refund.decidedAt
        }
        if let dispute = change.dispute {
            if disputes[dispute.id] == nil { disputesOfCharge[dispute.charge, default: []].append(dispute.id) }
            disputes.set(dispute, id: dispute.id)
        }
        if let keyed = change.keyed { answers[keyed.key] = keyed }
    }

    /// What was answered to a key before, and of which call.
    func answer(to key: String) -> KeyedAnswer? { answers[key] }

    var isFull: Bool { intents.count + orders.count >= Self.intentsMax }

    /// The charge of a name, or of a payment intent's or order's name.
    func charge(named name: String) -> Charge? {
        charges[name] ?? intents[name]?.latestCharge.flatMap { charges[$0] }
            ?? orders[name]?.capture.flatMap { charges[$0] }
    }

    /// Oldest first.
    func refunds(of charge: String) -> [Refund] { (refundsOfCharge[charge] ?? []).compactMap { refunds[$0] } }

    /// Oldest first.
    func disputes(of charge: String) -> [Dispute] { (disputesOfCharge[charge] ?? []).compactMap { disputes[$0] } }

    func order(ofInvoice invoice: String) -> PayPalOrder? { orderOfInvoice[invoice].flatMap { orders[$0] } }

    /// A pending refund whose time has come.
    func dueRefund(at milliseconds: Int64) -> Refund? {
        pending.first { $0.value <= milliseconds }.flatMap { refunds[$0.key] }
    }
}
