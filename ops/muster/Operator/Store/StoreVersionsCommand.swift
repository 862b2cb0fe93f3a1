import ArgumentParser
import GameModel
import Store

/// `muster store versions`.
struct StoreVersionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "See what was published when, and go back to it.",
        discussion: """
            Example:
              muster store versions ls
              muster store versions revert 3 --yes
            """,
        subcommands: [
            StoreVersionsListCommand.self, StoreVersionsShowCommand.self, StoreVersionsRevertCommand.self,
        ])
}

/// `muster store versions ls`.
struct StoreVersionsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the published versions, the newest first.",
        discussion: """
            Example:
              muster store versions ls --limit 5 --json
            """)

    @OptionGroup var access: StoreAccess
    @Option(help: "At most so many, 1 to 100.") var limit = 20
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...CatalogEditor.versionsMax).contains(limit) else {
            throw ValidationError("--limit takes 1 to \(CatalogEditor.versionsMax), not \(limit).")
        }
    }

    func run() async throws {
        let versions = try await access.with { try await $0.service.editor.versions(limit: limit) }
        if json { return try StoreText.printJSON(versions.map(VersionLine.init)) }
        var table = TextTable(["version", "published", "by", "products", "promotions", "note"], right: [0, 3, 4])
        for version in versions {
            table.add([
                "\(version.version)", version.publishedAt.description, version.publishedBy,
                "\(version.document.products.count)", "\(version.document.promotions.count)", version.note,
            ])
        }
        print(table.text)
    }
}

/// `muster store versions show`.
struct StoreVersionsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a version sold.",
        discussion: """
            Example:
              muster store versions show 3
              muster store versions show 3 --json
            """)

    @OptionGroup var access: StoreAccess
    @Argument(help: "The version's number.") var version: Int
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let version = try await access.with { try await $0.service.editor.version(self.version) }
        if json { return try StoreText.printJSON(version) }
        var products = TextTable(["product", "kind", "name", "prices"])
        for product in version.document.products {
            products.add([
                product.productId.rawValue, product.kind.rawValue, product.name, StoreText.prices(product),
            ])
        }
        var parts = [
            StoreText.facts([
                ("version", "\(version.version)"), ("published", version.publishedAt.description),
                ("by", version.publishedBy), ("note", version.note),
            ]), products.text,
        ]
        if !version.document.promotions.isEmpty {
            var promotions = TextTable(["promotion", "off", "code", "from", "until"])
            for promotion in version.document.promotions {
                promotions.add([
                    promotion.promotionId, StoreText.discount(promotion), promotion.code ?? "-",
                    promotion.startsAt.description, promotion.endsAt.description,
                ])
            }
            parts.append(promotions.text)
        }
        print(parts.joined(separator: "\n\n"))
    }
}

/// `muster store versions revert`.
struct StoreVersionsRevertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Put an earlier version in the draft's place.",
        discussion: """
            Edits of the draft that were not published are lost. Players see nothing of it until it is published.

            Example:
              muster store versions revert 3
              muster store publish --note "Back to version 3"
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The version's number.") var version: Int

    func run() async throws {
        try await access.with { desk in
            let editor = desk.service.editor
            let document = try await editor.version(version).document
            let open = try await editor.changes()
            let lost = open.isEmpty ? "" : " These changes of it would be lost:\n\(StoreText.changes(open))\n"
            try confirmation.require("Put version \(version) in the draft's place?\(lost)")
            try await editor.replaceDraft(with: document, by: StoreAccess.editor)
        }
        print("the draft is version \(version) again; 'muster store publish' shows it to players")
    }
}
