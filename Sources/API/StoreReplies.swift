import GameModel
import Store

/// An order as its player sees it: without the token of the means of payment.
struct OrderReply: Encodable {
    var orderId: OrderID
    var state: OrderState
    var productId: ProductID
    var quantity: Int
    var recipient: PlayerID?
    /// What is charged; `currency` is in lower case where it is a virtual one.
    var amount: Amount
    /// How that came to be.
    var lines: [QuoteLine]
    /// Absent where the wallet pays.
    var provider: String?
    /// What was given back so far, in minor units.
    var refunded: Int64
    /// Why it was declined.
    var reason: String?
    var createdAt: Instant
    var updatedAt: Instant

    struct Amount: Encodable {
        var minorUnits: Int64
        var currency: String
    }

    init(_ order: Order) {
        orderId = order.orderId
        state = order.state
        productId = order.productId
        quantity = order.quantity
        recipient = order.recipient
        amount = Amount(minorUnits: order.amount, currency: order.unit)
        lines = order.quote.lines
        provider = order.provider
        refunded = order.refunded
        reason = order.state == .declined ? order.reason : nil
        createdAt = order.createdAt
        updatedAt = order.updatedAt
    }
}

/// A page of orders, newest first.
struct OrdersReply: Encodable {
    var orders: [OrderReply]
    /// Where the next page goes on; absent on the last one.
    var next: OrderID?

    init(_ orders: [Order], limit: Int) {
        self.orders = orders.map(OrderReply.init)
        next = orders.count == limit ? orders.last?.orderId : nil
    }
}

/// An order as operators see it.
struct StaffOrderReply: Encodable {
    var playerId: PlayerID
    var order: OrderReply
    /// The provider's name for the charge.
    var providerReference: String?
    var reason: String?
    var flag: String?
    var refundRequestedAt: Instant?

    private enum CodingKeys: String, CodingKey {
        case playerId, providerReference, reason, flag, refundRequestedAt
    }

    init(_ order: Order) {
        playerId = order.playerId
        self.order = OrderReply(order)
        providerReference = order.providerReference
        reason = order.reason
        flag = order.flag
        refundRequestedAt = order.refundRequestedAt
    }

    /// The order's own members with these beside them.
    func encode(to encoder: any Encoder) throws {
        try order.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(playerId, forKey: .playerId)
        try fields.encodeIfPresent(providerReference, forKey: .providerReference)
        try fields.encodeIfPresent(reason, forKey: .reason)
        try fields.encodeIfPresent(flag, forKey: .flag)
        try fields.encodeIfPresent(refundRequestedAt, forKey: .refundRequestedAt)
    }
}

/// A line of the ledger as the wallet's player sees it.
struct TransferReply: Encodable {
    var transferId: String
    var kind: Transfer.Kind
    /// What came into the wallet; negative where it left.
    var change: Int64
    var currency: String
    var orderId: OrderID?
    var createdAt: Instant

    init(_ transfer: Transfer, of player: PlayerID) {
        transferId = transfer.transferId
        kind = transfer.kind
        change = transfer.to == LedgerAccount.wallet(player).description ? transfer.amount : -transfer.amount
        currency = transfer.unit
        orderId = transfer.orderId
        createdAt = transfer.createdAt
    }
}
