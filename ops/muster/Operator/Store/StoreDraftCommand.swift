import ArgumentParser
import GameModel
import Store

/// `muster store draft`.
struct StoreDraftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draft",
        abstract: "Show what publishing the draft would change, and what keeps it from being published.",
        discussion: """
            Exits with 1 where something keeps it from being published.

            Example:
              muster store draft
              muster store draft --json
            """)

    struct Output: Encodable {
        let changes: [CatalogChange]
        let problems: [String]
    }

    @OptionGroup var access: StoreAccess
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let draft = try await access.with { desk in
            Output(
                changes: try await desk.service.editor.changes(),
                problems: try await desk.service.editor.problems())
        }
        if json {
            try StoreText.printJSON(draft)
        } else {
            print(draft.changes.isEmpty ? "the draft is what is published" : StoreText.changes(draft.changes))
            if !draft.problems.isEmpty {
                print("\nit can't be published:\n" + draft.problems.map { "  \($0)" }.joined(separator: "\n"))
            }
        }
        if !draft.problems.isEmpty { throw ExitCode.failure }
    }
}

/// `muster store publish`.
struct StorePublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Make the draft the next version of the catalog, for all players.",
        discussion: """
            Players see it within a second. Orders that are there already keep the price they were made with.

            Example:
              muster store publish --note "The frost axe"
              muster store publish --note "Prices of December" --yes
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Option(help: "Why, for those who look at the versions later.") var note: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let version = try await access.with { desk in
            let editor = desk.service.editor
            let (changes, problems) = (try await editor.changes(), try await editor.problems())
            guard problems.isEmpty else { throw StoreError.invalidDraft(problems) }
            if !changes.isEmpty {
                try confirmation.require(
                    "\(StoreText.changes(changes))\nPublish \(changes.count == 1 ? "this change" : "these changes")?")
            }
            return try await editor.publish(note: note, by: StoreAccess.editor)
        }
        if json { return try StoreText.printJSON(VersionLine(version)) }
        print("version \(version.version) is what players see, since \(version.publishedAt)")
    }
}

/// A version without its document.
struct VersionLine: Encodable {
    let version: Int
    let publishedAt: Instant
    let publishedBy: String
    let note: String
    let products: Int
    let promotions: Int

    init(_ version: CatalogVersion) {
        self.version = version.version
        publishedAt = version.publishedAt
        publishedBy = version.publishedBy
        note = version.note
        products = version.document.products.count
        promotions = version.document.promotions.count
    }
}
