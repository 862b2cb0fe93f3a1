import Accounts
import GameData
import GameModel
import Hummingbird

/// The draft of the balance, thing by thing: what is in it, and the forms that change it. No match sees it until it is
/// published (``PatchPages``).
struct BalancePages: Sendable {
    static let patchesMax = 30
    static let list = ConsoleLink(text: "Balance", href: "/console/balance")

    let door: ConsoleDoor
    let balance: BalanceRepository

    func add(to console: RouterGroup<APIContext>) {
        console.get("balance", use: door.page(for: [.developer], all))
        for list in BalanceList.allCases {
            let (new, one) = ("balance/new/\(list.rawValue)", "balance/\(list.rawValue)/{id}")
            console.get("\(new)", use: door.page(for: [.developer]) { _ in try await blank(list) })
            console.post("\(new)", use: door.form(for: [.developer]) { try await create($0, list) })
            console.get("\(one)", use: door.page(for: [.developer]) { try await show($0, list) })
            console.post("\(one)", use: door.form(for: [.developer]) { try await change($0, list) })
            console.get("\(one)/remove", use: door.page(for: [.developer]) { try await askToRemove($0, list) })
            console.post("\(one)/remove", use: door.form(for: [.developer]) { try await remove($0, list) })
        }
    }

    static func path(_ list: BalanceList, _ id: String) -> String {
        "/console/balance/\(list.rawValue)/\(ConsolePath.part(id))"
    }

    // MARK: All of it

    @Sendable private func all(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let draft = try await balance.draft()
        var page = ConsolePage(title: "Balance")
        page.lead =
            "Patch \(draft.current) is what new matches are played with. A match ends with the patch it began with."
        if !draft.changes.isEmpty {
            page.actions = [.primary("Publish the draft", "/console/balance/draft")]
            page.blocks = [PatchPages.changes(draft.changes, heading: "Draft", caption: "What the draft changes")]
        }
        let kinds = Dictionary(draft.changes.map { ($0.path, $0.kind) }, uniquingKeysWith: { first, _ in first })
        page.blocks += BalanceList.allCases.map { list in
            Self.table(of: list, in: draft.document, marks: { kinds["\(list.rawValue).\($0)"] })
        }
        page.blocks.append(PatchPages.table(of: try await balance.patches(limit: Self.patchesMax)))
        return page
    }

    /// - Parameter marks: how each thing differs from what is published; `nil`: it is not for editing.
    static func table(
        of list: BalanceList, in document: BalanceDocument, marks: ((String) -> BalanceChange.Kind?)? = nil
    ) -> ConsoleBlock {
        // The name is the first field, and stands with the id.
        let fields = list.fields.filter { $0.name != "name" }
        let columns = fields.map { field -> ConsoleColumn in
            let label = BalanceForm.label(field.name)
            if case .integer = field.form { return .number(label) }
            return ConsoleColumn(stringLiteral: label)
        }
        let heading = BalanceForm.label(list.rawValue)
        return .tableBlock(
            list.rawValue, heading: heading, caption: marks == nil ? heading : "\(heading) of the draft",
            columns: [ConsoleColumn(stringLiteral: BalanceForm.label(list.singular))] + columns
                + (marks == nil ? [] : ["Draft"]),
            rows: BalanceTree(document).things(list).map { id, values in
                let name = list.fields.first { $0.name == "name" }?.text(of: values["name"]) ?? id
                var row = [ConsoleCell(name, href: marks == nil ? nil : path(list, id), note: id)]
                row += fields.map { field in
                    let text = field.text(of: values[field.name])
                    return ConsoleCell(text.isEmpty ? "—" : text)
                }
                if let marks { row.append(PatchPages.cell(marks(id))) }
                return row
            }, empty: "There are none.",
            actions: marks == nil
                ? [] : [ConsoleLink(text: "New \(list.singular)", href: "/console/balance/new/\(list.rawValue)")])
    }

    // MARK: One thing

