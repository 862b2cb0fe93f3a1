import GRDB
import GameModel
import Records

/// What players own, in SQLite.
struct InventoryRepository: Sendable {
    let file: StoreFile

    /// What is owned at the moment, oldest first.
    func entitlements(of player: PlayerID) async throws(StoreError) -> [Entitlement] {
        try await file.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT * FROM grants WHERE player_id = ? AND remaining > 0
                    ORDER BY granted_at, entitlement_id
                    """)
            return try Row.fetchAll(statement, arguments: [player.rawValue]).map(Self.entitlement)
        }
    }

    /// Newest first.
    func history(of player: PlayerID, limit: Int) async throws(StoreError) -> [EntitlementEvent] {
        try await file.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM grant_events WHERE player_id = ? ORDER BY seq DESC LIMIT ?",
                arguments: [player.rawValue, limit]
            ).map(Self.event)
        }
    }

    func wallet(of player: PlayerID) async throws(StoreError) -> [VirtualMoney] {
        try await file.read { db in
            try LedgerRepository.balances(of: .wallet(player), in: db)
                .map { VirtualMoney(amount: $0.amount, currency: $0.unit) }
        }
    }

    func transfers(of player: PlayerID, limit: Int) async throws(StoreError) -> [Transfer] {
        try await file.read { try LedgerRepository.transfers(of: .wallet(player), limit: limit, in: $0) }
    }

    /// By player, oldest first: one query for all of them.
    func skins(of players: [PlayerID]) async throws(StoreError) -> [PlayerID: [ProductID]] {
        try await file.read { db in
            var skins = Dictionary(players.map { ($0, [ProductID]()) }, uniquingKeysWith: { first, _ in first })
            let marks = databaseQuestionMarks(count: skins.count)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT player_id, product_id FROM grants
                    WHERE player_id IN (\(marks)) AND kind = 'skin' AND remaining > 0
                    ORDER BY granted_at, entitlement_id
                    """, arguments: StatementArguments(skins.keys.map(\.rawValue)))
            for row in rows { skins[PlayerID(row["player_id"])]?.append(ProductID(row["product_id"])) }
            return skins
        }
    }

    /// - Returns: how many are left.
    func consume(
        _ product: ProductID, quantity: Int, of player: PlayerID, reference: String, at now: Instant
    ) async throws(StoreError) -> Int {
        try await file.write { db in
            let pieces = try Self.pieces(of: product, of: player, in: db)
            let held = pieces.reduce(0) { $0 + $1.remaining }
            if let used = try Self.used(product, of: player, reference: reference, in: db) {
                guard used == quantity else {
                    throw StoreError.invalidField(
                        name: "reference",
                        reason: "'\(reference)' used \(used) pieces of \(product) before, not \(quantity)")
                }
                return held
            }
            guard held >= quantity else { throw StoreError.insufficientItems(product, held: held) }
            var left = quantity
            for (entitlement, remaining) in pieces where left > 0 {
                let taken = min(left, remaining)
                left -= taken
                try db.cachedStatement(sql: "UPDATE grants SET remaining = remaining - ? WHERE entitlement_id = ?")
                    .execute(arguments: [taken, entitlement])
                try GrantsRepository.append(
                    .consumed, Int64(-taken), entitlement: entitlement, of: product, of: player,
                    reference: reference, at: now, in: db)
            }
            return held - quantity
        }
    }

    /// Gives a product of the published catalog.
    func grant(
        _ product: ProductID, quantity: Int, to player: PlayerID, reference: String, by editor: String, at now: Instant
    ) async throws(StoreError) {
        try await file.write { db in
            let catalog = try CatalogRepository.published(in: db)
            let parts = try OrderParts(of: product, quantity: quantity, in: catalog.document)
            guard try !Self.isGranted(product, to: player, reference: reference, in: db) else { return }
            for part in parts.all {
                try Self.give(part, of: product, to: player, reference: reference, at: now, in: db)
            }
            try ChangeLog.append(
                ChangeLog.Change(
                    at: now.milliseconds, by: editor, action: "inventory.grant", subject: "player \(player)",
                    after: "\(quantity) × \(product): \(reference)"), in: db)
        }
    }

    // MARK: Inside a transaction

    private static func give(
        _ part: OrderParts.Part, of product: ProductID, to player: PlayerID, reference: String, at now: Instant,
        in db: Database
    ) throws {
        let name = grantName(product, to: player, reference: reference)
        if part.kind == .credit {
            return try LedgerRepository.book(
                .credit, part.quantity, part.item, from: .issued, to: .wallet(player), order: nil, reference: name,
                at: now, in: db)
        }
        if part.kind == .skin {
            guard part.quantity == 1 else {
                throw StoreError.invalidField(
                    name: "quantity", reason: "\(part.item) can be owned once: expected 1, got \(part.quantity)")
            }
            if let origin = try GrantsRepository.origin(of: ProductID(part.item), of: player, in: db) {
                throw StoreError.alreadyOwned(ProductID(part.item), by: origin)
            }
        }
        try GrantsRepository.insert(
            Grant(
                entitlementId: "\(name).\(part.item)", player: player, product: ProductID(part.item), order: nil,
                source: .grant, kind: part.kind, quantity: part.quantity, reference: reference, at: now), in: db)
    }

    /// A grant's own name: of the player, the product and the reference alone, so that a repeated one is known.
    private static func grantName(_ product: ProductID, to player: PlayerID, reference: String) -> String {
        "grant-" + FieldDigest.of([player.rawValue, product.rawValue, reference]).prefix(32)
    }

    private static func isGranted(
        _ product: ProductID, to player: PlayerID, reference: String, in db: Database
    ) throws -> Bool {
        let name = grantName(product, to: player, reference: reference)
        // A slash comes right after a full stop.
        let given = try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM transfers WHERE kind = 'credit' AND reference = ?)
                    OR EXISTS (SELECT 1 FROM grants WHERE entitlement_id > ? AND entitlement_id < ?)
                """, arguments: [name, name + ".", name + "/"])
        return given ?? false
    }

    /// The grants that have pieces left, oldest first.
    private static func pieces(
        of product: ProductID, of player: PlayerID, in db: Database
    ) throws -> [(entitlement: String, remaining: Int)] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT entitlement_id, remaining FROM grants
                WHERE player_id = ? AND product_id = ? AND kind = 'item' AND remaining > 0
                ORDER BY granted_at, entitlement_id
                """)
        return try Row.fetchAll(statement, arguments: [player.rawValue, product.rawValue])
            .map { ($0["entitlement_id"], $0["remaining"]) }
    }

    /// How many pieces a reference used before; `nil` where it is new.
    private static func used(
        _ product: ProductID, of player: PlayerID, reference: String, in db: Database
    ) throws -> Int? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT -SUM(e.change) FROM grants g
                JOIN grant_events e ON e.entitlement_id = g.entitlement_id AND e.kind = 'consumed' AND e.reference = ?
                WHERE g.player_id = ? AND g.product_id = ?
                """)
        return try Int.fetchOne(statement, arguments: [reference, player.rawValue, product.rawValue])
    }

    private static func entitlement(_ row: Row) throws -> Entitlement {
        guard let source = Entitlement.Source(rawValue: row["source"]) else {
            throw RecordsError.corrupt("an entitlement of source '\(row["source"] as String)'")
        }
        return Entitlement(
            entitlementId: row["entitlement_id"], productId: ProductID(row["product_id"]),
            orderId: (row["order_id"] as String?).map { OrderID($0) }, source: source, quantity: row["quantity"],
            remaining: row["remaining"], grantedAt: Instant(milliseconds: row["granted_at"]),
            revokedAt: (row["revoked_at"] as Int64?).map { Instant(milliseconds: $0) })
    }

    private static func event(_ row: Row) throws -> EntitlementEvent {
        guard let kind = EntitlementEvent.Kind(rawValue: row["kind"]) else {
            throw RecordsError.corrupt("an entitlement's event of kind '\(row["kind"] as String)'")
        }
        return EntitlementEvent(
            entitlementId: row["entitlement_id"], productId: ProductID(row["product_id"]), kind: kind,
            change: row["change"], reference: row["reference"], at: Instant(milliseconds: row["at"]))
    }
}
