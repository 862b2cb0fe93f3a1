import GameModel
import Records
import Store

/// An order for programs: all of it but the means of payment.
struct OrderOutput: Encodable {
    let orderId: OrderID
    let playerId: PlayerID
    let recipient: PlayerID?
    let productId: ProductID
    let quantity: Int
    let state: OrderState
    let amount: Int64
    let unit: String
    let refunded: Int64
    let provider: String?
    let providerReference: String?
    let reason: String?
    let flag: String?
    let refundRequestedAt: Instant?
    let createdAt: Instant
    let updatedAt: Instant

    init(_ order: Order) {
        orderId = order.orderId
        playerId = order.playerId
        recipient = order.recipient
        productId = order.productId
        quantity = order.quantity
        state = order.state
        amount = order.amount
        unit = order.unit
        refunded = order.refunded
        provider = order.provider
        providerReference = order.providerReference
        reason = order.reason
        flag = order.flag
        refundRequestedAt = order.refundRequestedAt
        createdAt = order.createdAt
        updatedAt = order.updatedAt
    }
}

/// A line of the ledger for programs.
struct TransferOutput: Encodable {
    let transferId: String
    let orderId: OrderID?
    let kind: Transfer.Kind
    let from: String
    let to: String
    let amount: Int64
    let unit: String
    let reference: String
    let createdAt: Instant

    init(_ transfer: Transfer) {
        transferId = transfer.transferId
        orderId = transfer.orderId
        kind = transfer.kind
        from = transfer.from
        to = transfer.to
        amount = transfer.amount
        unit = transfer.unit
        reference = transfer.reference
        createdAt = transfer.createdAt
    }
}

/// Orders and transfers for people.
enum OrderText {
    /// What a person should know of an order besides its state.
    static func note(_ order: Order) -> String {
        let asked = order.refundRequestedAt != nil && order.state != .refunded ? "refund asked for" : nil
        return [order.recipient.map { "gift to \($0)" }, order.reason, order.flag, asked].compactMap { $0 }
            .joined(separator: "; ")
    }

    static func transfers(_ transfers: [Transfer]) -> String {
        var table = TextTable(["transfer", "when", "from", "to", "amount", "reference"], right: [4])
        for transfer in transfers {
            table.add([
                transfer.kind.rawValue, transfer.createdAt.description, transfer.from, transfer.to,
                StoreText.amount(transfer.amount, transfer.unit), transfer.reference,
            ])
        }
        return table.text
    }
}
