import GRDB
import GameModel

/// What follows from an order's fate, inside the transaction that writes it: the ledger, what the owner has, and the
/// promotions' uses. Whoever calls these writes the order's own row.
enum OrderBooks {
    /// The order was charged (or the wallet pays it now): books the transfer, gives the owner what was bought.
    ///
    /// - Parameter charge: the provider's; `nil` where the wallet pays.
    static func pay(_ order: Order, charge: Charge?, at now: Instant, in db: Database) throws {
        if let charge {
            try book(charge, of: order, at: now, in: db)
        } else {
            try LedgerRepository.book(
                .spend, order.amount, order.unit, from: .wallet(order.playerId), to: .spent, order: order.orderId,
                reference: order.orderId.rawValue, at: now, in: db)
        }
        let source: Entitlement.Source = order.recipient == nil ? .purchase : .gift
        for part in try parts(of: order.orderId, in: db) {
            guard part.kind == .credit else {
                try GrantsRepository.insert(
                    Grant(
                        entitlementId: "\(order.orderId).\(part.item)", player: order.owner,
                        product: ProductID(part.item), order: order.orderId, source: source, kind: part.kind,
                        quantity: part.quantity, reference: order.orderId.rawValue, at: now), in: db)
                continue
            }
            try LedgerRepository.book(
                .credit, part.quantity, part.item, from: .issued, to: .wallet(order.owner), order: order.orderId,
                reference: order.orderId.rawValue, at: now, in: db)
        }
    }

    /// Books a charge without giving anything: what ``pay(_:charge:at:in:)`` does first, and what a charge needs that
    /// goes back to the player without having been granted.
    static func book(_ charge: Charge, of order: Order, at now: Instant, in db: Database) throws {
        try LedgerRepository.book(
            .charge, charge.minorUnits, charge.currency, from: .sales, to: .provider(order.provider ?? "none"),
            order: order.orderId, reference: charge.reference, at: now, in: db)
    }

    /// A dispute was won: books the money that came back of a chargeback, once. What was taken from the owner is not
    /// given again: they may have got it in another way, and a person decides.
    ///
    /// - Parameter back: what the provider still tells as given back, in minor units.
    static func reverse(_ order: Order, charge: Charge, back: Int64, at now: Instant, in db: Database) throws {
        let taken = try LedgerRepository.sums(of: [.chargeback], order: order.orderId, in: db).first
        guard let taken, try LedgerRepository.sums(of: [.reversal], order: order.orderId, in: db).isEmpty else {
            return
        }
        let amount = min(taken.amount, order.refunded - back)
        guard amount > 0 else { return }
        try LedgerRepository.book(
            .reversal, amount, taken.unit, from: .chargebacks, to: .provider(order.provider ?? "none"),
            order: order.orderId, reference: "\(charge.reference)/dispute", at: now, in: db)
    }

    /// Why an order that was charged can't be granted, in words for the person who will look at it; `nil` where it can:
    /// its owner got one of its skins meanwhile, or the charge is in the books for another order.
    static func obstacle(_ order: Order, charge: Charge? = nil, in db: Database) throws -> String? {
        for skin in try parts(of: order.orderId, in: db) where skin.kind == .skin {
            let product = ProductID(skin.item)
            if let origin = try GrantsRepository.origin(of: product, of: order.owner, in: db) {
                return "\(order.owner) owns \(product) already, by \(origin)"
            }
        }
        guard let charge else { return nil }
        let statement = try db.cachedStatement(
            sql: "SELECT order_id FROM transfers WHERE kind = 'charge' AND reference = ? AND to_account = ?")
        let account = LedgerAccount.provider(order.provider ?? "none").description
        return try String.fetchOne(statement, arguments: [charge.reference, account])
            .map { "charge \(charge.reference) is in the books already, for order \($0)" }
    }

