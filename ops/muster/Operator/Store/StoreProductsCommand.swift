import ArgumentParser
import GameModel
import Store

/// `muster store products`.
struct StoreProductsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "products",
        abstract: "See and edit products.",
        discussion: """
            Example:
              muster store products ls
              muster store products set frost-axe --name "Frost axe" --kind skin --price "4.99 EUR"
            """,
        subcommands: [
            StoreProductsListCommand.self, StoreProductsShowCommand.self, StoreProductsSetCommand.self,
            StoreProductsRemoveCommand.self,
        ])
}

/// `muster store products ls`.
struct StoreProductsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the products of the draft, or those that are published.",
        discussion: """
            The last column says how the draft differs from what is published; --json prints the products as \
            'set --file' takes them.

            Example:
              muster store products ls
              muster store products ls --published --json
            """)

    @OptionGroup var access: StoreAccess
    @Flag(help: "What players see, instead of the draft.") var published = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let (document, changes) = try await access.with { desk in
            let changes = try await desk.service.editor.changes()
            return (try await desk.document(isPublished: published), changes)
        }
        if json { return try StoreText.printJSON(document.products) }
        let marks = published ? DraftMarks([]) : DraftMarks(changes)
        let now = Instant.now
        var table = TextTable(["product", "kind", "name", "prices", "for sale", published ? "" : "draft"])
        for product in document.products {
            table.add([
                product.productId.rawValue, product.kind.rawValue, product.name, StoreText.prices(product),
                StoreText.sale(product, at: now), marks.text("product \(product.productId)"),
            ])
        }
        print(table.text)
    }
}

/// `muster store products show`.
struct StoreProductsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all of a product of the draft, or as it is published.",
        discussion: """
            Example:
              muster store products show skin-ember-knight
              muster store products show skin-ember-knight --json >ember.json
            """)

    @OptionGroup var access: StoreAccess
    @Argument(help: "The product's id.") var product: ProductID
    @Flag(help: "As players see it, instead of the draft.") var published = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let product = try await access.with { try await $0.product(self.product, isPublished: published) }
        if json { return try StoreText.printJSON(product) }
        print(Self.text(product))
    }

    static func text(_ product: Product) -> String {
        func list(_ items: [String]) -> String? { items.isEmpty ? nil : items.joined(separator: ", ") }
        return StoreText.facts([
            ("product", product.productId.rawValue), ("kind", product.kind.rawValue), ("name", product.name),
            ("description", product.description.isEmpty ? nil : product.description),
            ("prices", list(product.prices.map(\.description))),
            ("virtual prices", list(product.virtualPrices.map(\.description))),
            ("pieces", product.kind == .item ? "\(product.quantity)" : nil),
            ("credit", product.credit?.description),
            ("parts", list(product.parts.map { "\($0.quantity) × \($0.productId)" })),
            ("limit per player", product.limitPerPlayer.map(String.init)),
            ("sold from", product.availableFrom?.description), ("sold until", product.availableUntil?.description),
            ("picture", product.picture), ("active", product.isActive ? "yes" : "no"),
        ])
    }
}

/// `muster store products set`.
struct StoreProductsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Add a product to the draft, or change one.",
        discussion: """
            What is not given stays as it is in the draft. A list that is given takes the place of the whole list. \
            Orders that are there already keep the price they were made with.

            Example:
              muster store products set frost-axe --name "Frost axe" --kind skin --price "4.99 EUR" --price "5.49 USD"
              muster store products set gems-500 --name Gems --kind currency_pack --credit "500 gems" --price "5 EUR"
              muster store products set starter --name Starter --kind bundle --part frost-axe --part potion*3
              muster store products set frost-axe --until 2026-12-31 --clear picture
              muster store products set frost-axe --file axe.json
            """)

    @OptionGroup var access: StoreAccess
    @Argument(help: "The product's id.") var product: ProductID
    @OptionGroup var flags: ProductFlags
    @Option(help: ArgumentHelp("The whole product as JSON; - for standard input.", valueName: "file"))
    var file: InputFile?
    @Flag(help: "Print the product as JSON.") var json = false

    func validate() throws {
        if file != nil, !flags.isEmpty { throw ValidationError("Give --file or single fields, not both.") }
        if file == nil, flags.isEmpty { throw ValidationError("Give what is to be changed, or --file.") }
    }

    func run() async throws {
        let whole = try file.map { try ItemFile.product($0, id: product) }
        let (saved, isNew) = try await access.with { desk in
            let now = try await desk.service.editor.draft().products.first { $0.productId == product }
            let wanted = try whole ?? flags.applied(to: now, id: product)
            return (wanted, try await desk.service.editor.save(wanted, by: StoreAccess.editor))
        }
        if json { return try StoreText.printJSON(saved) }
        print(
            "\(isNew ? "added" : "saved") product \(product) in the draft; 'muster store publish' shows it to players")
    }
}

/// `muster store products rm`.
struct StoreProductsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Take a product out of the draft. What players own stays theirs.",
        discussion: """
            Example:
              muster store products rm frost-axe --yes
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The product's id.") var product: ProductID

    func run() async throws {
        try await access.with { desk in
            _ = try await desk.product(product, isPublished: false)
            try confirmation.require("Take product \(product) out of the draft?")
            try await desk.service.editor.remove(product: product, by: StoreAccess.editor)
        }
        print("product \(product) is no longer in the draft; 'muster store publish' takes it off sale")
    }
}

extension StoreDesk {
    /// What players see, or the draft.
    func document(isPublished: Bool) async throws(StoreError) -> CatalogDocument {
        guard isPublished else { return try await service.editor.draft() }
        return try await service.editor.versions(limit: 1).first?.document ?? CatalogDocument()
    }

    func product(_ id: ProductID, isPublished: Bool) async throws(StoreError) -> Product {
        guard let product = try await document(isPublished: isPublished).products.first(where: { $0.productId == id })
        else { throw .unknownProduct(id) }
        return product
    }

    func promotion(_ id: String, isPublished: Bool) async throws(StoreError) -> Promotion {
        guard
            let promotion = try await document(isPublished: isPublished).promotions
                .first(where: { $0.promotionId == id })
        else { throw .unknownPromotion(id) }
        return promotion
    }
}
