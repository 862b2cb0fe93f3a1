import ArgumentParser
import Foundation
import GameModel
import Store

/// `muster store import`.
struct StoreImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Put a catalog from a file in the draft's place: all of it, or nothing.",
        discussion: """
            The form is that of 'muster store export'. Products and promotions that are not in the file are no longer \
            in the draft. Players see nothing of it until it is published.

            Example:
              muster store import catalog.json
              muster store export --data staging | muster store import - --yes
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The file, or - for standard input.") var file: InputFile

    func run() async throws {
        let document = try ItemFile.catalog(file)
        let changes = try await access.with { desk in
            let (products, promotions) = (document.products.count, document.promotions.count)
            try confirmation.require(
                "Put \(products) products and \(promotions) promotions from \(file.path) in the draft's place?")
            try await desk.service.editor.replaceDraft(with: document, by: StoreAccess.editor)
            return try await desk.service.editor.changes()
        }
        guard !changes.isEmpty else { return print("the draft is what is published") }
        print("\(StoreText.changes(changes))\n\nin the draft; 'muster store publish' shows it to players")
    }
}

/// `muster store export`.
struct StoreExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print the draft, what is published, or an earlier version, as a file to be imported.",
        discussion: """
            Pretty JSON in a fixed order: two of them can be compared line by line.

            Example:
              muster store export >catalog.json
              muster store export --published | diff - catalog.json
              muster store export --version 3 >version-3.json
            """)

    @OptionGroup var access: StoreAccess
    @Flag(help: "What players see, instead of the draft.") var published = false
    @Option(help: "The number of a version, instead of the draft.") var version: Int?

    func validate() throws {
        if published, version != nil { throw ValidationError("Give --published or --version, not both.") }
    }

    func run() async throws {
        let json = try await access.with { desk in
            let document =
                if let version {
                    try await desk.service.editor.version(version).document
                } else {
                    try await desk.document(isPublished: published)
                }
            return try document.json
        }
        FileHandle.standardOutput.write(Data(json))
    }
}
