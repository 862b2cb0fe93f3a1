import GameModel

/// Proves from the records and from the providers' own lists that no purchase was lost, doubled or given away.
public struct StoreAudit: Sendable {
    private let repository: StoreRepository
    private let providers: [any PaymentProvider]
    private let clock: @Sendable () -> Instant

    /// - Parameter providers: whose charges are held against the orders; none: those rules are left out.
    public init(
        repository: StoreRepository, providers: [any PaymentProvider],
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.providers = providers
        self.clock = clock
    }

    /// All findings. Can run beside live traffic: an order that is under way breaks no rule.
    ///
    /// Throws ``StoreError/unavailable(_:)``, and ``PaymentError`` where a provider can't be asked.
    public func run() async throws -> [AuditFinding] {
        var findings: [AuditFinding] = []
        for rule in StoreAuditRule.all {
            let reading = try await repository.books.reading(counting: rule.counting, breaking: rule.breaking)
            findings.append(
                AuditFinding(
                    rule: rule.claim, checked: reading.checked, failed: reading.broken.count,
                    examples: reading.broken))
        }
        findings.append(try await verdicts())
        for provider in providers {
            findings += try await ChargesAudit(books: repository.books, provider: provider, clock: clock).run()
        }
        return findings
    }

    /// Never broken: it tells how many orders are still under way or wait for a person.
    private func verdicts() async throws(StoreError) -> AuditFinding {
        let open = try await repository.books.reading(
            counting: "SELECT COUNT(*) FROM purchases",
            breaking: "SELECT order_id FROM purchases WHERE state IN ('pending', 'verifying')")
        let review = try await repository.books.reading(
            counting: "SELECT 0", breaking: "SELECT order_id FROM purchases WHERE state = 'review'")
        return AuditFinding(
            rule: "orders are counted", checked: open.checked, failed: 0,
            note: "\(open.broken.count) without a verdict, \(review.broken.count) in review")
    }
}
