import ArgumentParser
import GameModel
import Records
import Store

/// `muster store log`.
struct StoreLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show who changed what of accounts and the store by hand, the newest first.",
        discussion: """
            Example:
              muster store log
              muster store log --subject "product frost-axe" --json
            """)

    @OptionGroup var access: StoreAccess
    @Option(help: "Only changes of this, like \"product frost-axe\".") var subject: String?
    @Option(help: "At most so many, 1 to 1000.") var limit = 50
    @Option(help: ArgumentHelp("Only what is older than this number: the next page.", valueName: "number"))
    var before: Int64?
    @Flag(help: "Also what was before and after, in full.") var full = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000, not \(limit).") }
    }

    func run() async throws {
        let changes = try await access.with {
            try await $0.changes.changes(subject: subject, before: before, limit: limit)
        }
        if json { return try StoreText.printJSON(changes) }
        if full { return print(changes.map(Self.text).joined(separator: "\n\n")) }
        var table = TextTable(["number", "when", "who", "did", "to"], right: [0])
        for change in changes {
            table.add([
                "\(change.sequence)", Instant(milliseconds: change.at).description, change.by, change.action,
                change.subject,
            ])
        }
        print(table.text)
    }

    private static func text(_ change: ChangeLog.Change) -> String {
        StoreText.facts([
            ("number", "\(change.sequence)"), ("when", Instant(milliseconds: change.at).description),
            ("who", change.by), ("did", change.action), ("to", change.subject), ("before", change.before),
            ("after", change.after),
        ])
    }
}
