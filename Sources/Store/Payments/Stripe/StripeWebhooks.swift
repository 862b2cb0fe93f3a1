import Foundation
import GameModel

/// Reads Stripe's webhooks: the signature over the raw body first, then the event.
///
/// Events of types that it doesn't know are good events too, about nothing that we know: a new type of Stripe's is no
/// reason to refuse it.
public struct StripeWebhooks: WebhookVerifier {
    public let name = "stripe"
    private let signature: WebhookSignature?

    /// - Parameter secrets: those in force, `whsec_…`: two while one is being replaced. None refuses every webhook.
    public init(secrets: [String]) {
        signature = secrets.isEmpty ? nil : WebhookSignature(secrets: secrets)
    }

    public func event(headers: [String: String], body: [UInt8], at now: Instant) async throws(StoreError)
        -> ProviderEvent
    {
        guard let signature else { throw .badSignature("no secret is set here (muster.payments.webhook-secret)") }
        guard let header = headers["stripe-signature"] else {
            throw .badSignature("the header Stripe-Signature is missing")
        }
        try signature.verify(header: header, body: body, at: now)
        return try Self.event(body)
    }

    /// The event in a body that is known to be Stripe's.
    static func event(_ body: [UInt8]) throws(StoreError) -> ProviderEvent {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(StripeEvent.self, from: Data(body)).event
        } catch {
            throw .malformedEvent("it needs id, type and data.object")
        }
    }
}

/// An event as Stripe sends it. Source: docs.stripe.com/api/events/object.
private struct StripeEvent: Decodable {
    private struct Payload<Object: Decodable>: Decodable { let object: Object }

    /// A charge, a refund or a dispute: what names the payment intent that it is about.
    private struct Part: Decodable {
        let paymentIntent: StripeLink<StripeIntentName>?
        let metadata: [String: String]?
    }

    private enum Keys: String, CodingKey { case id, type, data }

    let event: ProviderEvent

    /// Whether it tells how the charging went. Every payment has several of these.
    private static func isOfVerdict(_ type: String) -> Bool {
        type.hasPrefix("payment_intent.")
            || ["charge.succeeded", "charge.failed", "charge.pending", "charge.captured", "charge.updated"].contains(
                type)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let id = try container.decode(String.self, forKey: .id)
        let type = try container.decode(String.self, forKey: .type)
        guard (1...255).contains(id.utf8.count), (1...255).contains(type.utf8.count) else {
            throw DecodingError.dataCorruptedError(
                forKey: .id, in: container, debugDescription: "expected 1 to 255 characters")
        }
        let (reference, metadata): (String?, [String: String]?)
        switch type.prefix(while: { $0 != "." }) {
        case "payment_intent":
            let intent = try container.decode(Payload<StripeIntentName>.self, forKey: .data).object
            (reference, metadata) = (intent.id, intent.metadata)
        case "charge", "refund":
            let part = try container.decode(Payload<Part>.self, forKey: .data).object
            (reference, metadata) = (part.paymentIntent?.id, part.metadata ?? part.paymentIntent?.object?.metadata)
        default:
            // May have data of any shape: kept by name alone.
            (reference, metadata) = (nil, nil)
        }
        let order = metadata?["order_id"].flatMap { OrderID(rawValue: $0) }
        event = ProviderEvent(
            id: id, type: type, reference: reference, orderId: order,
            subject: Self.isOfVerdict(type) ? .verdict : .aftermath)
    }
}
