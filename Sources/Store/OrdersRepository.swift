import Foundation
import GRDB
import GameModel
import Records

/// Orders and what follows from them: the ledger transfer, the entitlement, and the jobs owed for them.
struct OrdersRepository: Sendable {
    /// The ledger accounts of a sale: what the provider owes us, and what we sold.
    static func receivable(of provider: String) -> String { "provider:\(provider)" }
    static let sales = "sales"

    let file: StoreFile

    /// What a player asks for.
    struct Draft: Sendable {
        let orderId: OrderID
        let playerId: PlayerID
        let productId: ProductID
        let paymentMethod: String
        let idempotencyKey: String
        /// Of the body that came with the key.
        let bodyDigest: String
        let placedAt: Instant
    }

    enum Placement: Sendable {
        case placed(Order)
        /// The key came before with the same body.
        case repeated(Order)
    }

    /// How an order is to end.
    enum Verdict: Sendable {
        case paid(Charge, provider: String)
        case declined(code: String, reference: String?)
        case review(reason: String, reference: String?)

        var state: OrderState {
            switch self {
            case .paid: .paid
            case .declined: .declined
            case .review: .review
            }
        }

        var reason: String? {
            switch self {
            case .paid: nil
            case .declined(let code, _): code
            case .review(let reason, _): reason
            }
        }

        var reference: String? {
            switch self {
            case .paid(let charge, _): charge.reference
            case .declined(_, let reference), .review(_, let reference): reference
            }
        }
    }

    /// Stores an order and the job that verifies it, in one transaction.
    ///
    /// Throws ``StoreError`` for an unknown product, one that is owned or being bought, and a key with another body.
    func place(
        _ draft: Draft, owing job: @escaping @Sendable (OrderID) throws -> OutboxEntry
    ) async throws(StoreError) -> Placement {
        try await file.write { db in
            if let (order, digest) = try Self.order(of: draft.playerId, key: draft.idempotencyKey, in: db) {
                guard digest == draft.bodyDigest else { throw StoreError.idempotencyMismatch }
                return .repeated(order)
            }
            guard let product = try CatalogRepository.product(draft.productId, in: db), product.isActive else {
                throw StoreError.unknownProduct(draft.productId)
            }
            try Self.refuseSecond(of: draft, in: db)
            let promotions = try CatalogRepository.promotions(endingAfter: draft.placedAt, in: db)
            let quote = Pricing.quote(product, promotions: promotions, at: draft.placedAt)
            let order = Order(
                orderId: draft.orderId, playerId: draft.playerId, productId: draft.productId, state: .pending,
                amount: quote.finalPrice, listPrice: quote.listPrice, promotionId: quote.promotion?.promotionId,
                paymentMethod: draft.paymentMethod, providerReference: nil, reason: nil,
                createdAt: draft.placedAt, updatedAt: draft.placedAt)
            try Self.insert(order, draft, in: db)
            try Outbox.insert(try job(order.orderId), in: db)
            return .placed(order)
        }
    }

    func order(_ id: OrderID) async throws(StoreError) -> Order? {
        try await file.read { try Self.order(id, in: $0) }
    }

