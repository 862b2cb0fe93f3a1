import GameModel
import Records

/// Compares a provider's charges with the orders: daily, and on demand.
///
/// Promises: it reads page by page, so that its memory doesn't grow with the number of charges; it can run beside live
/// traffic: what looks like a difference is asked of the provider once more before it is reported, and an order that
/// is under way differs in nothing.
public struct Reconciler: Sendable {
    static let ordersPerPage = 500
    /// How far the provider's clock may be from ours.
    static let clockSkew: Duration = .seconds(600)

    private let repository: StoreRepository
    private let orderTimeOut: Duration
    private let clock: @Sendable () -> Instant

    /// - Parameter orderTimeOut: past it, an order without a verdict is a difference: that of the verifiers.
    public init(
        repository: StoreRepository, orderTimeOut: Duration = VerifyPaymentHandler.timeOut,
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.orderTimeOut = orderTimeOut
        self.clock = clock
    }

    /// What is being found; what is past the most that a report carries is only counted.
    private struct Draft {
        var charges = 0
        var orders = 0
        var found = 0
        var differences: [ReconciliationDifference] = []
        /// The orders of the differences that have one.
        var entries: [OrderID: ReconciliationRules.Entry] = [:]

        mutating func add(_ difference: ReconciliationDifference?, _ entry: ReconciliationRules.Entry? = nil) {
            guard let difference else { return }
            found += 1
            guard differences.count < ReconciliationReport.differencesMax else { return }
            differences.append(difference)
            if let entry { entries[entry.orderId] = entry }
        }
    }

    /// Compares, keeps the report, and answers it. Changes no order; with `settling`, owes a ``SettleOrder`` (or
    /// ``VerifyPayment``) for each difference that asking the provider again can settle.
    ///
    /// Throws ``StoreError`` and ``PaymentError``.
    public func run(
        with provider: any PaymentProvider, since: Instant, settling: Bool
    ) async throws -> ReconciliationReport {
        let startedAt = clock()
        var random = SystemRandomNumberGenerator()
        let run = ULID(at: startedAt, using: &random).description
        var draft = Draft()
        let sheet = try ChargeSheetRepository()
        try await compareCharges(of: provider, since: since, sheet, &draft)
        try await compareOrders(with: provider, since: since, until: startedAt, sheet, &draft)
        let timeOut = min(orderTimeOut, provider.keysKept - VerifyPaymentHandler.margin)
        let overdue = try await repository.reconciliations.open(
            at: provider.name,
            placedBefore: startedAt - timeOut - provider.listingLag - VerifyPaymentHandler.grace * 2,
            limit: ReconciliationReport.differencesMax)
        for entry in overdue { draft.add(ReconciliationRules.overdue(entry, at: startedAt), entry) }
        let report = ReconciliationReport(
            provider: provider.name, since: since, startedAt: startedAt, endedAt: clock(), charges: draft.charges,
            orders: draft.orders, found: draft.found, differences: draft.differences)
        try await repository.reconciliations.keep(
            report, run: run, owing: settling ? try Self.jobs(for: draft, run: run, at: clock()) : [])
        return report
    }

    /// The newest reports, without their differences' details left out.
    public func reports(limit: Int) async throws(StoreError) -> [ReconciliationReport] {
        try await repository.reconciliations.reports(limit: limit)
    }

    // MARK: The provider's side

    private func compareCharges(
        of provider: any PaymentProvider, since: Instant, _ sheet: ChargeSheetRepository, _ draft: inout Draft
    ) async throws {
        var page = try await provider.charges(since: since - Self.clockSkew, after: nil)
        while true {
            draft.charges += try await sheet.add(page.succeeded.map(\.reference))
            let entries = try await repository.reconciliations.entries(of: page.succeeded.compactMap(\.orderId))
            for charge in page.succeeded {
                let entry = charge.orderId.flatMap { entries[$0] }
                guard let hint = ReconciliationRules.difference(charge, entry, by: provider.name) else { continue }
                guard hint.kind != .chargeWithoutOrder, let entry else {
                    draft.add(hint, entry)
                    continue
                }
                try await confirm(charge.reference, entry.orderId, provider, &draft)
            }
            guard let next = page.next else { return }
            page = try await provider.charges(since: since - Self.clockSkew, after: next)
        }
    }

    /// Asks once more, with the order read before and after: what was changing while the pages were read differs only
    /// in time.
    private func confirm(
        _ reference: String, _ order: OrderID, _ provider: any PaymentProvider, _ draft: inout Draft
    ) async throws {
        var entry = try await repository.reconciliations.entries(of: [order])[order]
        for _ in 0..<3 {
            guard case .succeeded(let charge) = try await provider.known(reference) else { return }
            let now = try await repository.reconciliations.entries(of: [order])[order]
            if now == entry {
                draft.add(ReconciliationRules.difference(charge, now, by: provider.name), now)
                return
            }
            entry = now
        }
    }

    // MARK: The orders' side

    private func compareOrders(
        with provider: any PaymentProvider, since: Instant, until: Instant, _ sheet: ChargeSheetRepository,
        _ draft: inout Draft
    ) async throws {
        var last: OrderID?
        while true {
            let page = try await repository.reconciliations.charged(
                by: provider.name, since: since, until: until, after: last, limit: Self.ordersPerPage)
            draft.orders += page.count
            for entry in page {
                if let reference = entry.reference, try await sheet.contains(reference) { continue }
                try await seek(entry, provider, &draft)
            }
            guard page.count == Self.ordersPerPage, let end = page.last else { return }
            last = end.orderId
        }
    }

    /// The charge was not listed: it may be newer than the list, or the provider's list may lag behind.
    private func seek(
        _ entry: ReconciliationRules.Entry, _ provider: any PaymentProvider, _ draft: inout Draft
    ) async throws {
        guard let reference = entry.reference, case .succeeded = try await provider.known(reference) else {
            draft.add(ReconciliationRules.missing(entry), entry)
            return
        }
        try await confirm(reference, entry.orderId, provider, &draft)
    }

    // MARK: Settling

    /// A declined order's charge goes back, and one in review whose charge was not known gets its name, so that a
    /// person can decide.
    private static func isWorthAsking(_ entry: ReconciliationRules.Entry?) -> Bool {
        entry?.state == .declined || entry?.reference == nil
    }

    private static func jobs(for draft: Draft, run: String, at now: Instant) throws -> [OutboxEntry] {
        try draft.differences.compactMap { difference in
            guard let order = difference.orderId else { return nil }
            switch difference.kind {
            case .refundNotBooked: return try SettleOrder.owed(for: order, cause: "reconcile.\(run)", at: now)
            case .chargeNotBooked where isWorthAsking(draft.entries[order]):
                return try SettleOrder.owed(for: order, cause: "reconcile.\(run)", at: now)
            case .refundNotMade where draft.entries[order]?.state == .chargedBack:
                return try SettleOrder.owed(for: order, cause: "reconcile.\(run)", at: now)
            case .orderOverdue: return try VerifyPayment.owed(for: order, at: now)
            case .chargeNotBooked, .chargeWithoutOrder, .orderWithoutCharge, .amountDiffers, .refundNotMade,
                .chargedTwice:
                return nil
            }
        }
    }
}
