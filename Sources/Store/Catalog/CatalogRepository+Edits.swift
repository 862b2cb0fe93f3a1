import GRDB
import GameModel
import Records

/// Edits of the draft and its publication, each a transaction with its lines in the change log.
extension CatalogRepository {
    func draft() async throws(StoreError) -> CatalogDocument {
        try await file.read { try DraftRepository.draft(in: $0) }
    }

    func save(_ product: Product, by editor: String, at now: Instant) async throws(StoreError) -> Bool {
        try await file.write { db in
            let draft = try DraftRepository.draft(in: db)
            let before = draft.products.first { $0.productId == product.productId }
            let faults = try draft.faults(of: product, in: draft.index) {
                try DraftRepository.isStored(picture: $0, in: db)
            }
            if let fault = faults.first { throw fault.error }
            guard before != nil || draft.products.count < CatalogDocument.productsMax else {
                throw StoreError.invalidField(
                    name: "productId", reason: "expected at most \(CatalogDocument.productsMax) products, remove one")
            }
            try Self.put(product, over: before, by: editor, at: now, in: db)
            return before == nil
        }
    }

    func save(_ promotion: Promotion, by editor: String, at now: Instant) async throws(StoreError) -> Bool {
        try await file.write { db in
            let draft = try DraftRepository.draft(in: db)
            let before = draft.promotions.first { $0.promotionId == promotion.promotionId }
            if let fault = draft.faults(of: promotion, in: draft.index).first { throw fault.error }
            guard before != nil || draft.promotions.count < CatalogDocument.promotionsMax else {
                throw StoreError.invalidField(
                    name: "promotionId",
                    reason: "expected at most \(CatalogDocument.promotionsMax) promotions, remove one")
            }
            try Self.put(promotion, over: before, by: editor, at: now, in: db)
            return before == nil
        }
    }

    func remove(product id: ProductID, by editor: String, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            guard let before = try DraftRepository.draft(in: db).products.first(where: { $0.productId == id }) else {
                throw StoreError.unknownProduct(id)
            }
            try Self.delete(before, by: editor, at: now, in: db)
        }
    }

    func remove(promotion id: String, by editor: String, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            let draft = try DraftRepository.draft(in: db)
            guard let before = draft.promotions.first(where: { $0.promotionId == id }) else {
                throw StoreError.unknownPromotion(id)
            }
            try Self.delete(before, by: editor, at: now, in: db)
        }
    }

    /// Only what differs is written, so that the change log tells of each product what happened to it.
    func replaceDraft(with document: CatalogDocument, by editor: String, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            try Self.requirePublishable(document, in: db)
            let draft = try DraftRepository.draft(in: db)
            let products = Dictionary(uniqueKeysWithValues: draft.products.map { ($0.productId, $0) })
            for product in document.products {
                try Self.put(product, over: products[product.productId], by: editor, at: now, in: db)
            }
            let promotions = Dictionary(uniqueKeysWithValues: draft.promotions.map { ($0.promotionId, $0) })
            for promotion in document.promotions {
                try Self.put(promotion, over: promotions[promotion.promotionId], by: editor, at: now, in: db)
            }
            let keptProducts = Set(document.products.map(\.productId))
            for product in draft.products where !keptProducts.contains(product.productId) {
                try Self.delete(product, by: editor, at: now, in: db)
            }
            let keptPromotions = Set(document.promotions.map(\.promotionId))
            for promotion in draft.promotions where !keptPromotions.contains(promotion.promotionId) {
                try Self.delete(promotion, by: editor, at: now, in: db)
            }
        }
    }

    func problems() async throws(StoreError) -> [String] {
        try await file.read { try Self.problems(of: try DraftRepository.draft(in: $0), in: $0) }
    }

    func changes() async throws(StoreError) -> [CatalogChange] {
        try await file.read { db in
            CatalogChange.between(try Self.published(in: db).document, try DraftRepository.draft(in: db))
        }
    }

    func publish(note: String, by editor: String, at now: Instant) async throws(StoreError) -> CatalogVersion {
        let version = try await file.write { db in
            let draft = try DraftRepository.draft(in: db)
            try Self.requirePublishable(draft, in: db)
            let published = try Self.published(in: db)
            let changes = CatalogChange.between(published.document, draft)
            guard !changes.isEmpty || published.version == 0 else { return published }
            let next = CatalogVersion(
                version: published.version + 1, publishedAt: now, publishedBy: editor, note: note, document: draft)
            try Self.insertVersion(next, in: db)
            let summary = "version \(next.version), \(changes.count) changes" + (note.isEmpty ? "" : ": \(note)")
            try Self.log(
                "catalog.publish", "catalog", before: "version \(published.version)", after: summary, by: editor,
                at: now, in: db)
            return next
        }
        shelf.forget()
        return version
    }

    func versions(limit: Int) async throws(StoreError) -> [CatalogVersion] {
        try await file.read { try Self.versions(limit: limit, in: $0) }
    }

    func version(_ number: Int) async throws(StoreError) -> CatalogVersion {
        try await file.read { db in
            guard let version = try Self.version(number, in: db) else { throw StoreError.unknownVersion(number) }
            return version
        }
    }

    // MARK: Inside a transaction

    private static func problems(of document: CatalogDocument, in db: Database) throws -> [String] {
        try document.problems { try DraftRepository.isStored(picture: $0, in: db) }
    }

    private static func requirePublishable(_ document: CatalogDocument, in db: Database) throws {
        let problems = try problems(of: document, in: db)
        guard problems.isEmpty else { throw StoreError.invalidDraft(problems) }
    }

    private static func put(
        _ product: Product, over before: Product?, by editor: String, at now: Instant, in db: Database
    ) throws {
        guard product != before else { return }
        try DraftRepository.upsert(product, by: editor, at: now, in: db)
        try log(
            "product.save", "product \(product.productId)", before: try before.map { try encode($0) },
            after: try encode(product), by: editor, at: now, in: db)
    }

    private static func put(
        _ promotion: Promotion, over before: Promotion?, by editor: String, at now: Instant, in db: Database
    ) throws {
        guard promotion != before else { return }
        try DraftRepository.upsert(promotion, by: editor, at: now, in: db)
        try log(
            "promotion.save", "promotion \(promotion.promotionId)", before: try before.map { try encode($0) },
            after: try encode(promotion), by: editor, at: now, in: db)
    }

    private static func delete(_ product: Product, by editor: String, at now: Instant, in db: Database) throws {
        try DraftRepository.delete(product: product.productId, in: db)
        try log(
            "product.remove", "product \(product.productId)", before: try encode(product), after: nil, by: editor,
            at: now, in: db)
    }

    private static func delete(_ promotion: Promotion, by editor: String, at now: Instant, in db: Database) throws {
        try DraftRepository.delete(promotion: promotion.promotionId, in: db)
        try log(
            "promotion.remove", "promotion \(promotion.promotionId)", before: try encode(promotion), after: nil,
            by: editor, at: now, in: db)
    }

    private static func log(
        _ action: String, _ subject: String, before: String?, after: String?, by editor: String, at now: Instant,
        in db: Database
    ) throws {
        try ChangeLog.append(
            ChangeLog.Change(
                at: now.milliseconds, by: editor, action: action, subject: subject, before: before, after: after),
            in: db)
    }
}
