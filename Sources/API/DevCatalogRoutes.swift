import Accounts
import GameModel
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Store

/// Developers' draft of the catalog: its products and promotions one by one or all at once, what publishing it would
/// change, and the published versions. Orders keep the price that they were placed at.
struct DevCatalogRoutes: Sendable {
    static let versionsPage = 1...100

    let editor: CatalogEditor

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/dev/products/{id}", use: product)
        router.put("/v1/dev/products/{id}", use: putProduct)
        router.delete("/v1/dev/products/{id}", use: removeProduct)
        router.get("/v1/dev/promotions/{id}", use: promotion)
        router.put("/v1/dev/promotions/{id}", use: putPromotion)
        router.delete("/v1/dev/promotions/{id}", use: removePromotion)
        router.get("/v1/dev/catalog", use: draft)
        router.put("/v1/dev/catalog", use: replaceDraft)
        router.get("/v1/dev/catalog/changes", use: changes)
        router.post("/v1/dev/catalog/publish", use: publish)
        router.get("/v1/dev/catalog/versions", use: versions)
        router.get("/v1/dev/catalog/versions/{n}", use: version)
    }

    // MARK: Products

    @Sendable func product(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .developer)
        let id = try context.parameter("id", as: ProductID.self)
        guard let product = try await editor.draft().products.first(where: { $0.productId == id }) else {
            throw StoreError.unknownProduct(id)
        }
        return try .json(product)
    }

    @Sendable func putProduct(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let id = try context.parameter("id", as: ProductID.self)
        let product = try await request.decodeBody(ProductEdit.self, context: context).product(id)
        let isNew = try await editor.save(product, by: identity.subject)
        return try .json(product, status: isNew ? .created : .ok)
    }

    @Sendable func removeProduct(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        try await editor.remove(product: try context.parameter("id", as: ProductID.self), by: identity.subject)
        return .empty()
    }

    // MARK: Promotions

    @Sendable func promotion(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .developer)
        let id = try context.parameter("id", as: PromotionName.self).rawValue
        guard let promotion = try await editor.draft().promotions.first(where: { $0.promotionId == id }) else {
            throw StoreError.unknownPromotion(id)
        }
        return try .json(promotion)
    }

    @Sendable func putPromotion(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let id = try context.parameter("id", as: PromotionName.self).rawValue
        let promotion = try await request.decodeBody(PromotionEdit.self, context: context).promotion(id)
        let isNew = try await editor.save(promotion, by: identity.subject)
        return try .json(promotion, status: isNew ? .created : .ok)
    }

    @Sendable func removePromotion(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let id = try context.parameter("id", as: PromotionName.self).rawValue
        try await editor.remove(promotion: id, by: identity.subject)
        return .empty()
    }

    // MARK: The whole draft

    @Sendable func draft(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .developer)
        return try .json(try await editor.draft())
    }

    @Sendable func replaceDraft(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let bytes = try await request.collectBytes(context: context)
        // First as any body, so that what is wrong is told as elsewhere; then strictly, because a member that nothing
        // knows is a slip of the pen that would cost money.
        _ = try Request.decode(CatalogDocument.self, from: bytes)
        let document = try CatalogDocument(json: Array(bytes.readableBytesView))
        try await editor.replaceDraft(with: document, by: identity.subject)
        return try .json(document)
    }

    @Sendable func changes(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .developer)
        return try .json(
            Changes(changes: try await editor.changes(), problems: try await editor.problems()))
    }

    // MARK: Publishing

    @Sendable func publish(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let body = try await request.decodeBodyIfPresent(Publishing.self, context: context)
        let version = try await editor.publish(note: body?.note ?? "", by: identity.subject)
        context.logger.info(
            "catalog published", metadata: ["version": "\(version.version)", "by": "\(identity.subject)"])
        return try .json(
            VersionReply(version), headers: [.location: "/v1/dev/catalog/versions/\(version.version)"])
    }

    @Sendable func versions(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .developer)
        let limit = try request.query("limit", default: 20, in: Self.versionsPage)
        return try .json(Versions(versions: try await editor.versions(limit: limit).map(VersionReply.init)))
    }

    @Sendable func version(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .developer)
        return try .json(try await editor.version(try context.integerParameter("n")))
    }
}

// MARK: Bodies

/// A promotion's name in a path.
private struct PromotionName: Identifier {
    let rawValue: String
    init(_ text: String) { rawValue = text }
}

/// A product without its id, which is in the path.
private struct ProductEdit: Decodable {
    var name: String
    var description: String?
    var kind: ProductKind
    var prices: [Money]?
    var virtualPrices: [VirtualMoney]?
    var quantity: Int?
    var credit: VirtualMoney?
    var parts: [Product.Part]?
    var limitPerPlayer: Int?
    var availableFrom: Instant?
    var availableUntil: Instant?
    var picture: String?
    /// Whether it is for sale; yes where absent.
    var active: Bool?

    func product(_ id: ProductID) -> Product {
        Product(
            productId: id, name: name, description: description ?? "", kind: kind, prices: prices ?? [],
            virtualPrices: virtualPrices ?? [], quantity: quantity ?? 1, credit: credit, parts: parts ?? [],
            limitPerPlayer: limitPerPlayer, availableFrom: availableFrom, availableUntil: availableUntil,
            picture: picture, isActive: active ?? true)
    }
}

/// A promotion without its id, which is in the path.
private struct PromotionEdit: Decodable {
    var name: String?
    /// Absent: for every product.
    var productIds: [ProductID]?
    var percentOff: Int?
    var amountsOff: [Money]?
    var code: String?
    var startsAt: Instant
    var endsAt: Instant
    var limitPerPlayer: Int?
    var limitTotal: Int?
    var stacking: Promotion.Stacking?

    func promotion(_ id: String) -> Promotion {
        Promotion(
            promotionId: id, name: name ?? id, productIds: productIds ?? [], percentOff: percentOff,
            amountsOff: amountsOff ?? [], code: code, startsAt: startsAt, endsAt: endsAt,
            limitPerPlayer: limitPerPlayer, limitTotal: limitTotal, stacking: stacking ?? .exclusive)
    }
}

private struct Publishing: Decodable {
    var note: String?
}

private struct Changes: Encodable {
    var changes: [CatalogChange]
    /// What keeps the draft from being published.
    var problems: [String]
}

private struct Versions: Encodable {
    var versions: [VersionReply]
}

/// A version without its document.
private struct VersionReply: Encodable {
    var version: Int
    var publishedAt: Instant
    var publishedBy: String
    var note: String

    init(_ version: CatalogVersion) {
        self.version = version.version
        publishedAt = version.publishedAt
        publishedBy = version.publishedBy
        note = version.note
    }
}
