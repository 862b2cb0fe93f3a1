import Accounts
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Store

/// What players buy and own, and the payment provider's webhooks.
struct StoreRoutes: Sendable {
    let store: StoreService
    /// `nil` refuses every webhook: without a secret none can be told from a forgery.
    let webhooks: WebhookReceiver?

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/store/products", use: products)
        router.post("/v1/store/orders", use: placeOrder)
        router.get("/v1/store/orders", use: orders)
        router.get("/v1/store/orders/{id}", use: order)
        router.get("/v1/store/inventory", use: inventory)
        router.post("/v1/store/webhooks/payments", use: webhook)
    }

    @Sendable func products(_ request: Request, _ context: APIContext) async throws -> Response {
        // Developers look at what they change.
        _ = try context.requireIdentity(roles: [.player, .developer])
        let catalog = try await store.catalog.catalog()
        let tag = "\"\(catalog.tag)\""
        // Prices change when promotions begin and end: a cache may keep the body, but has to ask.
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "private, no-cache"]
        guard !Self.isKnown(tag, request) else { return Response(status: .notModified, headers: headers) }
        var full = headers
        full[.contentType] = "application/json"
        full[.contentLength] = String(catalog.json.count)
        return Response(status: .ok, headers: full, body: ResponseBody(byteBuffer: ByteBuffer(bytes: catalog.json)))
    }

    @Sendable func placeOrder(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let wish = try await request.decodeBody(OrderWish.self, context: context)
        let key = try request.requireHeader(.idempotencyKey)
        let placed = try await store.orders.place(
            Wish(productId: wish.productId), player: player, payment: .provider(nil, method: wish.paymentMethod),
            expected: nil, idempotencyKey: key)
        return try .json(
            OrderReply(placed.order), status: .accepted,
            headers: [.location: "/v1/store/orders/\(placed.order.orderId)"])
    }

    @Sendable func orders(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let orders = try await store.orders.orders(OrderFilter(player: player, limit: 100))
        return try .json(OrdersReply(orders: orders.map(OrderReply.init)))
    }

    @Sendable func order(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let id = try context.parameter("id", as: OrderID.self)
        return try .json(OrderReply(try await store.orders.order(id, of: player)))
    }

    @Sendable func inventory(_ request: Request, _ context: APIContext) async throws -> Response {
        let entitlements = try await store.inventory.entitlements(of: try context.requirePlayer())
        return try .json(InventoryReply(entitlements: entitlements))
    }

    /// Any 2xx tells the provider not to send the event again.
    @Sendable func webhook(_ request: Request, _ context: APIContext) async throws -> Response {
        guard let webhooks else { throw Problem.unauthorized("No webhook secret is configured here.") }
        // The signature is over the bytes as they came.
        let body = try await request.collectBytes(context: context)
        let headers = Dictionary(
            request.headers.map { ($0.name.canonicalName, $0.value) }, uniquingKeysWith: { first, _ in first })
        let outcome = try await webhooks.receive(
            provider: "stripe", headers: headers, body: Array(body.readableBytesView))
        context.logger.debug("webhook", metadata: ["outcome": "\(outcome)"])
        return .empty(.ok)
    }

    /// RFC 9110, 13.1.2: compared weakly, and `*` is whatever there is.
    private static func isKnown(_ tag: String, _ request: Request) -> Bool {
        (request.headers[.ifNoneMatch] ?? "").split(separator: ",").contains { item in
            let known = item.filter { $0 != " " && $0 != "\t" }
            return known == "*" || known == tag || known == "W/" + tag
        }
    }
}

// MARK: Bodies

private struct OrderWish: Decodable {
    var productId: ProductID
    var paymentMethod: String
}

private struct OrderReply: Encodable {
    var orderId: OrderID
    var state: OrderState
    var productId: ProductID
    var amount: PaidReply
    /// Why it was declined or is in review.
    var reason: String?
    var createdAt: Instant
    var updatedAt: Instant

    init(_ order: Order) {
        orderId = order.orderId
        state = order.state
        productId = order.productId
        amount = PaidReply(minorUnits: order.amount, currency: order.unit)
        reason = order.state == .declined ? order.reason : nil
        createdAt = order.createdAt
        updatedAt = order.updatedAt
    }
}

/// What is charged; the currency can be a virtual one.
private struct PaidReply: Encodable {
    var minorUnits: Int64
    var currency: String
}

private struct OrdersReply: Encodable {
    var orders: [OrderReply]
}

private struct InventoryReply: Encodable {
    var entitlements: [Entitlement]
}
