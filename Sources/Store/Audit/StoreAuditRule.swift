/// One rule of the store's books: two queries over all of them, so that an audit of many orders takes seconds.
struct StoreAuditRule: Sendable {
    /// What holds, as `muster audit` prints it.
    let claim: String
    /// Answers how many rows the rule is about.
    let counting: String
    /// Answers the names of what breaks it.
    let breaking: String

    static let all = orders + entitlements + ledger + promises

    // MARK: Orders and their money

    private static let orders = [
        StoreAuditRule(
            claim: "each paid order is booked once, with its amount",
            counting: "SELECT COUNT(*) FROM purchases WHERE state = 'paid'",
            // A person who resolved a review saw what was charged: that is booked, whatever the price was.
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN transfers t ON t.order_id = o.order_id
                    AND t.kind = CASE WHEN o.provider IS NULL THEN 'spend' ELSE 'charge' END
                WHERE o.state = 'paid' GROUP BY o.order_id
                HAVING COUNT(t.transfer_id) <> 1
                    OR ((MIN(t.amount) <> MIN(o.amount) OR MIN(t.unit) <> MIN(o.unit)) AND o.order_id NOT IN (
                        SELECT SUBSTR(subject, 7) FROM changes WHERE action = 'order.resolve'))
                """),
        StoreAuditRule(
            claim: "each refunded or charged back order gave back all that it took",
            counting: "SELECT COUNT(*) FROM purchases WHERE state IN ('refunded', 'charged_back')",
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN transfers t ON t.order_id = o.order_id
                    AND t.kind IN ('charge', 'spend', 'refund', 'chargeback', 'unspend')
                WHERE o.state IN ('refunded', 'charged_back') GROUP BY o.order_id
                HAVING SUM(CASE WHEN t.kind IN ('charge', 'spend') THEN 1 ELSE 0 END) <> 1
                    OR SUM(CASE WHEN t.kind IN ('charge', 'spend') THEN t.amount ELSE -t.amount END) <> 0
                    OR MIN(t.unit) <> MAX(t.unit)
                """),
        StoreAuditRule(
            claim: "what an order says was given back is in the ledger, and a paid order keeps some of its price",
            counting: "SELECT COUNT(*) FROM purchases WHERE state IN ('paid', 'refunded', 'charged_back')",
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN transfers t ON t.order_id = o.order_id
                    AND t.kind IN ('charge', 'spend', 'refund', 'chargeback', 'unspend')
                WHERE o.state IN ('paid', 'refunded', 'charged_back') GROUP BY o.order_id
                HAVING MIN(o.refunded) <> COALESCE(SUM(
                        CASE WHEN t.kind IN ('refund', 'chargeback', 'unspend') THEN t.amount ELSE 0 END), 0)
                    OR (MIN(o.state) = 'paid' AND SUM(
                        CASE WHEN t.kind IN ('charge', 'spend') THEN t.amount ELSE -t.amount END) <= 0)
                """),
        StoreAuditRule(
            claim: "each transfer is of an order that was paid, or a grant's",
            counting: "SELECT COUNT(*) FROM transfers",
            breaking: """
                SELECT COALESCE(t.order_id, t.transfer_id) FROM transfers t
                LEFT JOIN purchases o ON o.order_id = t.order_id
                WHERE (t.order_id IS NULL AND t.kind <> 'credit')
                    OR (t.order_id IS NOT NULL
                        AND (o.state IS NULL OR o.state NOT IN ('paid', 'refunded', 'charged_back')))
                """),
        StoreAuditRule(
            claim: "each order's fields fit its state",
            counting: "SELECT COUNT(*) FROM purchases",
            breaking: """
                SELECT order_id FROM purchases
                WHERE state NOT IN ('pending', 'verifying', 'paid', 'declined', 'review', 'refunded', 'charged_back')
                    OR amount <= 0 OR refunded < 0
                    OR owner_id <> COALESCE(recipient_id, player_id)
                    OR (provider IS NULL AND (state NOT IN ('paid', 'refunded')
                        OR payment_method <> '' OR provider_reference IS NOT NULL))
                    OR (provider IS NOT NULL AND state IN ('paid', 'refunded', 'charged_back')
                        AND provider_reference IS NULL)
                    OR (state IN ('pending', 'verifying', 'declined') AND refunded <> 0)
                    OR (state IN ('declined', 'review') AND reason IS NULL)
                    OR (refund_requested_at IS NOT NULL AND state NOT IN ('paid', 'review'))
                """),
    ]

    // MARK: What orders gave

    private static let entitlements = [
        StoreAuditRule(
            claim: "each paid order gave its owner all that it sells",
            counting: "SELECT COUNT(*) FROM purchases WHERE state = 'paid'",
            breaking: """
                SELECT o.order_id FROM purchases o LEFT JOIN purchase_parts p ON p.order_id = o.order_id
                LEFT JOIN grants g ON p.kind <> 'credit' AND g.order_id = o.order_id AND g.product_id = p.item
                    AND g.kind = p.kind AND g.quantity = p.quantity AND g.player_id = o.owner_id
                    AND g.revoked_at IS NULL
                LEFT JOIN transfers t ON p.kind = 'credit' AND t.order_id = o.order_id AND t.kind = 'credit'
                    AND t.unit = p.item AND t.amount = p.quantity AND t.to_account = 'wallet:' || o.owner_id
                WHERE o.state = 'paid' AND g.entitlement_id IS NULL AND t.transfer_id IS NULL
                GROUP BY o.order_id
                """),
        StoreAuditRule(
            claim: "each entitlement comes from an order that was paid and sells it, or from a grant",
            counting: "SELECT COUNT(*) FROM grants",
            breaking: """
                SELECT COALESCE(g.order_id, g.entitlement_id) FROM grants g
                LEFT JOIN purchases o ON o.order_id = g.order_id
                LEFT JOIN purchase_parts p ON p.order_id = g.order_id AND p.item = g.product_id AND p.kind = g.kind
                WHERE (g.order_id IS NULL AND g.source <> 'grant')
                    OR (g.order_id IS NOT NULL AND (o.state IS NULL OR p.item IS NULL
                        OR o.state NOT IN ('paid', 'refunded', 'charged_back') OR g.player_id <> o.owner_id
                        OR g.source <> CASE WHEN o.recipient_id IS NULL THEN 'purchase' ELSE 'gift' END))
                """),
        StoreAuditRule(
            claim: "nothing is left of what a refunded or charged back order gave",
            counting: "SELECT COUNT(*) FROM purchases WHERE state IN ('refunded', 'charged_back')",
            breaking: """
                SELECT o.order_id FROM purchases o JOIN grants g ON g.order_id = o.order_id
                WHERE o.state IN ('refunded', 'charged_back') AND (g.remaining > 0 OR g.revoked_at IS NULL)
                UNION
                SELECT o.order_id FROM purchases o JOIN transfers t ON t.order_id = o.order_id
                    AND t.kind IN ('credit', 'withdraw', 'loss')
                WHERE o.state IN ('refunded', 'charged_back') GROUP BY o.order_id, t.unit
                HAVING SUM(CASE WHEN t.kind = 'credit' THEN t.amount ELSE -t.amount END) <> 0
                """),
        StoreAuditRule(
            claim: "entitlements = paid − refunded, in pieces of each product",
            counting: "SELECT COUNT(DISTINCT item) FROM purchase_parts WHERE kind <> 'credit'",
            breaking: """
                SELECT item FROM (
                    SELECT p.item AS item, p.quantity AS pieces FROM purchase_parts p
                    JOIN purchases o ON o.order_id = p.order_id
                    WHERE p.kind <> 'credit' AND o.state IN ('paid', 'refunded', 'charged_back')
                    UNION ALL
                    SELECT p.item, -p.quantity FROM purchase_parts p JOIN purchases o ON o.order_id = p.order_id
                    WHERE p.kind <> 'credit' AND o.state IN ('refunded', 'charged_back')
                    UNION ALL
                    SELECT product_id, -quantity FROM grants WHERE order_id IS NOT NULL AND revoked_at IS NULL
                ) AS counted GROUP BY item HAVING SUM(pieces) <> 0
                """),
        StoreAuditRule(
            claim: "what is left of each entitlement is what its history leaves",
            counting: "SELECT COUNT(*) FROM grants",
            breaking: """
                SELECT g.entitlement_id FROM grants g
                LEFT JOIN grant_events e ON e.entitlement_id = g.entitlement_id GROUP BY g.entitlement_id
                HAVING MIN(g.remaining) <> COALESCE(SUM(e.change), 0)
                    OR MIN(g.quantity) <> COALESCE(SUM(CASE WHEN e.kind = 'granted' THEN e.change ELSE 0 END), 0)
                """),
        StoreAuditRule(
            claim: "no player owns a skin twice",
            counting: "SELECT COUNT(*) FROM grants WHERE kind = 'skin' AND remaining > 0",
            breaking: """
                SELECT player_id || ' ' || product_id FROM grants WHERE kind = 'skin' AND remaining > 0
                GROUP BY player_id, product_id HAVING COUNT(*) > 1
                """),
    ]

    // MARK: The ledger

    private static let ledger = [
        StoreAuditRule(
            claim: "each balance is the sum of its transfers",
            counting: "SELECT COUNT(*) FROM balances",
            breaking: """
                SELECT account || ' ' || unit FROM (
                    SELECT to_account AS account, unit, amount FROM transfers
                    UNION ALL SELECT from_account, unit, -amount FROM transfers
                    UNION ALL SELECT account, unit, -amount FROM balances
                ) AS moved GROUP BY account, unit HAVING SUM(amount) <> 0
                """),
        StoreAuditRule(
            claim: "all balances of a unit add up to zero",
            counting: "SELECT COUNT(DISTINCT unit) FROM balances",
            breaking: "SELECT unit FROM balances GROUP BY unit HAVING SUM(amount) <> 0"),
        StoreAuditRule(
            claim: "no wallet holds less than nothing",
            counting: "SELECT COUNT(*) FROM balances WHERE account LIKE 'wallet:%'",
            breaking: "SELECT account || ' ' || unit FROM balances WHERE account LIKE 'wallet:%' AND amount < 0"),
    ]

    // MARK: What is promised

    private static let promises = [
        StoreAuditRule(
            claim: "no promotion was used more often than its limits allow",
            counting: "SELECT COUNT(DISTINCT promotion_id) FROM promotion_uses",
            // Limits change from version to version: the widest that any of the uses had is held against them.
            breaking: """
                SELECT promotion_id FROM promotion_uses WHERE is_void = 0 GROUP BY promotion_id
                HAVING COUNT(*) > MAX(COALESCE(limit_total, 9223372036854775807))
                UNION
                SELECT promotion_id FROM promotion_uses WHERE is_void = 0 GROUP BY promotion_id, player_id
                HAVING COUNT(*) > MAX(COALESCE(limit_player, 9223372036854775807))
                """),
        StoreAuditRule(
            claim: "a promotion's use counts for its payer, until its order is declined",
            counting: "SELECT COUNT(*) FROM promotion_uses",
            breaking: """
                SELECT u.order_id FROM promotion_uses u LEFT JOIN purchases o ON o.order_id = u.order_id
                WHERE o.state IS NULL OR u.player_id <> o.player_id
                    OR u.is_void <> CASE WHEN o.state = 'declined' THEN 1 ELSE 0 END
                """),
        StoreAuditRule(
            claim: "each order without a verdict is owed its verification",
            counting: "SELECT COUNT(*) FROM purchases WHERE state IN ('pending', 'verifying')",
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN outbox b ON b.job_id = 'verify-payment.' || o.order_id
                WHERE o.state IN ('pending', 'verifying') AND b.job_id IS NULL
                """),
        StoreAuditRule(
            claim: "no order that ended keeps a means of payment of a player who was taken out",
            counting: "SELECT COUNT(*) FROM purchases",
            breaking: """
                SELECT order_id FROM purchases WHERE body_digest = '' AND payment_method <> ''
                    AND state NOT IN ('pending', 'verifying', 'review')
                """),
        StoreAuditRule(
            claim: "each refund that was asked for is owed its settlement",
            counting: "SELECT COUNT(*) FROM purchases WHERE refund_requested_at IS NOT NULL",
            breaking: """
                SELECT o.order_id FROM purchases o WHERE o.refund_requested_at IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM outbox b WHERE b.job_id >= 'settle-order.' || o.order_id || '.refund'
                        AND b.job_id < 'settle-order.' || o.order_id || '.refund~')
                """),
    ]
}
