import ArgumentParser
import GameModel
import Store

/// `muster store wallet`.
struct StoreWalletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet",
        abstract: "Show what a player owns: the wallet with its last transfers, skins and items.",
        discussion: """
            Example:
              muster store wallet 01KDF3M8Y2V1B7N4QZ6T5R9X0C
              muster store wallet 01KDF3M8Y2V1B7N4QZ6T5R9X0C --json
            """)

    struct Output: Encodable {
        let playerId: PlayerID
        let balances: [VirtualMoney]
        let transfers: [TransferOutput]
        let entitlements: [Entitlement]
    }

    @OptionGroup var access: StoreAccess
    @Argument(help: "The player's id.") var player: String
    @Option(help: "At most so many transfers, 1 to 500.") var limit = 20
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard InventoryService.listedRange.contains(limit) else {
            throw ValidationError("--limit takes 1 to \(InventoryService.listedRange.upperBound), not \(limit).")
        }
    }

    func run() async throws {
        let (player, balances, transfers, entitlements) = try await access.with { desk in
            let (id, inventory) = (try await desk.player(self.player), desk.service.inventory)
            return (
                id, try await inventory.wallet(of: id), try await inventory.transfers(of: id, limit: limit),
                try await inventory.entitlements(of: id)
            )
        }
        if json {
            return try StoreText.printJSON(
                Output(
                    playerId: player, balances: balances, transfers: transfers.map(TransferOutput.init),
                    entitlements: entitlements))
        }
        var parts = [
            balances.isEmpty
                ? "the wallet is empty"
                : StoreText.facts(balances.map { ($0.currency, String($0.amount)) })
        ]
        if !transfers.isEmpty { parts.append(OrderText.transfers(transfers)) }
        if !entitlements.isEmpty {
            var table = TextTable(["product", "left", "of", "by", "since"], right: [1, 2])
            for entitlement in entitlements {
                table.add([
                    entitlement.productId.rawValue, "\(entitlement.remaining)", "\(entitlement.quantity)",
                    entitlement.orderId.map { "order \($0)" } ?? entitlement.source.rawValue,
                    entitlement.grantedAt.description,
                ])
            }
            parts.append(table.text)
        }
        print(parts.joined(separator: "\n\n"))
    }
}

/// `muster store grant`.
struct StoreGrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Give a player a product without an order.",
        discussion: """
            A product of the published catalog; a currency pack goes to the wallet. Given again with the same \
            --reference, nothing happens a second time.

            Example:
              muster store grant 01KDF3M8Y2V1B7N4QZ6T5R9X0C skin-ember-knight --reference "winner of cup 4"
              muster store grant 01KDF3M8Y2V1B7N4QZ6T5R9X0C gems-500 --quantity 2 --reference "support case 812" --yes
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The player's id.") var player: String
    @Argument(help: "The product's id.") var product: ProductID
    @Option(help: "How many purchases' worth.") var quantity = 1
    @Option(help: "Why, unique for each grant: 1 to 200 characters.") var reference: String

    func run() async throws {
        try await access.with { desk in
            let id = try await desk.recipient(player)
            _ = try await desk.product(product, isPublished: true)
            try confirmation.require("Give player \(id) \(quantity) × \(product)?")
            try await desk.service.inventory.grant(
                product, quantity: quantity, to: id, reference: reference, by: StoreAccess.editor)
        }
        print("player \(player) has \(quantity) × \(product), by \"\(reference)\"")
    }
}
