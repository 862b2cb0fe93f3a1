import GameModel

/// Holds all charges of one provider against the orders: page by page, one query for each.
struct ChargesAudit: Sendable {
    /// How many paid orders that the provider's list leaves out are asked for one by one: lists lag behind.
    static let lookedUpMax = 500

    let books: BooksRepository
    let provider: any PaymentProvider
    let clock: @Sendable () -> Instant

    private struct Tally {
        var checked = 0
        /// How many charges each order has that were not given back.
        var charged: [String: Int] = [:]
        var foreign: [String] = []
        var differing: [String] = []
        var unbooked: [String] = []
    }

    func run() async throws -> [AuditFinding] {
        // Paid orders first, charges second, orders of the charges third: what happens meanwhile is only ever ahead.
        let start = clock()
        let paid = try await books.paidOrders(of: provider.name)
        var tally = Tally()
        var cursor: String?
        repeat {
            let page = try await provider.charges(since: Instant(milliseconds: 0), after: cursor)
            let entries = try await books.entries(Set(page.succeeded.compactMap(\.orderId)))
            for charge in page.succeeded { judge(charge, entries, since: start, &tally) }
            cursor = page.next
        } while cursor != nil
        let uncharged = try await uncharged(paid.filter { tally.charged[$0.key.rawValue] == nil })
        return findings(tally, paid: paid.count, uncharged: uncharged)
    }

    private func judge(
        _ charge: Charge, _ entries: [OrderID: BooksRepository.Entry], since start: Instant, _ tally: inout Tally
    ) {
        tally.checked += 1
        guard let id = charge.orderId, let entry = entries[id], entry.provider == provider.name else {
            tally.foreign.append(charge.reference)
            return
        }
        if charge.refundedMinorUnits < charge.minorUnits || entry.reference == charge.reference {
            tally.charged[id.rawValue, default: 0] += 1
        }
        if !fits(charge, entry) { tally.differing.append(charge.reference) }
        if !isBooked(charge, entry, since: start) { tally.unbooked.append(charge.reference) }
    }

    /// In review a charge may be of any amount: that is why a person looks at it. Before the verdict, too.
    private func fits(_ charge: Charge, _ entry: BooksRepository.Entry) -> Bool {
        switch entry.state {
        case .pending, .verifying, .review: true
        case .declined: charge.refundedMinorUnits == charge.minorUnits
        case .paid, .refunded, .chargedBack:
            // One that is not the order's own is told by another rule.
            entry.reference != charge.reference
                || (entry.booked == charge.minorUnits && entry.bookedUnit == charge.currency)
        case nil: false
        }
    }

    /// More may be booked than the provider tells where a dispute was won: then a flag says so.
    private func isBooked(_ charge: Charge, _ entry: BooksRepository.Entry, since start: Instant) -> Bool {
        guard entry.state == .paid || entry.state == .refunded || entry.state == .chargedBack,
            entry.reference == charge.reference, !entry.isOwed, entry.updatedAt < start
        else { return true }
        let back = min(charge.refundedMinorUnits, charge.minorUnits)
        if charge.isDisputed { return entry.state != .paid }
        return entry.refunded == back || (entry.refunded > back && entry.isFlagged)
    }

    /// Those of some paid orders whose charge the provider doesn't know by name either.
    private func uncharged(_ orders: [OrderID: String?]) async throws -> [String] {
        var uncharged: [String] = []
        for (id, reference) in orders.sorted(by: { $0.key < $1.key }) {
            guard uncharged.count < Self.lookedUpMax, let reference, try await isCharged(id, reference) else {
                uncharged.append(id.rawValue)
                continue
            }
        }
        return uncharged
    }

    private func isCharged(_ id: OrderID, _ reference: String) async throws -> Bool {
        do {
            guard case .succeeded(let charge) = try await provider.charge(reference: reference) else { return false }
            return charge.orderId == id
        } catch PaymentError.refused {
            return false
        }
    }

    private func findings(_ tally: Tally, paid: Int, uncharged: [String]) -> [AuditFinding] {
        let twice = tally.charged.filter { $0.value > 1 }.keys.sorted()
        return [
            finding("each charge of the provider has its order", tally.checked, tally.foreign),
            finding(
                "each charge is booked with its amount, and its order is paid, under way or in review", tally.checked,
                tally.differing),
            finding("no order was charged twice", tally.charged.count, twice),
            finding("each paid order was charged", paid, uncharged),
            finding("what the provider gave back is booked", tally.checked, tally.unbooked),
        ]
    }

    private func finding(_ rule: String, _ checked: Int, _ broken: [String]) -> AuditFinding {
        AuditFinding(rule: rule, checked: checked, failed: broken.count, examples: broken, note: provider.name)
    }
}
