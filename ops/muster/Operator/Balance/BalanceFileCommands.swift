import ArgumentParser
import Foundation
import GameData
import GameModel

/// `muster balance import`.
struct BalanceImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Put a balance from a file in the draft's place: all of it, or nothing.",
        discussion: """
            The form is that of 'muster balance export'; 'muster balance schema' describes it. What is not in the file \
            is no longer in the draft. No match sees it until it is published.

            Example:
              muster balance import balance.json
              muster balance export --data staging | muster balance import - --yes
            """)

    @OptionGroup var access: BalanceAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The file, or - for standard input.") var file: InputFile
    @Flag(help: "Print the draft's changes as JSON.") var json = false

    func run() async throws {
        let bytes = try file.bytes(atMost: BalanceDocument.fileBytesMax)
        let draft = try await access.with { balance in
            let document = try BalanceDocument(json: bytes)
            let changes = BalanceChange.between(try await balance.draft().document, document)
            if !changes.isEmpty {
                try confirmation.require("\(BalanceText.changes(changes))\nPut \(file.path) in the draft's place?")
            }
            return try await balance.replaceDraft(with: document, by: BalanceAccess.editor)
        }
        if json { return try StoreText.printJSON(draft.changes) }
        print(BalanceText.draft(draft))
    }
}

/// `muster balance export`.
struct BalanceExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print the draft, what is published, or an earlier patch, as a file to be imported.",
        discussion: """
            Pretty JSON in a fixed order: two of them can be compared line by line.

            Example:
              muster balance export >balance.json
              muster balance export --published | diff - balance.json
              muster balance export --patch 3 >patch-3.json
            """)

    @OptionGroup var access: BalanceAccess
    @Flag(help: "What is in force, instead of the draft.") var published = false
    @Option(help: "The number of a patch, instead of the draft.") var patch: Int?

    func validate() throws {
        if published, patch != nil { throw ValidationError("Give --published or --patch, not both.") }
    }

    func run() async throws {
        let document = try await access.with { balance in
            if let patch { return try await balance.knownPatch(patch).document }
            return published ? try await balance.current().document : try await balance.draft().document
        }
        FileHandle.standardOutput.write(Data(try document.json))
    }
}

/// `muster balance schema`.
struct BalanceSchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of a balance file, for editors.",
        discussion: """
            Example:
              muster balance schema >balance.schema.json
            """)

    func run() async throws { print(try BalanceSchema.text()) }
}
