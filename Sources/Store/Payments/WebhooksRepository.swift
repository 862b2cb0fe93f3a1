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
        _ event: WebhookEvent, owing job: @escaping @Sendable (OrderID) throws -> OutboxEntry,
        at now: Instant
    ) async throws(StoreError) -> Bool? {
        throw .unavailable("not built yet")
    }
}
