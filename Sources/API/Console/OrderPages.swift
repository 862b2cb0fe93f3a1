import Accounts
import GameModel
import Hummingbird
import Store

/// What was bought, and what became of it: for operators, who give back and decide what the machine could not.
struct OrderPages: Sendable {
    static let pageMax = 50

    let door: ConsoleDoor
    let store: StoreService
    let accounts: AccountService

    private static let list = ConsoleLink(text: "Orders", href: "/console/orders")

    func add(to console: RouterGroup<APIContext>) {
        console.get("orders", use: door.page(for: [.operator], all))
        console.get("orders/{id}", use: door.page(for: [.operator], show))
        console.get("orders/{id}/refund", use: door.page(for: [.operator]) { refundForm(try await order($0)) })
        console.post("orders/{id}/refund", use: door.form(for: [.operator], refund))
        console.get("orders/{id}/resolve", use: door.page(for: [.operator]) { resolveForm(try await order($0)) })
        console.post("orders/{id}/resolve", use: door.form(for: [.operator], resolve))
    }

    static func path(_ id: OrderID) -> String { "/console/orders/\(ConsolePath.part(id.rawValue))" }

    private func order(_ visit: ConsoleVisit) async throws -> Order { try await store.orders.order(try visit.id()) }

    // MARK: The list

    @Sendable private func all(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let (state, player) = (visit.request.query("state") ?? "", visit.request.query("player") ?? "")
        let product = visit.request.query("product") ?? ""
        var filter = OrderFilter(limit: Self.pageMax)
        filter.states = OrderState(rawValue: state).map { [$0] }
        filter.player = PlayerID(rawValue: player)
        filter.productId = ProductID(rawValue: product)
        filter.before = visit.request.query("before").flatMap(OrderID.init(rawValue:))
        let orders = try await store.orders.orders(filter)
        let names = try await AccountNames(of: orders.map(\.playerId.rawValue), in: accounts)
        var page = ConsolePage(title: "Orders")
        page.blocks = [
            .formBlock("filter", Self.filter(state: state, player: player, product: product)),
            Self.table("orders", orders, names: names, empty: "No order is like that."),
        ]
        if orders.count == Self.pageMax, let last = orders.last {
            let query = [("state", state), ("player", player), ("product", product), ("before", last.orderId.rawValue)]
                .filter { !$0.1.isEmpty }.map { "\($0.0)=\(ConsolePath.part($0.1))" }.joined(separator: "&")
            page.blocks[1].actions = [ConsoleLink(text: "Older orders", href: "/console/orders?\(query)")]
        }
        return page
    }

    private static func filter(state: String, player: String, product: String) -> ConsoleForm {
        var form = ConsoleForm(action: "/console/orders", submit: "Filter")
        form.isSearch = true
        let states = OrderState.allCases.map { ($0.rawValue, ConsoleWords.words($0)) }
        form.fields = [
            .select("state", "State", state, [("", "any")] + states), .text("player", "Player’s id", player),
            .text("product", "Product’s id", product),
        ]
        return form
    }

    /// Orders as a table; `names` of the players who pay.
    static func table(_ id: String, heading: String? = nil, _ orders: [Order], names: AccountNames, empty: String)
        -> ConsoleBlock
    {
        .tableBlock(
            id, heading: heading, caption: "Orders, newest first",
            columns: ["Order", "Placed", "Player", "Product", .number("Total"), "State"],
            rows: orders.map { order in
                var player = names.cell(order.playerId.rawValue)
                player.href = PlayerPages.path(order.playerId)
                let product = order.quantity == 1 ? "\(order.productId)" : "\(order.productId) × \(order.quantity)"
                var state = ConsoleWords.cell(order.state)
                state.note = order.reason
                return [
                    .code(order.orderId.rawValue, href: path(order.orderId)), ConsoleWords.cell(order.createdAt),
                    player,
                    ConsoleCell(product), ConsoleCell(ConsoleWords.amount(order.amount, order.unit)), state,
                ]
            }, empty: empty)
    }

    // MARK: One order

