import Foundation

/// A payment intent, in Stripe's JSON. Source: docs.stripe.com/api/payment_intents/object.
struct PaymentIntent: Codable, Equatable, Sendable {
    enum Status: String, Codable, Sendable {
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case succeeded
        case canceled
    }

    let id: String
    var object = "payment_intent"
    let amount: Int64
    var amountReceived: Int64 = 0
    /// In lower case.
    let currency: String
    var status: Status
    var paymentMethod: String?
    var lastPaymentError: CardError?
    var latestCharge: String?
    let metadata: [String: String]
    /// Unix seconds.
    let created: Int64
    var livemode = false

    enum CodingKeys: String, CodingKey {
        case id, object, amount, currency, status, metadata, created, livemode
        case amountReceived = "amount_received"
        case paymentMethod = "payment_method"
        case lastPaymentError = "last_payment_error"
        case latestCharge = "latest_charge"
    }
}

/// Why a card was not charged.
struct CardError: Codable, Equatable, Sendable {
    var type = "card_error"
    let code: String
    let declineCode: String
    let message: String

    enum CodingKeys: String, CodingKey {
        case type, code, message
        case declineCode = "decline_code"
    }

    static let declined = CardError(
        code: "card_declined", declineCode: "generic_decline", message: "Your card was declined.")
}

/// A charge, in Stripe's JSON; also what PayPal calls a capture. Source: docs.stripe.com/api/charges/object.
struct Charge: Codable, Equatable, Sendable {
    enum Status: String, Codable, Sendable {
        case succeeded, pending, failed
    }

    let id: String
    var object = "charge"
    let amount: Int64
    var amountCaptured: Int64
    /// Of refunds that succeeded.
    var amountRefunded: Int64 = 0
    var captured = true
    /// In lower case.
    let currency: String
    /// Whether it was ever disputed, however that ended.
    var disputed = false
    var failureCode: String?
    let metadata: [String: String]
    /// Also the name of PayPal's order.
    let paymentIntent: String
    var paymentMethod: String?
    var refunded = false
    var status: Status
    let created: Int64
    var livemode = false

    /// What is left to be given back, once `under way` is.
    func refundable(underWay: Int64) -> Int64 { amountCaptured - amountRefunded - underWay }

    enum CodingKeys: String, CodingKey {
        case id, object, amount, captured, currency, disputed, metadata, refunded, status, created, livemode
        case amountCaptured = "amount_captured"
        case amountRefunded = "amount_refunded"
        case failureCode = "failure_code"
        case paymentIntent = "payment_intent"
        case paymentMethod = "payment_method"
    }
}

/// A refund, in Stripe's JSON. Source: docs.stripe.com/api/refunds/object.
struct Refund: Codable, Equatable, Sendable {
    enum Status: String, Codable, Sendable {
        case pending, succeeded, failed
    }

    let id: String
    var object = "refund"
    let amount: Int64
    let currency: String
    let charge: String
    let paymentIntent: String
    var status = Status.succeeded
    var failureReason: String?
    var metadata: [String: String]?
    let created: Int64
    /// Unix milliseconds at which a pending one is decided; `nil` for one that is.
    var decidedAt: Int64?

    enum CodingKeys: String, CodingKey {
        case id, object, amount, currency, charge, status, metadata, created
        case paymentIntent = "payment_intent"
        case failureReason = "failure_reason"
        case decidedAt = "sandbox_decided_at"
    }
}

/// A dispute, in Stripe's JSON. Source: docs.stripe.com/api/disputes/object.
struct Dispute: Codable, Equatable, Sendable {
    enum Status: String, Codable, Sendable, CaseIterable {
        /// The bank asks, and takes nothing.
        case warningNeedsResponse = "warning_needs_response"
        case needsResponse = "needs_response"
        case underReview = "under_review"
        case won, lost
    }

    let id: String
    var object = "dispute"
    let amount: Int64
    let charge: String
    let currency: String
    let paymentIntent: String
    var reason = "fraudulent"
    var status: Status
    let created: Int64

    enum CodingKeys: String, CodingKey {
        case id, object, amount, charge, currency, reason, status, created
        case paymentIntent = "payment_intent"
    }
}

/// A page of a list, newest first.
struct StripeList<Element: Encodable & Sendable>: Encodable, Sendable {
    var object = "list"
    let url: String
    let hasMore: Bool
    let data: [Element]

    enum CodingKeys: String, CodingKey {
        case object, url, data
        case hasMore = "has_more"
    }
}

/// What a webhook carries.
struct StripeEvent<Object: Encodable & Sendable>: Encodable, Sendable {
    struct Payload: Encodable, Sendable { let object: Object }

    let id: String
    var object = "event"
    var apiVersion = "2024-06-20"
    let type: String
    let created: Int64
    var livemode = false
    let data: Payload

    enum CodingKeys: String, CodingKey {
        case id, object, type, created, livemode, data
        case apiVersion = "api_version"
    }
}

/// A payment intent, with its charge in full where the caller asked for that.
struct IntentView: Encodable, Sendable {
    let intent: PaymentIntent
    let charge: Charge?

    func encode(to encoder: any Encoder) throws {
        try intent.encode(to: encoder)
        guard let charge else { return }
        var container = encoder.container(keyedBy: PaymentIntent.CodingKeys.self)
        try container.encode(charge, forKey: .latestCharge)
    }
}

/// A charge, with its payment intent in full where the caller asked for that.
struct ChargeView: Encodable, Sendable {
    let charge: Charge
    let intent: PaymentIntent?

    func encode(to encoder: any Encoder) throws {
        try charge.encode(to: encoder)
        guard let intent else { return }
        var container = encoder.container(keyedBy: Charge.CodingKeys.self)
        try container.encode(intent, forKey: .paymentIntent)
    }
}
