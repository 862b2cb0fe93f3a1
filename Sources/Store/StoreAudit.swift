import GameModel

/// Proves from the records and from the provider's own list that no purchase was lost, doubled or given away.
public struct StoreAudit: Sendable {
    private let repository: StoreRepository
    private let providers: [any PaymentProvider]

    /// - Parameter providers: whose charges are held against the orders; none: those rules are left out.
    public init(repository: StoreRepository, providers: [any PaymentProvider]) {
        self.repository = repository
        self.providers = providers
    }

    /// All findings. Can run beside live traffic: an order that is under way breaks no rule.
    ///
    /// Throws ``StoreError/unavailable(_:)``, and ``PaymentError`` where the provider can't be asked.
    public func run() async throws -> [AuditFinding] {
        var findings: [AuditFinding] = []
        for rule in Self.rules {
            let reading = try await repository.books.reading(
                counting: rule.counting, breaking: rule.breaking)
            findings.append(
                AuditFinding(
                    rule: rule.claim, checked: reading.checked, failed: reading.broken.count,
                    examples: reading.broken))
        }
        findings.append(try await verdicts())
        for provider in providers { findings += try await charges(of: provider) }
        return findings
    }

    // MARK: The records against themselves

    private struct Rule {
        let claim: String
        let counting: String
        let breaking: String
    }

    private static let rules = [
        Rule(
            claim: "each paid order has exactly one ledger transfer, of its amount",
            counting: "SELECT COUNT(*) FROM purchases WHERE state = 'paid'",
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN transfers l ON l.order_id = o.order_id AND l.kind = 'charge'
                    AND l.amount = o.amount AND l.unit = o.unit
                WHERE o.state = 'paid' GROUP BY o.order_id HAVING COUNT(l.transfer_id) <> 1
                """),
        Rule(
            claim: "each paid order has exactly one entitlement",
            counting: "SELECT COUNT(*) FROM purchases WHERE state = 'paid'",
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN grants e ON e.order_id = o.order_id
                    AND e.player_id = o.player_id AND e.product_id = o.product_id
                WHERE o.state = 'paid' GROUP BY o.order_id HAVING COUNT(e.order_id) <> 1
                """),
        Rule(
            claim: "each entitlement comes from a paid order",
            counting: "SELECT COUNT(*) FROM grants",
            breaking: """
                SELECT e.order_id FROM grants e LEFT JOIN purchases o ON o.order_id = e.order_id
                WHERE o.state IS NULL OR o.state <> 'paid'
                """),
        Rule(
            claim: "each ledger transfer comes from an order that was paid",
            counting: "SELECT COUNT(*) FROM transfers",
            breaking: """
                SELECT l.order_id FROM transfers l LEFT JOIN purchases o ON o.order_id = l.order_id
                WHERE o.state IS NULL OR o.state NOT IN ('paid', 'refunded', 'charged_back')
                """),
        Rule(
            claim: "each order without a verdict is owed its verification",
            counting: "SELECT COUNT(*) FROM purchases WHERE state IN ('pending', 'verifying')",
            breaking: """
                SELECT o.order_id FROM purchases o
                LEFT JOIN outbox b ON b.job_id = 'verify-payment.' || o.order_id
                WHERE o.state IN ('pending', 'verifying') AND b.job_id IS NULL
                """),
    ]

    /// Never broken: it tells how many orders are still under way or wait for a person.
    private func verdicts() async throws(StoreError) -> AuditFinding {
        let open = try await repository.books.reading(
            counting: "SELECT COUNT(*) FROM purchases",
            breaking: "SELECT order_id FROM purchases WHERE state IN ('pending', 'verifying')")
        let review = try await repository.books.orders(in: .review)
        return AuditFinding(
            rule: "orders are counted", checked: open.checked, failed: 0,
            note: "\(open.broken.count) without a verdict, \(review.count) in review")
    }

    // MARK: The records against the provider

    private func charges(of provider: any PaymentProvider) async throws -> [AuditFinding] {
        // Paid orders first, charges second, orders of the charges third: what happens meanwhile is only ever ahead.
        let paid = try await repository.books.orders(in: .paid)
        var charged: [String: Int] = [:]
        var (checked, foreign, wrong): (Int, [String], [String]) = (0, [], [])
        var page = try await provider.charges(since: Instant(milliseconds: 0), after: nil)
        while true {
            for charge in page.succeeded {
                checked += 1
                if let order = charge.orderId { charged[order.rawValue, default: 0] += 1 }
                switch try await judge(charge) {
                case .fits: continue
                case .hasNoOrder: foreign.append(charge.reference)
                case .differs: wrong.append(charge.reference)
                }
            }
            guard let next = page.next else { break }
            page = try await provider.charges(since: Instant(milliseconds: 0), after: next)
        }
        let twice = charged.filter { $0.value > 1 }.keys.sorted()
        let unpaid = paid.subtracting(charged.keys).sorted()
        return [
            AuditFinding(
                rule: "each charge of the provider has its order", checked: checked, failed: foreign.count,
                examples: foreign),
            AuditFinding(
                rule: "each charge has its order's amount, and the order is paid or under way",
                checked: checked,
                failed: wrong.count, examples: wrong),
            AuditFinding(
                rule: "no order was charged twice", checked: charged.count, failed: twice.count,
                examples: twice),
            AuditFinding(
                rule: "each paid order was charged", checked: paid.count, failed: unpaid.count,
                examples: unpaid),
        ]
    }

    private enum Judgement { case fits, hasNoOrder, differs }

    private func judge(_ charge: Charge) async throws(StoreError) -> Judgement {
        guard let id = charge.orderId, let entry = try await repository.books.entry(id) else {
            return .hasNoOrder
        }
        // In review a charge may be of any amount: that is why a person looks at it.
        if entry.state == .review { return .fits }
        guard entry.state != .declined, entry.minorUnits == charge.minorUnits,
            entry.currency == charge.currency
        else {
            return .differs
        }
        return .fits
    }
}
