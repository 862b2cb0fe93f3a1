import Accounts
import ArgumentParser
import GameData
import GameModel
import Store

/// `muster accounts export`.
struct AccountsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print everything held about a person as JSON, for that person.",
        discussion: """
            Account, sessions, devices, edits, orders, entitlements with their newest 500 events, wallet and \
            standing. Matches and the wallet's transfers are not in it: GET /v1/accounts/me/export has them. Never a \
            secret: no hash of a password, no means of payment.

            Example:
              muster accounts export ada@example.com > ada.json
            """)

    @OptionGroup var access: AccountsAccess
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Flag(help: "Print JSON, which is all that it does.") var json = false

    /// An order as its buyer knows it.
    private struct OrderLine: Encodable {
        let orderId: OrderID
        let productId: ProductID
        let quantity: Int
        let recipient: PlayerID?
        let state: OrderState
        let amount: Int64
        let unit: String
        let refunded: Int64
        let createdAt: Instant

        init(_ order: Order) {
            orderId = order.orderId
            productId = order.productId
            quantity = order.quantity
            recipient = order.recipient
            state = order.state
            amount = order.amount
            unit = order.unit
            refunded = order.refunded
            createdAt = order.createdAt
        }
    }

    private struct Output: Encodable {
        let account: AccountExport
        let orders: [OrderLine]
        let entitlements: [Entitlement]
        let entitlementEvents: [EntitlementEvent]
        let wallet: [VirtualMoney]
        let player: PlayerProfile?
    }

    func run() async throws {
        let output = try await access.with { desk in
            let player = try await desk.accounts.account(named: account).playerId
            let limit = InventoryService.listedRange.upperBound
            return Output(
                account: try await desk.accounts.export(player),
                orders: try await orders(of: player, in: desk.store).map(OrderLine.init),
                entitlements: try await desk.store.inventory.entitlements(of: player),
                entitlementEvents: try await desk.store.inventory.history(of: player, limit: limit),
                wallet: try await desk.store.inventory.wallet(of: player),
                player: try await desk.players.profile(player))
        }
        try JobJSON.print(output)
    }

    private func orders(of player: PlayerID, in store: StoreService) async throws -> [Order] {
        let limit = OrderService.listedRange.upperBound
        var found: [Order] = []
        while true {
            let page = try await store.orders.orders(
                OrderFilter(player: player, before: found.last?.orderId, limit: limit))
            found += page
            if page.count < limit { return found }
        }
    }
}

/// `muster accounts delete`.
struct AccountsDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a person's data: e-mail address, name, password, devices, sessions.",
        discussion: """
            Cannot be undone. Orders, matches and the player's id stay, without the person. A deletion that was cut \
            short is carried through by asking again.

            Example:
              muster accounts delete ada@example.com
            """)

    @OptionGroup var access: AccountsAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The player's id or e-mail address.") var account: String

    func run() async throws {
        let player = try await access.with { desk in
            let found = try await desk.accounts.account(named: account)
            if found.deletedAt == nil {
                try confirmation.require("Delete the data of \(AccountText.name(found)) for good?")
            }
            // The account goes last: what is cut short leaves it, to be found by its address again.
            try await desk.store.orders.anonymise(found.playerId)
            if try await desk.players.profile(found.playerId) != nil {
                try await desk.players.upsert(found.playerId, displayName: Account.deletedName)
            }
            if found.deletedAt == nil {
                try await desk.accounts.delete(found.playerId, by: AccountsAccess.editor)
            }
            return found.playerId
        }
        print("the data of \(player) are deleted")
    }
}
