import GameModel
import Records
import Store

/// All that is known of an order.
struct OrderFile: Encodable {
    let order: Order
    let transfers: [Transfer]
    /// What it gave and what became of that, oldest first.
    let events: [EntitlementEvent]
    /// Decisions of people, oldest first.
    let changes: [ChangeLog.Change]

    private enum CodingKeys: CodingKey { case order, quote, transfers, entitlements, changes }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(OrderOutput(order), forKey: .order)
        try fields.encode(order.quote, forKey: .quote)
        try fields.encode(transfers.map(TransferOutput.init), forKey: .transfers)
        try fields.encode(events, forKey: .entitlements)
        try fields.encode(changes, forKey: .changes)
    }

    var text: String {
        let refunded = order.refunded > 0 ? StoreText.amount(order.refunded, order.unit) : nil
        var parts = [
            StoreText.facts([
                ("order", order.orderId.rawValue), ("state", order.state.rawValue), ("reason", order.reason),
                ("flag", order.flag), ("player", order.playerId.rawValue), ("gift to", order.recipient?.rawValue),
                ("product", "\(order.quantity) × \(order.productId), catalog version \(order.quote.catalogVersion)"),
                ("paid by", order.provider ?? "wallet"), ("charge", order.providerReference),
                ("refunded", refunded), ("refund asked for", order.refundRequestedAt?.description),
                ("placed", order.createdAt.description), ("changed", order.updatedAt.description),
            ]), quote,
        ]
        if !transfers.isEmpty { parts.append(OrderText.transfers(transfers)) }
        if !events.isEmpty { parts.append(Self.history(events)) }
        if !changes.isEmpty {
            var table = TextTable(["decided", "when", "by", "why"])
            for change in changes {
                table.add([
                    change.action, Instant(milliseconds: change.at).description, change.by, change.after ?? "",
                ])
            }
            parts.append(table.text)
        }
        return parts.joined(separator: "\n\n")
    }

    private var quote: String {
        var table = TextTable(["price", "amount"], right: [1])
        for line in order.quote.lines { table.add([line.text, StoreText.amount(line.amount, order.unit)]) }
        table.add(["total", StoreText.amount(order.amount, order.unit)])
        return table.text
    }

    private static func history(_ events: [EntitlementEvent]) -> String {
        var table = TextTable(["given", "when", "product", "pieces", "reference"], right: [3])
        for event in events {
            table.add([
                event.kind.rawValue, event.at.description, event.productId.rawValue,
                event.change > 0 ? "+\(event.change)" : "\(event.change)", event.reference,
            ])
        }
        return table.text
    }
}

extension StoreDesk {
    /// How far back in a player's history an order's entitlements are looked for.
    private static let eventsMax = InventoryService.listedRange.upperBound

    func file(of id: OrderID) async throws -> OrderFile {
        let order = try await service.orders.order(id)
        let history = try await service.inventory.history(of: order.owner, limit: Self.eventsMax)
        let given = Set(history.filter { $0.kind == .granted && $0.reference == id.rawValue }.map(\.entitlementId))
        return OrderFile(
            order: order, transfers: try await service.orders.transfers(of: id),
            events: history.filter { given.contains($0.entitlementId) }.reversed(),
            changes: try await changes.changes(subject: "order \(id)", limit: 100).reversed())
    }
}
