import ArgumentParser
import Foundation
import GameData
import GameModel

/// `muster balance ls`.
struct BalanceListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the patches, the newest first, and say whether the draft differs.",
        discussion: """
            Example:
              muster balance ls --limit 5
              muster balance ls --json
            """)

    struct Output: Encodable {
        let patches: [PatchLine]
        let draftChanges: Int
    }

    @OptionGroup var access: BalanceAccess
    @Option(help: "At most so many, 1 to 100.") var limit = 20
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...BalanceRepository.patchesMax).contains(limit) else {
            throw ValidationError("--limit takes 1 to \(BalanceRepository.patchesMax), not \(limit).")
        }
    }

    func run() async throws {
        let output = try await access.with { balance in
            Output(
                patches: try await balance.patches(limit: limit).map(PatchLine.init),
                draftChanges: try await balance.draft().changes.count)
        }
        if json { return try StoreText.printJSON(output) }
        var table = TextTable(["patch", "published", "by", "note"], right: [0])
        for patch in output.patches {
            let origin = patch.rolledBackTo.map { "patch \($0) again" }
            let note = [origin, patch.note].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ": ")
            table.add([
                "\(patch.patch)", patch.publishedAt.description, patch.publishedBy.isEmpty ? "-" : patch.publishedBy,
                note,
            ])
        }
        print(table.text)
        if output.draftChanges > 0 {
            let count = output.draftChanges == 1 ? "1 change" : "\(output.draftChanges) changes"
            print("\nthe draft has \(count) more: muster balance diff")
        }
    }
}

/// `muster balance show`.
struct BalanceShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the balance in force, that of a patch, or the draft; or one thing of it.",
        discussion: """
            Example:
              muster balance show
              muster balance show characters.shade --draft
              muster balance show --patch 3 --json
            """)

    @OptionGroup var access: BalanceAccess
    @Argument(help: "One thing, like characters.shade; everything where it is not given.") var path: String?
    @Option(help: "A patch's number; the one in force where it is not given.") var patch: Int?
    @Flag(help: "The draft, instead of what is in force.") var draft = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if draft, patch != nil { throw ValidationError("Give --draft or --patch, not both.") }
    }

    func run() async throws {
        let (name, document, path) = try await access.with { balance in
            let path = try self.path.map { try BalancePath(parsing: $0) }
            if draft { return ("draft", try await balance.draft().document, path) }
            let shown =
                if let patch { try await balance.knownPatch(patch) } else { try await balance.current() }
            return ("patch \(shown.patch)", shown.document, path)
        }
        guard let path else {
            if json { return try StoreText.printJSON(document) }
            return print("\(name)\n\n\(BalanceText.tables(document))")
        }
        guard var fields = BalanceTree(document).fields(path.list, path.id) else {
            throw CommandFailure(balance: .unknownThing(path.description))
        }
        if json {
            fields["id"] = .string(path.id)
            return try StoreText.printJSON(fields)
        }
        var table = TextTable([path.description, name, "allowed"])
        for field in path.list.fields {
            table.add([field.name, field.text(of: fields[field.name]), field.expectation])
        }
        print(table.text)
    }
}

/// `muster balance diff`.
struct BalanceDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what publishing the draft would change, or what differs between two patches, by field.",
        discussion: """
            With one number, from that patch to the one in force.

            Example:
              muster balance diff
              muster balance diff 3
              muster balance diff 2 3 --json
            """)

    struct Output: Encodable {
        let from: PatchVersion
        /// `nil`: the draft.
        let to: PatchVersion?
        let changes: [BalanceChange]
        let problems: [BalanceFault]
    }

    @OptionGroup var access: BalanceAccess
    @Argument(help: "The patch from which.") var from: Int?
    @Argument(help: "The patch to which; the one in force where it is not given.") var to: Int?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let output = try await access.with { balance -> Output in
            guard let from else {
                let draft = try await balance.draft()
                return Output(from: draft.current, to: nil, changes: draft.changes, problems: draft.faults)
            }
            let before = try await balance.knownPatch(from)
            let after = if let to { try await balance.knownPatch(to) } else { try await balance.current() }
            return Output(
                from: before.patch, to: after.patch,
                changes: BalanceChange.between(before.document, after.document), problems: [])
        }
        if json { return try StoreText.printJSON(output) }
        let target = output.to.map { "patch \($0)" } ?? "the draft"
        guard !output.changes.isEmpty else { return print("patch \(output.from) and \(target) are the same") }
        print("from patch \(output.from) to \(target)\n\n\(BalanceText.changes(output.changes))")
        if !output.problems.isEmpty {
            print("\nit can't be published:\n" + output.problems.map { "  \($0)" }.joined(separator: "\n"))
        }
    }
}
