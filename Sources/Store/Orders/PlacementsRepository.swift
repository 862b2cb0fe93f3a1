import Foundation
import GRDB
import GameModel
import Records

/// An order as it is asked for, its form checked.
struct OrderRequest: Sendable {
    let orderId: OrderID
    let wish: Wish
    let player: PlayerID
    /// The provider's name; `nil` where the wallet pays.
    let provider: String?
    let paymentMethod: String
    /// The total that the player saw.
    let expected: Int64?
    let idempotencyKey: String
    /// Of all that came with the key.
    let digest: String
    let at: Instant

    var owner: PlayerID { wish.recipient ?? player }
}

/// Takes orders into SQLite: the price, the rules about who may buy what, the order with what it gives and what it
/// owes, all in one transaction.
struct PlacementsRepository: Sendable {
    let file: StoreFile

    enum Placement: Sendable {
        case placed(Order)
        /// The key came before with the same body.
        case repeated(Order)
    }

    func place(_ request: OrderRequest, fraud: any FraudRules) async throws(StoreError) -> Placement {
        try await file.write { db in
            if let (order, digest) = try Self.order(of: request.player, key: request.idempotencyKey, in: db) {
                guard digest == request.digest else { throw StoreError.idempotencyMismatch }
                return .repeated(order)
            }
            let catalog = try CatalogRepository.published(in: db)
            let quote = try Self.quote(request, catalog, in: db)
            let parts = try OrderParts(
                of: request.wish.productId, quantity: request.wish.quantity, in: catalog.document)
            try Self.refuseSecond(parts, request, in: db)
            try Self.refuseBeyondLimit(request, catalog.document, in: db)
            let order = Self.order(request, quote)
            if request.provider == nil {
                try Self.refuseUnfunded(order, in: db)
            } else {
                try FraudRepository.judge(order, by: fraud, at: request.at, in: db)
            }
            try Self.insert(order, parts, request, in: db)
            try Self.use(quote.promotionIds, of: catalog.document, by: order, in: db)
            if order.provider == nil {
                try OrderBooks.pay(order, charge: nil, at: request.at, in: db)
            } else {
                try Outbox.insert(VerifyPayment.owed(for: order.orderId, at: request.at), in: db)
            }
            return .placed(order)
        }
    }

    // MARK: The price

    private static func quote(
        _ request: OrderRequest, _ catalog: CatalogVersion, in db: Database
    ) throws -> Quote {
        let wish = try inUnit(request, catalog.document)
        let uses = try CatalogRepository.uses(for: wish, by: request.player, in: catalog.document, db: db)
        let quote = try Pricing.quote(
            wish, in: catalog.document, version: catalog.version, uses: uses, at: request.at)
        let refused = try Pricing.refusedCodes(of: wish, in: catalog.document, uses: uses, at: request.at)
        if let refused = refused.first { throw StoreError.codeRefused(refused.code, reason: refused.reason) }
        guard (quote.money == nil) == (request.provider == nil) else {
            let fitting = request.provider == nil ? "a virtual currency, which a wallet holds" : "a currency like EUR"
            throw StoreError.invalidField(name: "unit", reason: "expected \(fitting), got '\(quote.unit)'")
        }
        if request.provider == "paypal", let money = quote.money, !PayPalAmount.isTaken(money) {
            throw StoreError.invalidField(
                name: "unit", reason: "expected a currency and amount that PayPal takes, got \(money)")
        }
        guard quote.total > 0 else {
            throw StoreError.notSold(wish.productId, reason: "its price is \(quote.total) \(quote.unit)")
        }
        guard request.expected == nil || request.expected == quote.total else { throw StoreError.priceChanged(quote) }
        return quote
    }

    /// A wish that names no unit is one for the first price that its payment can pay.
    private static func inUnit(_ request: OrderRequest, _ catalog: CatalogDocument) throws -> Wish {
        let wish = request.wish
        guard wish.unit == nil, request.provider == nil,
            let product = catalog.products.first(where: { $0.productId == wish.productId })
        else { return wish }
        guard let price = product.virtualPrices.first else {
            throw StoreError.notSold(wish.productId, reason: "it has no price in a virtual currency")
        }
        return Wish(
            productId: wish.productId, quantity: wish.quantity, unit: price.currency, codes: wish.codes,
            recipient: wish.recipient)
    }

    // MARK: Who may buy it

