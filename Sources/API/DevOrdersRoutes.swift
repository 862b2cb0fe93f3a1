import Accounts
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import Records
import Store

/// Everyone's orders for operators, and who changed what by hand.
struct DevOrdersRoutes: Sendable {
    static let changesPage = 1...500
    /// The largest number that every reader of JSON holds exactly (RFC 8259, 6).
    static let sequenceMax = (1 << 53) - 1
    static let reasonCharacters = 1...200

    let orders: OrderService
    /// Edits of accounts and the store.
    let storeChanges: ChangeLogRepository
    /// Edits of the balance.
    let gameChanges: ChangeLogRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/dev/orders", use: list)
        router.post("/v1/dev/orders/{id}/refund", use: refund)
        router.get("/v1/dev/changes", use: changes)
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .operator)
        let limit = try request.query("limit", default: 50, in: StoreRoutes.ordersPage)
        let filter = OrderFilter(
            states: try Self.states(request), player: try request.query("player", as: PlayerID.self),
            productId: try request.query("product", as: ProductID.self),
            before: try request.query("before", as: OrderID.self), limit: limit)
        let found = try await orders.orders(filter)
        return try .json(
            StaffOrders(
                orders: found.map(StaffOrderReply.init), next: found.count == limit ? found.last?.orderId : nil))
    }

    /// `?state=paid,review`
    private static func states(_ request: Request) throws(Problem) -> Set<OrderState>? {
        guard let text = request.query("state") else { return nil }
        var states: Set<OrderState> = []
        for name in text.split(separator: ",") {
            guard let state = OrderState(rawValue: String(name)) else {
                let known = OrderState.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalidField("state", "'\(name.prefix(40))' is none of \(known).")
            }
            states.insert(state)
        }
        return states
    }

    @Sendable func refund(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .operator)
        let id = try context.parameter("id", as: OrderID.self)
        let body = try await request.decodeBody(RefundBody.self, context: context)
        guard Self.reasonCharacters.contains(body.reason.count) else {
            throw Problem.invalidField(
                "reason", "Expected 1 to \(Self.reasonCharacters.upperBound) characters: why it is given back.")
        }
        let order = try await orders.requestRefund(id, reason: body.reason, by: identity.subject)
        context.logger.info("refund asked for", metadata: ["order": "\(id)", "by": "\(identity.subject)"])
        return try .json(StaffOrderReply(order), status: .accepted)
    }

    @Sendable func changes(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(roles: [.developer, .operator])
        let log = request.query("log") ?? "store"
        guard ["store", "game"].contains(log) else {
            throw Problem.invalidField("log", "Expected store or game, not '\(log.prefix(40))'.")
        }
        let limit = try request.query("limit", default: 50, in: Self.changesPage)
        let before = try request.query("before", default: Self.sequenceMax, in: 1...Self.sequenceMax)
        let subject = request.query("subject")
        guard (subject?.utf8.count ?? 0) <= 300 else {
            throw Problem.invalidField("subject", "Expected at most 300 bytes.")
        }
        let repository = log == "store" ? storeChanges : gameChanges
        return try .json(
            ChangesReply(
                changes: try await repository.changes(
                    subject: subject, kinds: log == "store" ? Self.kinds(for: identity.role) : nil,
                    before: Int64(before), limit: limit)))
    }

    /// Of which subjects someone reads the store's log: what was done to people and their orders is for operators.
    static func kinds(for role: Role) -> [String]? {
        role == .operator ? nil : ["catalog", "picture", "product", "promotion"]
    }
}

private struct RefundBody: Decodable {
    var reason: String
}

private struct StaffOrders: Encodable {
    var orders: [StaffOrderReply]
    var next: OrderID?
}

private struct ChangesReply: Encodable {
    var changes: [ChangeLog.Change]
}
