import Foundation
import GameModel
import Records

/// An event of the provider's, as far as this store reads it.
struct WebhookEvent: Sendable, Decodable {
    let id: String
    let type: String
    /// The charge that it is about.
    let reference: String?
    let orderId: OrderID?

    var isChargeSucceeded: Bool { type == "payment_intent.succeeded" }

    private enum Keys: String, CodingKey {
        case id, type, data, object, metadata
        case orderId = "order_id"
    }

    init(from decoder: any Decoder) throws {
        let event = try decoder.container(keyedBy: Keys.self)
        id = try event.decode(String.self, forKey: .id)
        type = try event.decode(String.self, forKey: .type)
        // Events of types that we don't know may have data of any shape: they are kept by name alone.
        guard type.hasPrefix("payment_intent.") else {
            (reference, orderId) = (nil, nil)
            return
        }
        let object = try event.nestedContainer(keyedBy: Keys.self, forKey: .data)
            .nestedContainer(keyedBy: Keys.self, forKey: .object)
        reference = try object.decode(String.self, forKey: .id)
        guard object.contains(.metadata) else {
            orderId = nil
            return
        }
        orderId = try object.nestedContainer(keyedBy: Keys.self, forKey: .metadata)
            .decodeIfPresent(OrderID.self, forKey: .orderId)
    }
}

/// What became of a webhook; all of them are answered 200.
public enum WebhookOutcome: Sendable, Hashable {
    /// The order that it tells of is being verified.
    case verifying
    /// Noted; nothing had to be done.
    case noted
    /// This event came before.
    case repeated
}

/// Takes the provider's events in: checks the signature over the raw body, keeps each event once, and lets an order
/// whose charge succeeded be verified. A webhook never grants anything by itself: the verification asks the provider.
public struct WebhookReceiver: Sendable {
    private let repository: StoreRepository
    private let signature: WebhookSignature
    private let nudge: @Sendable () -> Void
    private let clock: @Sendable () -> Instant

    /// - Parameter nudge: tells the outbox's relay that there is something to relay.
    public init(
        repository: StoreRepository, signature: WebhookSignature,
        nudge: @escaping @Sendable () -> Void = {},
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.signature = signature
        self.nudge = nudge
        self.clock = clock
    }

    /// Throws ``StoreError/badSignature(_:)``, and ``StoreError/malformedEvent(_:)``.
    public func receive(body: [UInt8], signatureHeader: String) async throws(StoreError)
        -> WebhookOutcome
    {
        let now = clock()
        try signature.verify(header: signatureHeader, body: body, at: now)
        let event: WebhookEvent
        do {
            event = try JSONDecoder().decode(WebhookEvent.self, from: Data(body))
        } catch {
            throw .malformedEvent("it needs id, type and data.object")
        }
        let isWaiting = try await repository.webhooks.receive(
            event, owing: { try VerifyPayment.owed(for: $0, at: now) }, at: now)
        guard let isWaiting else { return .repeated }
        guard isWaiting else { return .noted }
        nudge()
        return .verifying
    }
}
