// Stripe's objects, as far as they are read. Source: docs.stripe.com/api, version `StripeProvider.apiVersion`.

struct StripeIntent: Decodable {
    let id: String
    let amount: Int64
    let amountReceived: Int64?
    let currency: String
    let status: String
    let metadata: [String: String]?
    let lastPaymentError: StripeFault?
    let latestCharge: StripeLink<StripeCharge>?
}

struct StripeCharge: Decodable {
    let id: String
    let amount: Int64
    let amountCaptured: Int64?
    let amountRefunded: Int64?
    let captured: Bool?
    let currency: String
    let status: String
    let disputed: Bool?
    let metadata: [String: String]?
    let paymentIntent: StripeLink<StripeIntentName>?
}

/// A payment intent where only its name and our words on it matter.
struct StripeIntentName: Decodable {
    let id: String
    let metadata: [String: String]?
    let status: String?
}

struct StripeRefund: Decodable {
    let id: String
    let status: String
    let failureReason: String?
    let metadata: [String: String]?

    var hasFailed: Bool { status == "failed" || status == "canceled" }
    var isUnderWay: Bool { !hasFailed && status != "succeeded" }
}

struct StripeDispute: Decodable {
    let id: String
    let status: String
}

struct StripeListing<Element: Decodable>: Decodable {
    let data: [Element]
    let hasMore: Bool
}

struct StripeFault: Decodable {
    let type: String?
    let code: String?
    let declineCode: String?
    let message: String?
    let param: String?
    let paymentIntent: StripeIntentName?
}

struct StripeFaultBody: Decodable { let error: StripeFault }

/// Another object: its id, or all of it where the call asked for that (`expand`).
struct StripeLink<Object: Decodable>: Decodable {
    let id: String
    let object: Object?

    private enum Keys: String, CodingKey { case id }

    init(from decoder: any Decoder) throws {
        do {
            id = try decoder.singleValueContainer().decode(String.self)
            object = nil
        } catch DecodingError.typeMismatch {
            id = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .id)
            object = try Object(from: decoder)
        }
    }
}
