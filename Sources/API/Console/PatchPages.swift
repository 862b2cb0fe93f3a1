import Accounts
import GameData
import GameModel
import Hummingbird

/// From the balance's draft to matches: what publishing would change, and the patches with the way back to each.
struct PatchPages: Sendable {
    let door: ConsoleDoor
    let balance: BalanceRepository
    let accounts: AccountService

    func add(to console: RouterGroup<APIContext>) {
        console.get("balance/draft", use: door.page(for: [.developer]) { _ in try await draft() })
        console.post("balance/draft", use: door.form(for: [.developer], publish))
        console.get("balance/draft/discard", use: door.page(for: [.developer]) { _ in try await askToDiscard() })
        console.post("balance/draft/discard", use: door.form(for: [.developer], discard))
        console.get("balance/patches/{number}", use: door.page(for: [.developer], patch))
        console.get("balance/patches/{number}/rollback", use: door.page(for: [.developer], askToRollBack))
        console.post("balance/patches/{number}/rollback", use: door.form(for: [.developer], rollBack))
    }

    private static func path(_ patch: PatchVersion) -> String { "/console/balance/patches/\(patch)" }

    // MARK: Tables

    static func changes(_ changes: [BalanceChange], heading: String, caption: String) -> ConsoleBlock {
        .tableBlock(
            "changes", heading: heading, caption: caption, columns: ["Subject", "Change", "Fields"],
            rows: changes.map { change in
                var fields = ConsoleCell(change.fields.isEmpty ? "—" : "")
                fields.lines = change.fields.map(\.words)
                return [ConsoleCell(change.path), cell(change.kind), fields]
            }, empty: "Nothing differs.")
    }

    static func cell(_ kind: BalanceChange.Kind?) -> ConsoleCell {
        switch kind {
        case .added: ConsoleCell("new", tone: .warning)
        case .changed: ConsoleCell("changed", tone: .warning)
        case .moved: ConsoleCell("another order", tone: .warning)
        case .removed: ConsoleCell("removed", tone: .warning)
        case nil: ConsoleCell("as published", tone: .quiet)
        }
    }

    /// Patches, the newest first, each with what it changed.
    static func table(of patches: [Patch]) -> ConsoleBlock {
        .tableBlock(
            "patches", heading: "Patches", caption: "Patches, newest first",
            columns: ["Patch", "Published", "Note", "What it changed"],
            rows: patches.enumerated().map { index, patch in
                let before = index + 1 < patches.count ? patches[index + 1] : nil
                var changes = ConsoleCell(before == nil ? "—" : "")
                changes.lines = before.map { BalanceChange.between($0.document, patch.document).map(\.words) } ?? []
                return [
                    ConsoleCell(
                        "Patch \(patch.patch)", href: path(patch.patch),
                        note: patch.rolledBackTo.map { "patch \($0) again" }),
                    ConsoleWords.cell(patch.publishedAt), ConsoleCell(patch.note.isEmpty ? "—" : patch.note), changes,
                ]
            }, empty: "")
    }

    // MARK: Publishing

    private func draft(note: String = "", problems: [String: String] = [:]) async throws -> ConsolePage {
        let draft = try await balance.draft()
        var page = ConsolePage(title: "Publish the balance’s draft", trail: [BalancePages.list])
        guard !draft.changes.isEmpty else {
            page.lead = "The draft is patch \(draft.current) already: there is nothing to publish."
            return page
        }
        page.lead = "These changes become the next patch, for matches placed from then on."
        page.actions = [.danger("Discard the draft", "/console/balance/draft/discard")]
        if !draft.faults.isEmpty {
            var block = ConsoleBlock(
                id: "problems-of-draft", heading: "In the way",
                text: "The draft can’t be published before this is right:")
            block.lines = draft.faults.map(\.description)
            page.blocks.append(block)
        }
        page.blocks.append(
            Self.changes(draft.changes, heading: "Changes", caption: "What differs from patch \(draft.current)"))
        guard draft.faults.isEmpty else { return page }
        page.blocks.append(
            .formBlock(
                "publish", heading: "Publish",
                Self.noteForm("/console/balance/draft", "Publish", note: note, problems: problems)))
        return page
    }

    private static func noteForm(
        _ action: String, _ submit: String, note: String, problems: [String: String], cancel: ConsoleLink? = nil
    ) -> ConsoleForm {
        var form = ConsoleForm(action: action, submit: submit, cancel: cancel)
        form.fields = [.text("note", "Note", note, hint: "Why, for those who read the patches later.")]
        form.problemsHeading = "This was not published"
        form.add(problems)
        return form
    }