    private func blank(_ list: BalanceList) async throws -> ConsolePage {
        let fields = Dictionary(
            uniqueKeysWithValues: list.fields.compactMap { field in field.fallback.map { (field.name, $0) } })
        return try await page(BalanceForm(list, id: nil, fields: fields))
    }

    private func show(_ visit: ConsoleVisit, _ list: BalanceList) async throws -> ConsolePage {
        let (id, fields) = try await thing(visit, list)
        return try await page(BalanceForm(list, id: id, fields: fields))
    }

    private func create(_ visit: ConsoleVisit, _ list: BalanceList) async throws -> ConsoleAnswer {
        let form = BalanceForm(list, id: nil, body: visit.body)
        let id = visit.body["id"]
        guard try await !BalanceTree(balance.draft().document).has(id, in: list) else {
            let taken = ["id": "There is a \(list.singular) with this id. Choose another, or change that one."]
            return .again(try await page(form, problems: taken))
        }
        return try await save(form, as: id, visit, allowsNew: true)
    }

    private func change(_ visit: ConsoleVisit, _ list: BalanceList) async throws -> ConsoleAnswer {
        let (id, _) = try await thing(visit, list)
        return try await save(BalanceForm(list, id: id, body: visit.body), as: id, visit, allowsNew: false)
    }

    private func save(
        _ form: BalanceForm, as id: String, _ visit: ConsoleVisit, allowsNew: Bool
    ) async throws -> ConsoleAnswer {
        let before = try await balance.draft()
        do {
            let path = BalancePath(form.list, id)
            let values = form.values
            let edits = form.list.fields.compactMap { field in
                values[field.name].map { BalanceAssignment(path: path, field: field, value: $0) }
            }
            let draft = try await balance.edit(edits, allowsNew: allowsNew, by: visit.editor)
            return .seeOther("/console/balance", draft.document == before.document ? .unchanged : .saved)
        } catch {
            guard let problems = (error as? GameDataError)?.formProblem else { throw error }
            return .again(try await page(form, problems: problems))
        }
    }

    private func page(_ form: BalanceForm, problems: [String: String] = [:]) async throws -> ConsolePage {
        var page = ConsolePage(
            title: form.texts["name"].flatMap { form.id == nil || $0.isEmpty ? nil : $0 } ?? form.id
                ?? "New \(form.list.singular)", lead: "Of the draft: no match sees it until it is published.",
            trail: [Self.list])
        if let id = form.id { page.actions = [.danger("Remove", "\(Self.path(form.list, id))/remove")] }
        page.blocks = [
            .formBlock("thing", form.form(in: try await balance.draft().document, problems: problems))
        ]
        return page
    }

    private func askToRemove(_ visit: ConsoleVisit, _ list: BalanceList) async throws -> ConsolePage {
        let (id, _) = try await thing(visit, list)
        var page = ConsolePage(
            title: "Remove \(id)?", lead: "It is taken out of the draft. Patches that were published keep it.",
            trail: [Self.list, ConsoleLink(text: id, href: Self.path(list, id))])
        page.blocks = [
            .formBlock(
                "remove",
                ConsoleForm(
                    action: "\(Self.path(list, id))/remove", submit: "Remove",
                    cancel: ConsoleLink(text: "Keep it", href: Self.path(list, id)), isDanger: true))
        ]
        return page
    }

    private func remove(_ visit: ConsoleVisit, _ list: BalanceList) async throws -> ConsoleAnswer {
        let (id, _) = try await thing(visit, list)
        try await balance.edit([], removing: [BalancePath(list, id)], by: visit.editor)
        return .seeOther("/console/balance", .removed)
    }

    private func thing(
        _ visit: ConsoleVisit, _ list: BalanceList
    ) async throws -> (id: String, fields: [String: JSONValue]) {
        let id = visit.context.parameters.get("id") ?? ""
        guard let fields = BalanceTree(try await balance.draft().document).fields(list, id) else {
            throw GameDataError.unknownThing("\(list.rawValue).\(id)")
        }
        return (id, fields)
    }
}