    /// Money went back: books it; where all of it did, takes back what was given.
    ///
    /// - Parameters:
    ///   - amount: minor units that went back now.
    ///   - kind: ``Transfer/Kind/refund``, ``Transfer/Kind/chargeback`` or, for the wallet, ``Transfer/Kind/unspend``.
    ///   - isTotal: whether nothing of the price is left.
    ///   - reference: the provider's name for the refund or the dispute; one per call.
    ///   - unit: the amount's; `nil`: the order's.
    /// - Returns: what a person should know, such as `2 of 3 pieces of potion were used up before the refund`; `nil`
    /// where all was taken back.
    static func giveBack(
        _ order: Order, amount: Int64, kind: Transfer.Kind, isTotal: Bool, reference: String, unit: String? = nil,
        at now: Instant, in db: Database
    ) throws -> String? {
        if amount > 0 {
            let (from, to) = accounts(of: kind, order)
            try LedgerRepository.book(
                kind, amount, unit ?? order.unit, from: from, to: to, order: order.orderId, reference: reference,
                at: now, in: db)
        }
        guard isTotal else { return nil }
        let gone = try revoke(order, at: now, in: db) + withdraw(order, at: now, in: db)
        guard !gone.isEmpty else { return nil }
        return gone.joined(separator: ", ") + " before the \(kind == .chargeback ? "chargeback" : "refund")"
    }

    /// The order was declined: its promotions may be used again.
    static func release(_ order: Order, in db: Database) throws {
        try db.cachedStatement(sql: "UPDATE promotion_uses SET is_void = 1 WHERE order_id = ?")
            .execute(arguments: [order.orderId.rawValue])
    }

    // MARK: What it gives

    static func parts(of order: OrderID, in db: Database) throws -> [OrderParts.Part] {
        let statement = try db.cachedStatement(
            sql: "SELECT kind, item, quantity FROM purchase_parts WHERE order_id = ? ORDER BY kind, item")
        return try Row.fetchAll(statement, arguments: [order.rawValue]).compactMap { row in
            OrderParts.Kind(rawValue: row["kind"]).map {
                OrderParts.Part(kind: $0, item: row["item"], quantity: row["quantity"])
            }
        }
    }

    private static func accounts(of kind: Transfer.Kind, _ order: Order) -> (LedgerAccount, LedgerAccount) {
        switch kind {
        case .chargeback: (.provider(order.provider ?? "none"), .chargebacks)
        case .unspend: (.spent, .wallet(order.playerId))
        default: (.provider(order.provider ?? "none"), .refunds)
        }
    }

    /// Takes the order's entitlements back; the answer says what was used up.
    private static func revoke(_ order: Order, at now: Instant, in db: Database) throws -> [String] {
        try GrantsRepository.revoke(order: order.orderId, at: now, in: db).compactMap { grant in
            let used = grant.quantity - grant.remaining
            guard used > 0 else { return nil }
            return "\(used) of \(grant.quantity) pieces of \(grant.product) were used up"
        }
    }

    /// Takes what the order put into the wallet out again, as far as the balance goes; the rest is lost.
    private static func withdraw(_ order: Order, at now: Instant, in db: Database) throws -> [String] {
        let taken = try LedgerRepository.sums(of: [.withdraw, .loss], order: order.orderId, in: db)
        guard taken.isEmpty else { return [] }
        return try LedgerRepository.sums(of: [.credit], order: order.orderId, in: db).compactMap { unit, credited in
            let wallet = LedgerAccount.wallet(order.owner)
            let held = min(try LedgerRepository.balance(of: wallet, unit: unit, in: db), credited)
            if held > 0 {
                try LedgerRepository.book(
                    .withdraw, held, unit, from: wallet, to: .issued, order: order.orderId,
                    reference: order.orderId.rawValue, at: now, in: db)
            }
            guard held < credited else { return nil }
            try LedgerRepository.book(
                .loss, credited - held, unit, from: .lost, to: .issued, order: order.orderId,
                reference: order.orderId.rawValue, at: now, in: db)
            return "\(credited - held) of \(credited) \(unit) were spent"
        }
    }
}
