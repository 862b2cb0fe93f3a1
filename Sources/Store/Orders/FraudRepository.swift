import GRDB
import GameModel

/// What the rules against fraud want to know of a player, out of SQLite.
enum FraudRepository {
    /// Throws ``StoreError/tooManyOrders(reason:retryAfter:)`` where the rules refuse the order; it is not stored yet.
    static func judge(_ order: Order, by rules: any FraudRules, at now: Instant, in db: Database) throws {
        let attempt = try attempt(order, at: now, in: db)
        guard case .refuse(let reason, let retryAfter) = rules.judge(attempt) else { return }
        throw StoreError.tooManyOrders(reason: reason, retryAfter: retryAfter)
    }

    /// One read of the player's last day.
    private static func attempt(_ order: Order, at now: Instant, in db: Database) throws -> PurchaseAttempt {
        let statement = try db.cachedStatement(
            sql: """
                SELECT COUNT(*) AS day, COALESCE(SUM(CASE WHEN created_at > ? THEN 1 ELSE 0 END), 0) AS hour,
                    COALESCE(SUM(CASE WHEN created_at > ? THEN 1 ELSE 0 END), 0) AS minute,
                    COALESCE(SUM(CASE WHEN created_at > ? AND state = 'declined' THEN 1 ELSE 0 END), 0) AS declined,
                    COALESCE(SUM(CASE WHEN unit = ? AND state <> 'declined' THEN amount ELSE 0 END), 0) AS spent
                FROM purchases WHERE player_id = ? AND created_at > ? AND provider IS NOT NULL
                """)
        let hour = (now - .seconds(3600)).milliseconds
        let row = try Row.fetchOne(
            statement,
            arguments: [
                hour, (now - .seconds(60)).milliseconds, hour, order.unit, order.playerId.rawValue,
                (now - .seconds(24 * 3600)).milliseconds,
            ])
        return PurchaseAttempt(
            player: order.playerId, quote: order.quote, isGift: order.recipient != nil,
            ordersLastMinute: row?["minute"] ?? 0, ordersLastHour: row?["hour"] ?? 0,
            ordersLastDay: row?["day"] ?? 0, declinedLastHour: row?["declined"] ?? 0, spentLastDay: row?["spent"] ?? 0)
    }
}
