import Foundation
import GameModel

/// Reads PayPal's webhooks: PayPal itself is asked whether the signature is its own, over the body as it came.
///
/// Unlike Stripe's, this needs the client's id and secret, and a call for each webhook. Source:
/// developer.paypal.com/docs/api/webhooks/v1 (verify-webhook-signature).
public struct PayPalWebhooks: WebhookVerifier {
    static let verifyPath = "/v1/notifications/verify-webhook-signature"
    /// The longest header that is passed on.
    static let headerBytesMax = 2048
    /// The headers that PayPal signs with, by the fields that it wants them back in.
    private static let fields = [
        ("auth_algo", "paypal-auth-algo"), ("cert_url", "paypal-cert-url"),
        ("transmission_id", "paypal-transmission-id"), ("transmission_sig", "paypal-transmission-sig"),
        ("transmission_time", "paypal-transmission-time"),
    ]

    private struct Verification: Decodable { let verificationStatus: String }

    public let name = "paypal"
    private let connection: PayPalConnection
    private let webhookId: String

    /// - Parameter webhookId: the webhook's own id, which its signature covers.
    public init(
        url: String, clientId: String, clientSecret: String, webhookId: String, timeout: Duration = .seconds(20),
        connections: Int = 8
    ) {
        connection = PayPalConnection(
            url: url, clientId: clientId, clientSecret: clientSecret, timeout: timeout, connections: connections)
        self.webhookId = webhookId
    }

    /// Closes the connections. Must be called once, when no webhook comes any more.
    public func shutdown() async throws { try await connection.shutdown() }

    public func event(headers: [String: String], body: [UInt8], at now: Instant) async throws(StoreError)
        -> ProviderEvent
    {
        let question = try question(headers: headers, body: body)
        let event = try Self.event(body)
        let verification: Verification
        do throws(PaymentError) {
            let answer = try await connection.post(Self.verifyPath, json: question, requestId: nil)
            verification = try PayPalAnswer.read(Verification.self, answer)
        } catch {
            // What PayPal can't even read was not signed by it.
            if case .refused(_, let message) = error { throw .badSignature(message) }
            throw .unavailable("\(error)")
        }
        guard verification.verificationStatus == "SUCCESS" else { throw .badSignature("PayPal doesn't know it") }
        return event
    }

    /// What PayPal is asked: the event's bytes go in as they came, since a signature is of bytes.
    private func question(headers: [String: String], body: [UInt8]) throws(StoreError) -> Data {
        var parts: [String: String] = ["webhook_id": webhookId]
        for (field, header) in Self.fields {
            guard let value = headers[header], !value.isEmpty, value.utf8.count <= Self.headerBytesMax else {
                throw .badSignature("the header \(header) is missing or too long")
            }
            parts[field] = value
        }
        do {
            // Only one whole JSON object may go in, or its end could bring fields of the sender's own.
            guard try JSONSerialization.jsonObject(with: Data(body)) is [String: Any] else {
                throw StoreError.malformedEvent("it is no JSON object")
            }
            return Data(try JSONEncoder().encode(parts).dropLast()) + Data(#","webhook_event":"#.utf8) + Data(body)
                + Data("}".utf8)
        } catch {
            throw .malformedEvent("it is no JSON object")
        }
    }

    /// The event in a body.
    static func event(_ body: [UInt8]) throws(StoreError) -> ProviderEvent {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(PayPalEvent.self, from: Data(body)).event
        } catch {
            throw .malformedEvent("it needs id, event_type and resource")
        }
    }
}

/// An event as PayPal sends it. Source: developer.paypal.com/api/rest/webhooks/event-names.
private struct PayPalEvent: Decodable {
    private struct Link: Decodable {
        let href: String
        let rel: String
    }

    /// A capture or a refund of one.
    private struct Payment: Decodable {
        let id: String
        let customId: String?
        let links: [Link]?

        /// The capture that a refund is of.
        var parent: String? {
            let up = links?.first { $0.rel == "up" && $0.href.contains(PayPalProvider.capturesPath) }
            return up?.href.split(separator: "/").last.map(String.init)
        }
    }

    private struct Dispute: Decodable {
        struct Disputed: Decodable {
            let sellerTransactionId: String?
            let custom: String?
        }

        let disputedTransactions: [Disputed]?
    }

    private enum Keys: String, CodingKey { case id, eventType, resource }

    let event: ProviderEvent

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let id = try container.decode(String.self, forKey: .id)
        let type = try container.decode(String.self, forKey: .eventType)
        guard (1...255).contains(id.utf8.count), (1...255).contains(type.utf8.count) else {
            throw DecodingError.dataCorruptedError(
                forKey: .id, in: container, debugDescription: "expected 1 to 255 characters")
        }
        let (reference, order): (String?, String?)
        var subject = ProviderEvent.Subject.aftermath
        switch type {
        case "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED":
            let refund = try container.decode(Payment.self, forKey: .resource)
            (reference, order) = (refund.parent, refund.customId)
        case _ where type.hasPrefix("PAYMENT.CAPTURE."):
            let capture = try container.decode(Payment.self, forKey: .resource)
            (reference, order, subject) = (capture.id, capture.customId, .verdict)
        case _ where type.hasPrefix("CHECKOUT.ORDER."):
            // An order is not a charge yet: whoever verifies ours asks for it again, and captures it.
            (reference, order) = (nil, try container.decode(PayPalOrder.self, forKey: .resource).customId)
            subject = .verdict
        case _ where type.hasPrefix("CUSTOMER.DISPUTE."):
            let disputed = try container.decode(Dispute.self, forKey: .resource).disputedTransactions?.first
            (reference, order) = (disputed?.sellerTransactionId, disputed?.custom)
        default:
            // May have a resource of any shape: kept by name alone.
            (reference, order) = (nil, nil)
        }
        event = ProviderEvent(
            id: id, type: type, reference: reference, orderId: order.flatMap { OrderID(rawValue: $0) }, subject: subject
        )
    }
}
