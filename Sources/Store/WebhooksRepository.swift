import GRDB
import GameModel
import Records

/// The provider's events that came, each once by its id.
struct WebhooksRepository: Sendable {
    let file: StoreFile

    /// Records an event, and where it tells of a charge for an order without a verdict, notes the charge's reference
    /// and owes the order's verification (again).
    ///
    /// - Returns: `nil` where the event came before; otherwise whether an order waits for its verification.
    func receive(
        _ event: WebhookEvent, owing job: @escaping @Sendable (OrderID) throws -> OutboxEntry, at now: Instant
    ) async throws(StoreError) -> Bool? {
        try await file.write { db in
            try db.execute(
                sql: """
                    INSERT INTO webhook_events (event_id, type, order_id, received_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (event_id) DO NOTHING
                    """,
                arguments: [event.id, event.type, event.orderId?.rawValue, now.milliseconds])
            guard db.changesCount == 1 else { return nil }
            guard event.isChargeSucceeded, let id = event.orderId, let reference = event.reference,
                let order = try OrdersRepository.order(id, in: db), order.state.isOpen
            else { return false }
            try OrdersRepository.setReference(reference, of: order, at: now, in: db)
            try Outbox.insert(try job(id), in: db)
            return true
        }
    }
}
