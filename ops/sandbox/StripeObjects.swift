import Foundation

/// A payment intent, in Stripe's JSON. Source: docs.stripe.com/api/payment_intents/object.
struct PaymentIntent: Codable, Equatable, Sendable {
    enum Status: String, Codable, Sendable {
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case succeeded
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

/// A refund of a whole payment intent, in Stripe's JSON. Source: docs.stripe.com/api/refunds/object.
struct Refund: Codable, Equatable, Sendable {
    let id: String
    var object = "refund"
    let amount: Int64
    let currency: String
    let charge: String
    let paymentIntent: String
    var status = "succeeded"
    let created: Int64

    enum CodingKeys: String, CodingKey {
        case id, object, amount, currency, charge, status, created
        case paymentIntent = "payment_intent"
    }
}

/// A charge, as far as `charge.refunded` tells of it.
struct RefundedCharge: Codable, Equatable, Sendable {
    let id: String
    var object = "charge"
    let amount: Int64
    let amountRefunded: Int64
    let currency: String
    let paymentIntent: String
    var refunded = true
    let metadata: [String: String]

    enum CodingKeys: String, CodingKey {
        case id, object, amount, currency, refunded, metadata
        case amountRefunded = "amount_refunded"
        case paymentIntent = "payment_intent"
    }
}

/// A page of a list, newest first.
struct StripeList<Element: Codable & Sendable>: Codable, Sendable {
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
struct StripeEvent<Object: Codable & Sendable>: Codable, Sendable {
    struct Payload: Codable, Sendable { let object: Object }

    let id: String
    var object = "event"
    let type: String
    let created: Int64
    var livemode = false
    let data: Payload
}

/// An answer as it is sent and remembered.
struct StripeAnswer: Codable, Equatable, Sendable {
    let status: Int
    /// JSON.
    let body: String

    /// Stripe's error envelope.
    struct Fault: Codable, Sendable {
        let type: String
        var code: String?
        var declineCode: String?
        let message: String
        var param: String?
        var paymentIntent: PaymentIntent?

        enum CodingKeys: String, CodingKey {
            case type, code, message, param
            case declineCode = "decline_code"
            case paymentIntent = "payment_intent"
        }
    }

    private struct Envelope: Codable { let error: Fault }

    static func ok(_ value: some Encodable) -> StripeAnswer { StripeAnswer(status: 200, body: StripeJSON.text(value)) }

    static func fault(_ status: Int, _ fault: Fault) -> StripeAnswer {
        StripeAnswer(status: status, body: StripeJSON.text(Envelope(error: fault)))
    }

    static func invalid(_ message: String, code: String, param: String?, status: Int = 400) -> StripeAnswer {
        .fault(status, Fault(type: "invalid_request_error", code: code, message: message, param: param))
    }
}

enum StripeJSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            preconditionFailure("our own values are JSON: \(error)")
        }
    }
}
