import ArgumentParser
import Foundation
import GameData
import GameModel
import Logging
import Records

/// How the balance's commands get at the data folder.
struct BalanceAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    /// Who edits, for the change log: `cli:ada@build-1`.
    static var editor: String { StoreAccess.editor }

    /// Runs the body on the balance of the data folder; a folder without its file is refused, not filled with an empty
    /// one. What is refused becomes the command's failure.
    func with<Value>(_ body: (BalanceRepository) async throws -> Value) async throws -> Value {
        let folder = shared.dataFolder
        guard FileManager.default.fileExists(atPath: "\(folder)/data.sqlite") else {
            throw CommandFailure(
                "There is no data.sqlite in \(folder).", nextStep: "Name the data folder: --data FOLDER.")
        }
        let quiet = Logger(label: "balance", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: quiet)
        let value: Value
        do {
            value = try await body(BalanceRepository(database: database))
        } catch {
            try database.close()
            guard let error = error as? GameDataError else { throw error }
            throw CommandFailure(balance: error)
        }
        try database.close()
        return value
    }
}

extension CommandFailure {
    /// What the balance refused, and what to do about it.
    init(balance error: GameDataError) {
        switch error {
        case .invalidBalance(let faults):
            self.init(
                "This balance is not right:" + faults.map { "\n  \($0)" }.joined(),
                nextStep: "Mend what is named, and try again; 'muster balance schema' prints the form.")
        case .unknownPatch:
            self.init("\(error)".capitalizedFirst, nextStep: "See which there are: muster balance ls.")
        case .unknownThing:
            self.init(
                "\(error)".capitalizedFirst,
                nextStep: "See what there is: muster balance show --draft. To make it, add --new.")
        default: self.init("\(error).", nextStep: "See the command's --help.")
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() + "." }
}

extension BalanceRepository {
    /// A patch that must be there.
    func knownPatch(_ number: Int) async throws -> Patch {
        guard let patch = try await patch(PatchVersion(number)) else {
            throw GameDataError.unknownPatch(PatchVersion(number))
        }
        return patch
    }
}

/// How the balance's commands print things for people.
enum BalanceText {
    /// A table of each list that has something.
    static func tables(_ document: BalanceDocument) -> String {
        let tree = BalanceTree(document)
        return BalanceList.allCases.compactMap { list -> String? in
            let things = tree.things(list)
            guard !things.isEmpty else { return nil }
            let numbers = list.fields.indices.filter { if case .integer = list.fields[$0].form { true } else { false } }
            var table = TextTable([list.singular] + list.fields.map(\.name), right: Set(numbers.map { $0 + 1 }))
            for (id, fields) in things { table.add([id] + list.fields.map { $0.text(of: fields[$0.name]) }) }
            return table.text
        }.joined(separator: "\n\n")
    }

    /// `+` added, `~` changed with its fields below, `-` removed.
    static func changes(_ changes: [BalanceChange]) -> String {
        changes.flatMap { change in
            let mark =
                switch change.kind {
                case .added: "+"
                case .changed, .moved: "~"
                case .removed: "-"
                }
            let fields = change.kind == .removed ? [] : change.fields
            return ["\(mark) \(change.path)"] + fields.map { "    \($0.words)" }
        }.joined(separator: "\n")
    }

    /// What an edit of the draft led to.
    static func draft(_ draft: BalanceDraft) -> String {
        guard !draft.changes.isEmpty else { return "the draft is what is published, patch \(draft.current)" }
        var text = changes(draft.changes)
        if !draft.faults.isEmpty {
            text += "\n\nit can't be published:\n" + draft.faults.map { "  \($0)" }.joined(separator: "\n")
        }
        return text
    }
}
