import ArgumentParser
import Foundation
import GameData
import GameModel

/// `muster balance set`.
struct BalanceSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change fields of the draft: all that are given, or none.",
        discussion: """
            No match sees it until it is published. A list of ids is written with commas. With --new, a thing that is \
            not there is made; it needs all of its fields that have no default.

            Example:
              muster balance set characters.shade.damage=55 weapons.daggers.cooldownMs=450
              muster balance set --new items.boots.name=Boots items.boots.health=40 items.boots.characters=ranger,shade
              muster balance set --remove items.boots
              muster balance set --discard
            """)

    @OptionGroup var access: BalanceAccess
    @Argument(help: ArgumentHelp("A field and its value: LIST.ID.FIELD=VALUE.", valueName: "path=value"))
    var assignments: [String] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("Take a thing out: LIST.ID. Repeatable.", valueName: "path"))
    var remove: [String] = []
    @Flag(help: "Make things that are not there.") var new = false
    @Flag(help: "Before that, make the draft what is published.") var discard = false
    @Flag(help: "Print the draft's changes as JSON.") var json = false

    func validate() throws {
        if assignments.isEmpty, remove.isEmpty, !discard {
            throw ValidationError("Give LIST.ID.FIELD=VALUE, --remove LIST.ID or --discard.")
        }
    }

    func run() async throws {
        let draft = try await access.with { balance in
            let assignments = try assignments.map { try BalanceAssignment(parsing: $0) }
            let paths = try remove.map { try BalancePath(parsing: $0) }
            if discard { try await balance.discardDraft(by: BalanceAccess.editor) }
            return try await balance.edit(
                assignments, removing: paths, allowsNew: new, by: BalanceAccess.editor)
        }
        if json { return try StoreText.printJSON(draft.changes) }
        print(BalanceText.draft(draft))
        if !draft.changes.isEmpty { print("\nin the draft; 'muster balance publish' makes it a patch") }
    }
}

/// `muster balance publish`.
struct BalancePublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Make the draft the next patch, for matches placed from now on.",
        discussion: """
            Matches that are placed already go on with the patch they began with.

            Example:
              muster balance publish --note "Shade hits harder"
              muster balance publish --note "Season 3" --yes --json
            """)

    @OptionGroup var access: BalanceAccess
    @OptionGroup var confirmation: Confirmation
    @Option(help: "Why, for those who look at the patches later.") var note: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let edit = try await access.with { balance in
            let draft = try await balance.draft()
            guard draft.faults.isEmpty else { throw GameDataError.invalidBalance(draft.faults) }
            if !draft.changes.isEmpty {
                let these = draft.changes.count == 1 ? "this change" : "these changes"
                try confirmation.require("\(BalanceText.changes(draft.changes))\nPublish \(these)?")
            }
            return try await balance.publish(note: note, by: BalanceAccess.editor)
        }
        try BalancePublishCommand.report(edit, json: json)
    }

    static func report(_ edit: BalanceEdit, json: Bool) throws {
        if json { return try StoreText.printJSON(PatchLine(edit.patch)) }
        let word = edit.isNew ? "is in force for matches to come" : "is in force, and is just that already"
        print("patch \(edit.patch.patch) \(word)")
    }
}

/// `muster balance rollback`.
struct BalanceRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Publish what an earlier patch was, as a new patch.",
        discussion: """
            What was published since stays in the list. The draft keeps its own edits.

            Example:
              muster balance rollback 3
              muster balance rollback 3 --note "Shade was too strong" --yes
            """)

    @OptionGroup var access: BalanceAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The number of the patch to go back to.") var patch: Int
    @Option(help: "Why, for those who look at the patches later.") var note = ""
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let edit = try await access.with { balance in
            let old = try await balance.knownPatch(patch)
            let changes = BalanceChange.between(try await balance.current().document, old.document)
            if !changes.isEmpty {
                try confirmation.require("\(BalanceText.changes(changes))\nPublish patch \(patch) anew?")
            }
            return try await balance.rollBack(
                to: PatchVersion(patch), note: note, by: BalanceAccess.editor)
        }
        try BalancePublishCommand.report(edit, json: json)
    }
}
