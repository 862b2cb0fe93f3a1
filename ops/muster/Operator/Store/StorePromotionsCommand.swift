import ArgumentParser
import GameModel
import Store

/// `muster store promotions`.
struct StorePromotionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promotions",
        abstract: "See and edit promotions: discounts for a while, for everyone or by a code.",
        discussion: """
            Example:
              muster store promotions ls
              muster store promotions set launch --percent 25 --product frost-axe --hours 48
            """,
        subcommands: [
            StorePromotionsListCommand.self, StorePromotionsShowCommand.self, StorePromotionsSetCommand.self,
            StorePromotionsRemoveCommand.self,
        ])
}

/// `muster store promotions ls`.
struct StorePromotionsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the promotions of the draft, or those that are published.",
        discussion: """
            Example:
              muster store promotions ls
              muster store promotions ls --published --json
            """)

    @OptionGroup var access: StoreAccess
    @Flag(help: "What is published, instead of the draft.") var published = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let (document, changes) = try await access.with { desk in
            let changes = try await desk.service.editor.changes()
            return (try await desk.document(isPublished: published), changes)
        }
        if json { return try StoreText.printJSON(document.promotions) }
        let marks = published ? DraftMarks([]) : DraftMarks(changes)
        let now = Instant.now
        var table = TextTable(
            ["promotion", "off", "products", "code", "holds", "stacking", published ? "" : "draft"])
        for promotion in document.promotions {
            table.add([
                promotion.promotionId, StoreText.discount(promotion),
                promotion.productIds.isEmpty ? "all" : promotion.productIds.map(\.rawValue).joined(separator: " "),
                promotion.code ?? "-", StoreText.window(promotion, at: now), promotion.stacking.rawValue,
                marks.text("promotion \(promotion.promotionId)"),
            ])
        }
        print(table.text)
    }
}

/// `muster store promotions show`.
struct StorePromotionsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all of a promotion of the draft, or as it is published.",
        discussion: """
            Example:
              muster store promotions show launch --json
            """)

    @OptionGroup var access: StoreAccess
    @Argument(help: "The promotion's id.") var promotion: String
    @Flag(help: "As it is published, instead of the draft.") var published = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let promotion = try await access.with { try await $0.promotion(self.promotion, isPublished: published) }
        if json { return try StoreText.printJSON(promotion) }
        let products = promotion.productIds.map(\.rawValue).joined(separator: ", ")
        print(
            StoreText.facts([
                ("promotion", promotion.promotionId), ("name", promotion.name),
                ("products", products.isEmpty ? "all" : products), ("off", StoreText.discount(promotion)),
                ("code", promotion.code), ("from", promotion.startsAt.description),
                ("until", promotion.endsAt.description),
                ("limit per player", promotion.limitPerPlayer.map(String.init)),
                ("limit of all", promotion.limitTotal.map(String.init)), ("stacking", promotion.stacking.rawValue),
            ]))
    }
}

/// `muster store promotions set`.
struct StorePromotionsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Add a promotion to the draft, or change one.",
        discussion: """
            A new one needs --percent or --off, and --until or --hours; it begins now, or at --from. What is not \
            given stays as it is.

            Example:
              muster store promotions set launch --percent 25 --product frost-axe --hours 48
              muster store promotions set winter --off "1 EUR" --off "1.10 USD" --code FROST-10 --until 2027-01-06
              muster store promotions set launch --clear product --stacking stackable
            """)

    @OptionGroup var access: StoreAccess
    @Argument(help: "The promotion's id.") var promotion: String
    @OptionGroup var flags: PromotionFlags
    @Option(help: ArgumentHelp("The whole promotion as JSON; - for standard input.", valueName: "file"))
    var file: InputFile?
    @Flag(help: "Print the promotion as JSON.") var json = false

    func validate() throws {
        if file != nil, !flags.isEmpty { throw ValidationError("Give --file or single fields, not both.") }
        if file == nil, flags.isEmpty { throw ValidationError("Give what is to be changed, or --file.") }
    }

    func run() async throws {
        let whole = try file.map { try ItemFile.promotion($0, id: promotion) }
        let (saved, isNew) = try await access.with { desk in
            let now = try await desk.service.editor.draft().promotions.first { $0.promotionId == promotion }
            let wanted = try whole ?? flags.applied(to: now, id: promotion, at: .now)
            return (wanted, try await desk.service.editor.save(wanted, by: StoreAccess.editor))
        }
        if json { return try StoreText.printJSON(saved) }
        print(
            "\(isNew ? "added" : "saved") promotion \(promotion) in the draft; 'muster store publish' puts it in force")
    }
}

/// `muster store promotions rm`.
struct StorePromotionsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Take a promotion out of the draft.",
        discussion: """
            Example:
              muster store promotions rm launch --yes
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The promotion's id.") var promotion: String

    func run() async throws {
        try await access.with { desk in
            _ = try await desk.promotion(promotion, isPublished: false)
            try confirmation.require("Take promotion \(promotion) out of the draft?")
            try await desk.service.editor.remove(promotion: promotion, by: StoreAccess.editor)
        }
        print("promotion \(promotion) is no longer in the draft; 'muster store publish' ends it")
    }
}
