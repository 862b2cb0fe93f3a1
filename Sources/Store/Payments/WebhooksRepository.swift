import Crypto
import GRDB
import GameModel
import Records

/// The providers' events that came, each once by its id, for ``kept``.
struct WebhooksRepository: Sendable {
    /// How long an event is kept: far longer than a provider sends one again (Stripe: 3 days).
    static let kept: Duration = .seconds(90 * 86_400)
    /// How much of a body is kept. No event that we read comes near it.
    static let bodyBytesMax = 64 * 1024
    /// How many old events one new one makes room of: more than one, so that the table shrinks.
    static let prunedMax = 4

    /// Verdicts that tell of money taken.
    private static let charged: Set = [
        "charge.captured", "charge.succeeded", "payment_intent.succeeded", "PAYMENT.CAPTURE.COMPLETED",
    ]

    let file: StoreFile

    /// Keeps an event; where it tells of an order whose charge may have changed, owes the job that asks the provider.
    func receive(
        _ event: ProviderEvent, from provider: String, body: [UInt8], at now: Instant
    ) async throws(StoreError) -> WebhookOutcome {
        let text = String(decoding: body.prefix(Self.bodyBytesMax), as: UTF8.self)
        return try await file.write { db in
            let order = try Self.order(of: event, from: provider, in: db)
            let isAnonymous = try order.map { try OrdersRepository.isAnonymous($0.orderId, in: db) } ?? false
            guard try Self.insert(event, provider, order?.orderId, isAnonymous ? "" : text, at: now, in: db) else {
                return .repeated
            }
            try Self.prune(before: now - Self.kept, in: db)
            guard let order else { return .noted }
            return try Self.owe(event, for: order, at: now, in: db)
        }
    }

    /// The order by its id, else by its charge; `nil` where it is another provider's or unknown.
    private static func order(of event: ProviderEvent, from provider: String, in db: Database) throws -> Order? {
        if let id = event.orderId, let order = try OrdersRepository.order(id, in: db) {
            return order.provider == provider ? order : nil
        }
        guard let reference = event.reference else { return nil }
        return try OrdersRepository.order(chargedAs: reference, by: provider, in: db)
    }

    private static func insert(
        _ event: ProviderEvent, _ provider: String, _ order: OrderID?, _ body: String, at now: Instant, in db: Database
    ) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO provider_events (event_id, provider, type, order_id, reference, body, received_at)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (provider, event_id) DO NOTHING
                """)
        try statement.execute(arguments: [
            event.id, provider, event.type, (order ?? event.orderId)?.rawValue, event.reference, body,
            now.milliseconds,
        ])
        return db.changesCount > 0
    }

    private static func prune(before: Instant, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                DELETE FROM provider_events WHERE (provider, event_id) IN (
                    SELECT provider, event_id FROM provider_events WHERE received_at < ? ORDER BY received_at LIMIT ?)
                """)
        try statement.execute(arguments: [before.milliseconds, prunedMax])
    }

    /// An open order is verified; one that has its verdict is settled, unless the event only tells of the verdict.
    private static func owe(
        _ event: ProviderEvent, for order: Order, at now: Instant, in db: Database
    ) throws -> WebhookOutcome {
        let cause = cause(of: event)
        guard order.state.isOpen else {
            // A second charge of an order is news even where it is only a verdict, and so is one of an order that ended
            // without the provider's word. Of what the provider declined, only a charge or what came after one is.
            let isFinal = order.state == .declined && order.reason != SettlementRules.timedOut
            let isOther = event.reference != order.providerReference && !isFinal
            let isCharge = order.state == .declined && charged.contains(event.type)
            guard event.subject == .aftermath || isOther || isCharge else { return .noted }
            try Outbox.insert(try SettleOrder.owed(for: order.orderId, cause: cause, at: now), in: db)
            return .settling
        }
        if order.providerReference == nil, let reference = event.reference {
            var noted = order
            (noted.providerReference, noted.updatedAt) = (reference, now)
            try OrdersRepository.update(noted, from: order, in: db)
        }
        try Outbox.insert(try VerifyPayment.owed(for: order.orderId, at: now), in: db)
        if event.subject == .aftermath {
            // The verification may have had its answer already, from before this event: it is looked at once more.
            try Outbox.insert(try SettleOrder.owed(for: order.orderId, cause: cause, at: now), in: db)
        }
        return .verifying
    }

    /// The event's id where it can be part of a job's, else its digest.
    private static func cause(of event: ProviderEvent) -> String {
        let isPlain = event.id.utf8.allSatisfy { (0x21...0x7E).contains($0) } && event.id.utf8.count <= 120
        return isPlain ? event.id : Hex.encode(SHA256.hash(data: Array(event.id.utf8)))
    }
}
