import Accounts
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import Store

/// Edits of the store by developers: what is sold, and what is cheaper for a while. Orders keep the price they were
/// placed at.
struct DevStoreRoutes: Sendable {
    let store: StoreService

    func add(to router: some RouterMethods<APIContext>) {
        router.put("/v1/dev/products/{id}", use: putProduct)
        router.put("/v1/dev/promotions/{id}", use: putPromotion)
    }

    @Sendable func putProduct(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let id = try context.parameter("id", as: ProductID.self)
        let edit = try await request.decodeBody(ProductEdit.self, context: context)
        let product = Product(
            productId: id, name: edit.name, kind: edit.kind, prices: [edit.price], isActive: edit.active ?? true)
        let isNew = try await store.editor.save(product, by: identity.subject)
        context.logger.info(
            "product saved", metadata: ["product": "\(id)", "new": "\(isNew)", "by": "\(identity.subject)"])
        return try .json(product)
    }

    @Sendable func putPromotion(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        guard let id = context.parameters.get("id") else { throw Problem.notFound("There is nothing under this id.") }
        let edit = try await request.decodeBody(PromotionEdit.self, context: context)
        let promotion = Promotion(
            promotionId: id, name: id, productIds: edit.productId.map { [$0] } ?? [], percentOff: edit.percentOff,
            startsAt: edit.startsAt,
            endsAt: edit.endsAt)
        let isNew = try await store.editor.save(promotion, by: identity.subject)
        context.logger.info(
            "promotion saved", metadata: ["promotion": "\(id)", "new": "\(isNew)", "by": "\(identity.subject)"])
        return try .json(promotion)
    }
}

private struct ProductEdit: Decodable {
    var name: String
    var kind: ProductKind
    var price: Money
    /// Whether it is for sale; yes where absent.
    var active: Bool?
}

private struct PromotionEdit: Decodable {
    /// Absent: for every product.
    var productId: ProductID?
    var percentOff: Int
    var startsAt: Instant
    var endsAt: Instant
}