    @Sendable private func show(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let order = try await order(visit)
        let people = [order.playerId, order.owner].map(\.rawValue)
        let names = try await AccountNames(of: people, in: accounts)
        var page = ConsolePage(title: "Order \(order.orderId)", trail: [Self.list])
        if order.state == .paid || order.state == .review {
            page.actions.append(.danger("Refund", "\(Self.path(order.orderId))/refund"))
        }
        if order.state == .review { page.actions.append(.primary("Resolve", "\(Self.path(order.orderId))/resolve")) }
        page.blocks = [
            facts(order, names: names), Self.lines(of: order),
            Self.table(of: try await store.orders.transfers(of: order.orderId)), try await entitlements(of: order),
        ]
        return page
    }

    private func facts(_ order: Order, names: AccountNames) -> ConsoleBlock {
        func player(_ id: PlayerID) -> ConsoleCell {
            var cell = names.cell(id.rawValue)
            cell.href = PlayerPages.path(id)
            return cell
        }
        let product = order.quantity == 1 ? "\(order.productId)" : "\(order.productId) × \(order.quantity)"
        let rows: [ConsoleFact?] = [
            ConsoleFact("State", ConsoleWords.cell(order.state)), ConsoleFact("Reason", order.reason),
            ConsoleFact("To know besides", order.flag), ConsoleFact("Player", player(order.playerId)),
            order.recipient.map { ConsoleFact("A gift for", player($0)) }, ConsoleFact("Product", product as String?),
            ConsoleFact("Total", ConsoleCell(ConsoleWords.amount(order.amount, order.unit))),
            order.refunded == 0
                ? nil : ConsoleFact("Given back", ConsoleCell(ConsoleWords.amount(order.refunded, order.unit))),
            ConsoleFact("Paid by", ConsoleCell(order.provider ?? "wallet")),
            order.providerReference.map { ConsoleFact("Charge", ConsoleCell.code($0)) },
            order.refundRequestedAt.map { ConsoleFact("Refund asked for", ConsoleWords.cell($0)) },
            ConsoleFact("Placed", ConsoleWords.cell(order.createdAt)),
            ConsoleFact("Changed", ConsoleWords.cell(order.updatedAt)),
        ]
        return .factsBlock("order", rows)
    }

    private static func lines(of order: Order) -> ConsoleBlock {
        var rows = order.quote.lines.map { line -> [ConsoleCell] in
            [
                ConsoleCell(line.text, note: line.kind == .refused ? "not applied" : nil),
                ConsoleCell(ConsoleWords.amount(line.amount, order.unit)),
            ]
        }
        rows.append([ConsoleCell("Total"), ConsoleCell(ConsoleWords.amount(order.amount, order.unit))])
        return .tableBlock(
            "quote", heading: "Price",
            caption: "How the total came about, by catalog version \(order.quote.catalogVersion)",
            columns: ["Line", .number("Amount")], rows: rows, empty: "")
    }

    static func table(of transfers: [Transfer], _ heading: String = "Transfers") -> ConsoleBlock {
        .tableBlock(
            "transfers", heading: heading, caption: "Lines of the ledger",
            columns: ["Kind", "From", "To", .number("Amount"), "Reference", "When"],
            rows: transfers.map { transfer in
                [
                    ConsoleCell(transfer.kind.rawValue), .code(transfer.from), .code(transfer.to),
                    ConsoleCell(ConsoleWords.amount(transfer.amount, transfer.unit)), .code(transfer.reference),
                    ConsoleWords.cell(transfer.createdAt),
                ]
            }, empty: "Nothing was booked.")
    }

    private func entitlements(of order: Order) async throws -> ConsoleBlock {
        let events = try await store.inventory.history(of: order.owner, limit: 200)
        let held = try await store.inventory.entitlements(of: order.owner).filter { $0.orderId == order.orderId }
        let ids = Set(held.map(\.entitlementId)).union(
            events.filter { $0.reference == order.orderId.rawValue }.map(\.entitlementId))
        return Self.table("entitlements", heading: "Entitlements", of: events.filter { ids.contains($0.entitlementId) })
    }