    /// What can be owned once is sold once: a second order of it would be charged for nothing.
    private static func refuseSecond(_ parts: OrderParts, _ request: OrderRequest, in db: Database) throws {
        for skin in parts.skins {
            let product = ProductID(skin.item)
            guard skin.quantity == 1 else {
                throw StoreError.invalidField(
                    name: "quantity", reason: "\(product) can be owned once: expected 1, got \(skin.quantity)")
            }
            if let origin = try GrantsRepository.origin(of: product, of: request.owner, in: db) {
                throw StoreError.alreadyOwned(product, by: origin)
            }
            let statement = try db.cachedStatement(
                sql: """
                    SELECT o.order_id FROM purchases o
                    JOIN purchase_parts p ON p.order_id = o.order_id AND p.kind = 'skin' AND p.item = ?
                    WHERE o.owner_id = ? AND o.state IN ('pending', 'verifying', 'review') LIMIT 1
                    """)
            let open = try String.fetchOne(statement, arguments: [skin.item, request.owner.rawValue])
            if let open { throw StoreError.orderOpen(product, OrderID(open)) }
        }
    }

    /// The limit is the owner's, whoever pays: gifts don't get round it. What was declined or given back doesn't count.
    private static func refuseBeyondLimit(
        _ request: OrderRequest, _ catalog: CatalogDocument, in db: Database
    ) throws {
        let product = catalog.products.first { $0.productId == request.wish.productId }
        guard let product, let limit = product.limitPerPlayer else { return }
        let statement = try db.cachedStatement(
            sql: """
                SELECT COALESCE(SUM(quantity), 0) FROM purchases
                WHERE owner_id = ? AND product_id = ? AND state NOT IN ('declined', 'refunded', 'charged_back')
                """)
        let bought = try Int.fetchOne(
            statement, arguments: [request.owner.rawValue, product.productId.rawValue])
        guard (bought ?? 0) + request.wish.quantity <= limit else {
            throw StoreError.limitReached(product.productId, limit: limit)
        }
    }

    private static func refuseUnfunded(_ order: Order, in db: Database) throws {
        let held = try LedgerRepository.balance(of: .wallet(order.playerId), unit: order.unit, in: db)
        guard held >= order.amount else {
            throw StoreError.insufficientFunds(
                needed: VirtualMoney(amount: order.amount, currency: order.unit), held: held)
        }
    }

    // MARK: The rows

    private static func order(_ request: OrderRequest, _ quote: Quote) -> Order {
        Order(
            orderId: request.orderId, playerId: request.player, recipient: request.wish.recipient,
            productId: request.wish.productId, quantity: request.wish.quantity,
            state: request.provider == nil ? .paid : .pending, quote: quote, provider: request.provider,
            paymentMethod: request.paymentMethod, createdAt: request.at, updatedAt: request.at)
    }

    private static func insert(
        _ order: Order, _ parts: OrderParts, _ request: OrderRequest, in db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO purchases (order_id, player_id, recipient_id, owner_id, product_id, quantity, state, amount,
                    unit, quote, provider, payment_method, idempotency_key, body_digest, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            order.orderId.rawValue, order.playerId.rawValue, order.recipient?.rawValue, order.owner.rawValue,
            order.productId.rawValue, order.quantity, order.state.rawValue, order.amount, order.unit,
            try CatalogRepository.encode(order.quote), order.provider, order.paymentMethod, request.idempotencyKey,
            request.digest, order.createdAt.milliseconds, order.updatedAt.milliseconds,
        ])
        let insert = try db.cachedStatement(
            sql: "INSERT INTO purchase_parts (order_id, kind, item, quantity) VALUES (?, ?, ?, ?)")
        for part in parts.all {
            try insert.execute(
                arguments: [order.orderId.rawValue, part.kind.rawValue, part.item, part.quantity])
        }
    }

    private static func use(
        _ promotions: [String], of catalog: CatalogDocument, by order: Order, in db: Database
    ) throws {
        for id in promotions {
            let promotion = catalog.promotions.first { $0.promotionId == id }
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO promotion_uses (order_id, promotion_id, player_id, limit_player, limit_total)
                    VALUES (?, ?, ?, ?, ?)
                    """)
            try statement.execute(arguments: [
                order.orderId.rawValue, id, order.playerId.rawValue, promotion?.limitPerPlayer,
                promotion?.limitTotal,
            ])
        }
    }

    private static func order(
        of player: PlayerID, key: String, in db: Database
    ) throws -> (order: Order, digest: String)? {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM purchases WHERE player_id = ? AND idempotency_key = ?")
        return try Row.fetchOne(statement, arguments: [player.rawValue, key])
            .map { (try OrdersRepository.order($0), $0["body_digest"]) }
    }
}