    @Sendable private func publish(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        do {
            let edit = try await balance.publish(note: visit.body["note"], by: visit.editor)
            return .seeOther("/console/balance", edit.isNew ? .balancePublished : .unchanged)
        } catch {
            guard let problems = (error as? GameDataError)?.formProblem else { throw error }
            return .again(try await draft(note: visit.body["note"], problems: problems))
        }
    }

    private func askToDiscard() async throws -> ConsolePage {
        let draft = try await balance.draft()
        var page = ConsolePage(
            title: "Discard the draft?", lead: "It becomes what patch \(draft.current) is; these edits are lost.",
            trail: [BalancePages.list, ConsoleLink(text: "Draft", href: "/console/balance/draft")])
        let form = ConsoleForm(
            action: "/console/balance/draft/discard", submit: "Discard the draft",
            cancel: ConsoleLink(text: "Keep it", href: "/console/balance/draft"), isDanger: true)
        page.blocks = [
            Self.changes(draft.changes, heading: "Edits", caption: "What would be lost"), .formBlock("discard", form),
        ]
        return page
    }

    @Sendable private func discard(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        try await balance.discardDraft(by: visit.editor)
        return .seeOther("/console/balance", .draftDiscarded)
    }

    // MARK: Patches

    @Sendable private func patch(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let patch = try await known(visit)
        let names = try await AccountNames(of: [patch.publishedBy], in: accounts)
        var page = ConsolePage(title: "Patch \(patch.patch)", trail: [BalancePages.list])
        if try await balance.current().document != patch.document {
            page.actions = [ConsoleLink(text: "Roll back to it", href: "\(Self.path(patch.patch))/rollback")]
        }
        page.blocks = [
            .factsBlock(
                "patch",
                [
                    ConsoleFact("Published", ConsoleWords.cell(patch.publishedAt)),
                    patch.publishedBy.isEmpty ? nil : ConsoleFact("By", names.cell(patch.publishedBy)),
                    ConsoleFact("Note", patch.note as String?),
                    ConsoleFact("Brings back", patch.rolledBackTo.map { "Patch \($0)" }),
                ])
        ]
        if let before = try await balance.patch(PatchVersion(patch.patch.number - 1)) {
            page.blocks.append(
                Self.changes(
                    BalanceChange.between(before.document, patch.document), heading: "Changes",
                    caption: "What differs from patch \(before.patch)"))
        }
        page.blocks += BalanceList.allCases.map { BalancePages.table(of: $0, in: patch.document) }
        return page
    }

    @Sendable private func askToRollBack(_ visit: ConsoleVisit) async throws -> ConsolePage {
        try await rollBackPage(try await known(visit))
    }

    private func rollBackPage(
        _ patch: Patch, note: String = "", problems: [String: String] = [:]
    ) async throws -> ConsolePage {
        let current = try await balance.current()
        let path = Self.path(patch.patch)
        var page = ConsolePage(
            title: "Roll back to patch \(patch.patch)?",
            lead: "What it was becomes the next patch, for matches placed from then on. The draft keeps its own edits.",
            trail: [BalancePages.list, ConsoleLink(text: "Patch \(patch.patch)", href: path)])
        var form = Self.noteForm(
            "\(path)/rollback", "Roll back", note: note, problems: problems,
            cancel: ConsoleLink(text: "Keep patch \(current.patch)", href: path))
        form.isDanger = true
        page.blocks = [
            Self.changes(
                BalanceChange.between(current.document, patch.document), heading: "Changes",
                caption: "What differs from patch \(current.patch)"), .formBlock("rollback", form),
        ]
        return page
    }

    @Sendable private func rollBack(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let patch = try await known(visit)
        do {
            let edit = try await balance.rollBack(to: patch.patch, note: visit.body["note"], by: visit.editor)
            return .seeOther("/console/balance", edit.isNew ? .balancePublished : .unchanged)
        } catch {
            guard let problems = (error as? GameDataError)?.formProblem else { throw error }
            return .again(try await rollBackPage(patch, note: visit.body["note"], problems: problems))
        }
    }

    private func known(_ visit: ConsoleVisit) async throws -> Patch {
        let version = PatchVersion(try visit.context.integerParameter("number"))
        guard let patch = try await balance.patch(version) else { throw GameDataError.unknownPatch(version) }
        return patch
    }
}