    static func table(_ id: String, heading: String, of events: [EntitlementEvent]) -> ConsoleBlock {
        .tableBlock(
            id, heading: heading, caption: "What happened to entitlements, newest first",
            columns: ["Product", "What", .number("Pieces"), "Because of", "When"],
            rows: events.map { event in
                [
                    ConsoleCell(event.productId.rawValue), ConsoleCell(event.kind.rawValue),
                    ConsoleCell(event.change > 0 ? "+\(event.change)" : String(event.change)), .code(event.reference),
                    ConsoleWords.cell(event.at),
                ]
            }, empty: "Nothing was given.")
    }

    // MARK: Giving back

    private func refundForm(_ order: Order, reason: String = "", problems: [String: String] = [:]) -> ConsolePage {
        let path = Self.path(order.orderId)
        var page = ConsolePage(
            title: "Refund this order?",
            lead: "\(ConsoleWords.amount(order.amount - order.refunded, order.unit)) go back to where they came from, "
                + "and what was bought is taken back.",
            trail: [Self.list, ConsoleLink(text: "Order \(order.orderId)", href: path)])
        var form = ConsoleForm(
            action: "\(path)/refund", submit: "Refund",
            cancel: ConsoleLink(text: "Don’t", href: path), isDanger: true)
        form.fields = [.text("reason", "Reason", reason, hint: "For the change log.", required: true)]
        form.problemsHeading = "Nothing was refunded"
        form.add(problems)
        page.blocks = [.formBlock("refund", form)]
        return page
    }

    @Sendable private func refund(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let order = try await order(visit)
        let reason = visit.body["reason"]
        guard !reason.isEmpty else { return .again(refundForm(order, problems: ["reason": "Enter a reason."])) }
        do {
            _ = try await store.orders.requestRefund(order.orderId, reason: reason, by: visit.editor)
        } catch {
            guard let problems = error.formProblem else { throw error }
            return .again(refundForm(order, reason: reason, problems: problems))
        }
        return .seeOther(Self.path(order.orderId), .refundAsked)
    }

    // MARK: Deciding

    private func resolveForm(
        _ order: Order, state: String = OrderState.declined.rawValue, charged: String? = nil, reason: String = "",
        problems: [String: String] = [:]
    ) -> ConsolePage {
        let path = Self.path(order.orderId)
        var page = ConsolePage(
            title: "Resolve this order",
            lead: "It is in review: \(order.reason ?? "the provider’s answer did not fit"). Look at the charge first.",
            trail: [Self.list, ConsoleLink(text: "Order \(order.orderId)", href: path)])
        var form = ConsoleForm(
            action: "\(path)/resolve", submit: "Resolve", cancel: ConsoleLink(text: "Not yet", href: path),
            isDanger: true)
        form.fields = [
            .select(
                "state", "Verdict", state,
                [
                    (OrderState.declined.rawValue, "declined: close it, give nothing"),
                    (OrderState.paid.rawValue, "paid: give what was bought, book what was charged"),
                ]),
            .text(
                "charged", "Charged", charged ?? order.money?.description ?? "",
                hint: "What the provider charged, as 4.99 EUR: this is booked for paid."),
            .text("reason", "Reason", reason, hint: "For the change log.", required: true),
        ]
        form.problemsHeading = "Nothing was decided"
        form.add(problems)
        page.blocks = [.formBlock("resolve", form)]
        return page
    }

    @Sendable private func resolve(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let order = try await order(visit)
        var reader = FieldReader(visit.body)
        let state = reader.choice("state", OrderState.self)
        let reason = reader.required("reason", "a reason")
        let charged = reader.money("charged").first
        func again(_ problems: [String: String]) -> ConsoleAnswer {
            .again(
                resolveForm(
                    order, state: visit.body["state"], charged: visit.body["charged"], reason: reason,
                    problems: problems))
        }
        guard let state, reader.problems.isEmpty else { return again(reader.problems) }
        do {
            _ = try await store.orders.resolve(
                order.orderId, as: state, reason: reason, charged: charged, by: visit.editor)
        } catch {
            guard let problems = error.formProblem else { throw error }
            return again(problems)
        }
        return .seeOther(Self.path(order.orderId), .resolved)
    }
}