    /// A player's orders, newest first.
    func orders(of player: PlayerID, limit: Int) async throws(StoreError) -> [Order] {
        try await file.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM orders WHERE player_id = ? ORDER BY created_at DESC, order_id DESC LIMIT ?",
                arguments: [player.rawValue, limit]
            ).map(Self.order)
        }
    }

    /// What players own, oldest first.
    func entitlements(of player: PlayerID) async throws(StoreError) -> [Entitlement] {
        try await file.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT product_id, order_id, granted_at FROM entitlements
                    WHERE player_id = ? ORDER BY granted_at, product_id
                    """)
            return try Row.fetchAll(statement, arguments: [player.rawValue]).map { row in
                Entitlement(
                    productId: ProductID(row["product_id"]), orderId: OrderID(row["order_id"]),
                    grantedAt: Instant(milliseconds: row["granted_at"]))
            }
        }
    }

    /// Marks an order as being verified before the provider is asked, and fences earlier attempts of its job off.
    ///
    /// - Returns: `nil` where there is nothing to verify: no such order, or it has its verdict. The job is settled
    /// then.
    func beginVerifying(
        _ id: OrderID, jobId: String, token: UInt64, at now: Instant
    ) async throws(StoreError) -> Order? {
        try await file.write { db in
            guard try Inbox.claim(jobId: jobId, token: token, in: db), let order = try Self.order(id, in: db),
                order.state.isOpen
            else {
                try Outbox.settle(jobId: jobId, in: db)
                return nil
            }
            if order.state == .pending { try Self.move(order, to: .verifying, at: now, in: db) }
            return order
        }
    }

    /// Remembers the provider's name for the charge of an order that has no verdict yet.
    func note(reference: String, of id: OrderID, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            guard let order = try Self.order(id, in: db), order.state.isOpen else { return }
            try Self.setReference(reference, of: order, at: now, in: db)
        }
    }

    /// Writes an order's verdict, with the ledger transfer and the entitlement of a paid one, once per job.
    ///
    /// - Returns: the state that the order has now.
    func conclude(
        _ id: OrderID, _ verdict: Verdict, jobId: String, token: UInt64, at now: Instant
    ) async throws(StoreError) -> OrderState? {
        try await file.write { db in
            guard try Inbox.apply(jobId: jobId, token: token, in: db), let order = try Self.order(id, in: db),
                order.state.isOpen
            else {
                try Outbox.settle(jobId: jobId, in: db)
                return try Self.order(id, in: db)?.state
            }
            let verdict = try Self.checked(verdict, for: order, in: db)
            if order.state == .pending { try Self.move(order, to: .verifying, at: now, in: db) }
            try Self.write(verdict, for: order, at: now, in: db)
            try Outbox.settle(jobId: jobId, in: db)
            return verdict.state
        }
    }

    // MARK: Inside a transaction

    static func order(_ id: OrderID, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM orders WHERE order_id = ?")
        return try Row.fetchOne(statement, arguments: [id.rawValue]).map(order)
    }

    static func setReference(_ reference: String, of order: Order, at now: Instant, in db: Database) throws {
        try db.execute(
            sql: "UPDATE orders SET provider_reference = ?, updated_at = ? WHERE order_id = ?",
            arguments: [reference, now.milliseconds, order.orderId.rawValue])
    }

    /// A second order of a product that can be owned once would be charged for nothing.
    private static func refuseSecond(of draft: Draft, in db: Database) throws {
        let owned = try String.fetchOne(
            db, sql: "SELECT order_id FROM entitlements WHERE player_id = ? AND product_id = ?",
            arguments: [draft.playerId.rawValue, draft.productId.rawValue])
        if let owned { throw StoreError.alreadyOwned(draft.productId, by: OrderID(owned)) }
        let open = try String.fetchOne(
            db,
            sql: """
                SELECT order_id FROM orders
                WHERE player_id = ? AND product_id = ? AND state IN ('pending', 'verifying', 'review')
                """,
            arguments: [draft.playerId.rawValue, draft.productId.rawValue])
        if let open { throw StoreError.orderOpen(draft.productId, OrderID(open)) }
    }

    /// A charge of another amount, or for a product that another order brought meanwhile, is for a person to look at.
    private static func checked(_ verdict: Verdict, for order: Order, in db: Database) throws -> Verdict {
        guard case .paid(let charge, _) = verdict else { return verdict }
        guard charge.isExactly(order.amount) else {
            return .review(
                reason: "charged \(charge.minorUnits) \(charge.currency) instead of \(order.amount)",
                reference: charge.reference)
        }
        let isOwned = try Bool.fetchOne(
            db, sql: "SELECT 1 FROM entitlements WHERE player_id = ? AND product_id = ?",
            arguments: [order.playerId.rawValue, order.productId.rawValue])
        guard isOwned == nil else {
            return .review(reason: "charged for a product that is owned already", reference: charge.reference)
        }
        return verdict
    }

    private static func write(_ verdict: Verdict, for order: Order, at now: Instant, in db: Database) throws {
        try db.execute(
            sql: """
                UPDATE orders SET state = ?, reason = ?, provider_reference = COALESCE(?, provider_reference),
                    updated_at = ? WHERE order_id = ?
                """,
            arguments: [
                verdict.state.rawValue, verdict.reason, verdict.reference, now.milliseconds, order.orderId.rawValue,
            ])
        guard case .paid(let charge, let provider) = verdict else { return }
        try db.execute(
            sql: """
                INSERT INTO ledger (transfer_id, order_id, kind, debit, credit, amount, currency, provider_reference,
                    created_at) VALUES (?, ?, 'charge', ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                ULID().description, order.orderId.rawValue, receivable(of: provider), sales, charge.minorUnits,
                charge.currency, charge.reference, now.milliseconds,
            ])
        try db.execute(
            sql: "INSERT INTO entitlements (player_id, product_id, order_id, granted_at) VALUES (?, ?, ?, ?)",
            arguments: [
                order.playerId.rawValue, order.productId.rawValue, order.orderId.rawValue, now.milliseconds,
            ])
    }

    private static func move(_ order: Order, to state: OrderState, at now: Instant, in db: Database) throws {
        precondition(order.state.next.contains(state), "an order can't go from \(order.state) to \(state)")
        try db.execute(
            sql: "UPDATE orders SET state = ?, updated_at = ? WHERE order_id = ?",
            arguments: [state.rawValue, now.milliseconds, order.orderId.rawValue])
    }

    private static func insert(_ order: Order, _ draft: Draft, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO orders (order_id, player_id, product_id, state, amount, currency, list_price, promotion_id,
                    payment_method, idempotency_key, body_digest, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                order.orderId.rawValue, order.playerId.rawValue, order.productId.rawValue, order.state.rawValue,
                order.amount.minorUnits, order.amount.currency.rawValue, order.listPrice.minorUnits,
                order.promotionId, order.paymentMethod, draft.idempotencyKey, draft.bodyDigest,
                order.createdAt.milliseconds, order.updatedAt.milliseconds,
            ])
    }

    private static func order(
        of player: PlayerID, key: String, in db: Database
    ) throws -> (order: Order, digest: String)? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM orders WHERE player_id = ? AND idempotency_key = ?",
            arguments: [player.rawValue, key]
        ).map { (try order($0), $0["body_digest"]) }
    }

    private static func order(_ row: Row) throws -> Order {
        let (state, currency): (String, String) = (row["state"], row["currency"])
        guard let state = OrderState(rawValue: state), let currency = Currency(rawValue: currency) else {
            throw RecordsError.corrupt("an order of state '\(state)' in '\(currency)'")
        }
        return Order(
            orderId: OrderID(row["order_id"]), playerId: PlayerID(row["player_id"]),
            productId: ProductID(row["product_id"]), state: state,
            amount: Money(minorUnits: row["amount"], currency: currency),
            listPrice: Money(minorUnits: row["list_price"], currency: currency), promotionId: row["promotion_id"],
            paymentMethod: row["payment_method"], providerReference: row["provider_reference"],
            reason: row["reason"], createdAt: Instant(milliseconds: row["created_at"]),
            updatedAt: Instant(milliseconds: row["updated_at"]))
    }
}
