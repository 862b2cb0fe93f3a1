import Accounts
import GameModel
import HTTPTypes
import Hummingbird
import NIOCore
import Store

/// What players can buy, what it would cost, and buying it.
struct StoreRoutes: Sendable {
    static let ordersPage = 1...100

    let store: StoreService
    /// Knows whether there is somebody to get a gift.
    let accounts: AccountService

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/store/products", use: products)
        router.post("/v1/store/quotes", use: quote)
        router.post("/v1/store/orders", use: placeOrder)
        router.get("/v1/store/orders", use: orders)
        router.get("/v1/store/orders/{id}", use: order)
    }

    /// The catalog is kept as the bytes that are sent: nothing is encoded here.
    @Sendable func products(_ request: Request, _ context: APIContext) async throws -> Response {
        // Developers look at what they change.
        _ = try context.requireIdentity(roles: Role.ofPeople)
        let catalog = try await store.catalog.catalog()
        let tag = "\"\(catalog.tag)\""
        // Prices change when promotions begin and end: a cache may keep the body, but has to ask.
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "private, no-cache"]
        guard !request.isKnown(tag) else { return Response(status: .notModified, headers: headers) }
        return .bytes(
            ByteBuffer(bytes: catalog.json), status: .ok, headers: headers, contentType: "application/json")
    }

    @Sendable func quote(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let wish = try await request.decodeBody(WishBody.self, context: context).wish()
        return try .json(try await store.catalog.quote(wish, player: player))
    }

    /// 202 says that the order is on disk and will end; an order that the wallet pays has ended then: 201.
    @Sendable func placeOrder(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let body = try await request.decodeBody(OrderBody.self, context: context)
        let key = try request.requireHeader(.idempotencyKey)
        let wish = try body.wish.wish()
        let payment = try body.payment()
        try await checkPayer(player)
        try await checkRecipient(wish.recipient)
        let placed = try await store.orders.place(
            wish, player: player, payment: payment, expected: body.expectedTotal, idempotencyKey: key)
        return try .json(
            OrderReply(placed.order), status: placed.order.state.isOpen ? .accepted : .created,
            headers: [.location: "/v1/store/orders/\(placed.order.orderId)"])
    }

    /// An access token outlives its account for some minutes: nobody is left whom an order could be for.
    private func checkPayer(_ player: PlayerID) async throws {
        do {
            guard try await accounts.account(player).deletedAt != nil else { return }
        } catch AccountsError.unknownAccount {
            return  // A player of another issuer's, with a token signed by a key of ours.
        }
        throw Problem.forbidden("The account is deleted.")
    }

    private func checkRecipient(_ recipient: PlayerID?) async throws {
        guard let recipient else { return }
        do {
            guard try await accounts.account(recipient).deletedAt != nil else { return }
        } catch AccountsError.unknownAccount {}
        throw Problem.invalidField("recipient", "There is no player \(recipient).")
    }

    @Sendable func orders(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let limit = try request.query("limit", default: 50, in: Self.ordersPage)
        let before = try request.query("before", as: OrderID.self)
        let orders = try await store.orders.orders(OrderFilter(player: player, before: before, limit: limit))
        return try .json(OrdersReply(orders, limit: limit))
    }

    @Sendable func order(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let id = try context.parameter("id", as: OrderID.self)
        return try .json(OrderReply(try await store.orders.order(id, of: player)))
    }
}

// MARK: Bodies

/// What a player wants to buy, as it is sent; see ``Wish``.
private struct WishBody: Decodable {
    var productId: ProductID
    var quantity: Int?
    var unit: String?
    var codes: [String]?
    var recipient: PlayerID?

    func wish() throws(Problem) -> Wish {
        let quantity = quantity ?? 1
        guard Wish.quantityRange.contains(quantity) else {
            throw .invalidField("quantity", "Expected 1 to \(Wish.quantityRange.upperBound), got \(quantity).")
        }
        let codes = codes ?? []
        guard codes.count <= Wish.codesMax else {
            throw .invalidField("codes", "Expected at most \(Wish.codesMax) codes, got \(codes.count).")
        }
        return Wish(
            productId: productId, quantity: quantity, unit: unit, codes: codes.map { $0.uppercased() },
            recipient: recipient)
    }
}

private struct OrderBody: Decodable {
    var wish: WishBody
    /// The provider's token for the means of payment; absent where the wallet pays.
    var paymentMethod: String?
    /// Absent: the store's first.
    var provider: String?
    var wallet: Bool?
    /// The total that the player saw.
    var expectedTotal: Int64?

    private enum CodingKeys: String, CodingKey { case paymentMethod, provider, wallet, expectedTotal }

    init(from decoder: any Decoder) throws {
        wish = try WishBody(from: decoder)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        paymentMethod = try fields.decodeIfPresent(String.self, forKey: .paymentMethod)
        provider = try fields.decodeIfPresent(String.self, forKey: .provider)
        wallet = try fields.decodeIfPresent(Bool.self, forKey: .wallet)
        expectedTotal = try fields.decodeIfPresent(Int64.self, forKey: .expectedTotal)
    }

    func payment() throws(Problem) -> PaymentChoice {
        guard wallet != true else {
            guard paymentMethod == nil, provider == nil else {
                throw .invalidField("wallet", "An order is paid from the wallet or by a paymentMethod, not both.")
            }
            return .wallet
        }
        guard let paymentMethod else {
            throw .invalidField("paymentMethod", "This field is missing; an order may say wallet: true instead.")
        }
        return .provider(provider, method: paymentMethod)
    }
}
