import Accounts
import GameModel
import Hummingbird
import Store

/// Players' accounts, for operators: who they are, where they are logged in, what they bought and own.
struct PlayerPages: Sendable {
    static let foundMax = 50

    let door: ConsoleDoor
    let store: StoreService
    let accounts: AccountService

    static let list = ConsoleLink(text: "Players", href: "/console/players")

    func add(to console: RouterGroup<APIContext>) {
        console.get("players", use: door.page(for: [.operator], search))
        console.get("players/{id}", use: door.page(for: [.operator], show))
        PlayerActions(door: door, store: store, accounts: accounts).add(to: console)
    }

    static func path(_ id: PlayerID) -> String { "/console/players/\(ConsolePath.part(id.rawValue))" }

    // MARK: Finding one

    @Sendable private func search(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let text = visit.request.query("q") ?? ""
        var form = ConsoleForm(action: "/console/players", submit: "Search")
        form.isSearch = true
        form.fields = [.text("q", "E-mail address, name or id", text)]
        var page = ConsolePage(title: "Players")
        page.blocks = [.formBlock("search", form)]
        let found = try await accounts.accounts(matching: text, limit: Self.foundMax)
        page.blocks.append(
            .tableBlock(
                "players", caption: text.isEmpty ? "Accounts" : "Accounts that match",
                columns: ["Player", "E-mail address", "Role", "Since", "State"], rows: found.map(row),
                empty: "No account is like that."))
        if found.count == Self.foundMax { page.blocks[1].text = "More match: narrow the search." }
        return page
    }

    private func row(_ account: Account) -> [ConsoleCell] {
        [
            ConsoleCell(account.displayName, href: Self.path(account.playerId), note: account.playerId.rawValue),
            ConsoleCell(account.email ?? (account.deletedAt == nil ? "guest" : "none")),
            ConsoleCell(account.role.rawValue), ConsoleWords.cell(account.createdAt), Self.state(account),
        ]
    }

    private static func state(_ account: Account) -> ConsoleCell {
        if account.deletedAt != nil { return ConsoleCell("deleted", tone: .quiet) }
        if let reason = account.lockedReason { return ConsoleCell("locked", note: reason, tone: .bad) }
        return ConsoleCell("open", tone: .good)
    }

    // MARK: One player

    @Sendable private func show(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let account = try await accounts.account(try visit.id())
        let path = Self.path(account.playerId)
        var page = ConsolePage(title: account.displayName, trail: [Self.list])
        if account.deletedAt == nil {
            page.actions = [
                ConsoleLink(text: "Give a product", href: "\(path)/grant"),
                account.lockedReason == nil
                    ? .danger("Lock", "\(path)/lock") : ConsoleLink(text: "Unlock", href: "\(path)/unlock"),
            ]
        }
        let orders = try await store.orders.orders(OrderFilter(player: account.playerId, limit: 20))
        let names = try await AccountNames(of: orders.map(\.playerId.rawValue), in: accounts)
        page.blocks = [
            Self.facts(account), try await sessions(of: account), try await wallet(of: account),
            Self.table(of: try await store.inventory.entitlements(of: account.playerId)),
            OrderPages.table("orders", heading: "Orders", orders, names: names, empty: "Nothing was bought."),
            OrderPages.table(
                "history", heading: "History", of: try await store.inventory.history(of: account.playerId, limit: 20)),
        ]
        let more = ConsoleLink(
            text: "All orders", href: "/console/orders?player=\(ConsolePath.part(account.playerId.rawValue))")
        if orders.count == 20 { page.blocks[4].actions = [more] }
        return page
    }

    private static func facts(_ account: Account) -> ConsoleBlock {
        .factsBlock(
            "account",
            [
                ConsoleFact("Id", ConsoleCell.code(account.playerId.rawValue)), ConsoleFact("State", state(account)),
                ConsoleFact(
                    "E-mail address",
                    account.email ?? (account.isGuest ? "none: a guest, by device" : "none: deleted")),
                ConsoleFact("Role", account.role.rawValue), ConsoleFact("Since", ConsoleWords.cell(account.createdAt)),
                account.deletedAt.map { ConsoleFact("Deleted", ConsoleWords.cell($0)) },
            ])
    }

    private func sessions(of account: Account) async throws -> ConsoleBlock {
        let path = Self.path(account.playerId)
        let sessions = try await accounts.sessions(of: account.playerId)
        return .tableBlock(
            "sessions", heading: "Sessions", caption: "Where the player is logged in",
            columns: ["Client", "Address", "Since", "Last used", "End"],
            rows: sessions.map { session in
                [
                    ConsoleCell(session.agent ?? "unknown"), ConsoleCell(session.address),
                    ConsoleWords.cell(session.createdAt), ConsoleWords.cell(session.lastUsedAt),
                    ConsoleCell("Log out there", href: "\(path)/sessions/\(ConsolePath.part(session.id.rawValue))/end"),
                ]
            }, empty: "Logged in nowhere.",
            actions: sessions.isEmpty ? [] : [.danger("Log out everywhere", "\(path)/sessions/end")])
    }

    private func wallet(of account: Account) async throws -> ConsoleBlock {
        let balances = try await store.inventory.wallet(of: account.playerId)
        let transfers = try await store.inventory.transfers(of: account.playerId, limit: 20)
        var block = OrderPages.table(of: transfers, "Wallet")
        let words =
            balances.isEmpty ? "It is empty." : "It holds \(balances.map(\.description).joined(separator: ", "))."
        block.text = words
        return block
    }

    private static func table(of entitlements: [Entitlement]) -> ConsoleBlock {
        .tableBlock(
            "inventory", heading: "Inventory", caption: "What the player owns",
            columns: ["Product", .number("Left"), "From", "Order", "Since"],
            rows: entitlements.map { entitlement in
                [
                    ConsoleCell(entitlement.productId.rawValue),
                    ConsoleCell("\(entitlement.remaining) of \(entitlement.quantity)"),
                    ConsoleCell(entitlement.source.rawValue),
                    entitlement.orderId.map { .code($0.rawValue, href: OrderPages.path($0)) } ?? ConsoleCell("none"),
                    ConsoleWords.cell(entitlement.grantedAt),
                ]
            }, empty: "The player owns nothing.")
    }
}
