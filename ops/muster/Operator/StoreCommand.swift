import ArgumentParser
import Foundation
import GameData

/// `muster store`: what can be bought.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "See and change what can be bought.",
        discussion: """
            Example:
              muster store products ls
              muster store products set skin-ember --name "Ember" --price 499 --currency EUR
            """,
        subcommands: [ProductsCommand.self])
}

/// `muster store products`.
struct ProductsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "products",
        abstract: "See and change products.",
        discussion: """
            Example:
              muster store products ls
            """,
        subcommands: [ProductsListCommand.self, ProductsSetCommand.self])
}

/// `muster store products ls`.
struct ProductsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the products with their prices.",
        discussion: """
            Example:
              muster store products ls --json
            """)

    @OptionGroup var access: APIAccess
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let reply = try await access.send(.get, "/v1/store/products")
        if json { return print(try reply.pretty()) }
        var table = TextTable(["product", "kind", "name", "price", "now"], right: [3, 4])
        for product in reply["products"]?.list ?? [] {
            table.add([
                product["productId"]?.text ?? "", product["kind"]?.text ?? "", product["name"]?.text ?? "",
                PriceText.of(product["price"]), PriceText.of(product["finalPrice"]),
            ])
        }
        print(table.text)
    }
}

/// `muster store products set`.
struct ProductsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Make a product, or change one.",
        discussion: """
            Orders that are there already keep the price they were made with.

            Example:
              muster store products set skin-ember --name "Ember" --kind skin --price 499 --currency EUR
            """)

    @OptionGroup var access: APIAccess
    @Argument(help: "The product's id.") var product: String
    @Option(help: "What players read.") var name: String
    @Option(help: "What it is, like skin.") var kind = "skin"
    @Option(help: "The price in minor units: 499 is 4.99 EUR.") var price: Int64
    @Option(help: "EUR, USD, GBP or JPY.") var currency = "EUR"
    @Flag(inversion: .prefixedNo, help: "Whether it can be bought.") var active = true

    func run() async throws {
        let reply = try await access.send(
            .put, "/v1/dev/products/\(APIAccess.pathPart(product))",
            body: [
                "name": .string(name), "kind": .string(kind), "active": .bool(active),
                "price": .object(["minorUnits": .integer(price), "currency": .string(currency.uppercased())]),
            ])
        print(try reply.pretty())
    }
}
