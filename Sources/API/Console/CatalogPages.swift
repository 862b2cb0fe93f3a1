import Accounts
import GameModel
import Hummingbird
import Store

/// From draft to players: what publishing would change, and the versions so far with the way back to each.
struct CatalogPages: Sendable {
    static let versionsMax = 50

    let door: ConsoleDoor
    let editor: CatalogEditor
    let accounts: AccountService

    func add(to console: RouterGroup<APIContext>) {
        console.get("publish", use: door.page(for: [.developer]) { _ in try await draft() })
        console.post("publish", use: door.form(for: [.developer], publish))
        console.get("versions", use: door.page(for: [.developer], versions))
        console.get("versions/{number}", use: door.page(for: [.developer], version))
        console.get("versions/{number}/revert", use: door.page(for: [.developer], askToRevert))
        console.post("versions/{number}/revert", use: door.form(for: [.developer], revert))
    }

    // MARK: Publishing

    private func draft(note: String = "", problems found: [String: String] = [:]) async throws -> ConsolePage {
        let changes = try await editor.changes()
        let problems = try await editor.problems()
        var page = ConsolePage(title: "Publish the draft")
        guard !changes.isEmpty else {
            page.lead = "The draft is what players see already: there is nothing to publish."
            return page
        }
        page.lead = "These changes become the next version, for everyone, within a second."
        if !problems.isEmpty {
            var block = ConsoleBlock(
                id: "problems-of-draft", heading: "In the way",
                text: "The draft can’t be published before this is right:")
            block.lines = problems
            page.blocks.append(block)
        }
        page.blocks.append(Self.table(of: changes))
        guard problems.isEmpty else { return page }
        var form = ConsoleForm(action: "/console/publish", submit: "Publish")
        form.fields = [.text("note", "Note", note, hint: "Why, for those who read the versions later.")]
        form.problemsHeading = "This was not published"
        form.add(found)
        page.blocks.append(.formBlock("publish", heading: "Publish", form))
        return page
    }

    private static func table(of changes: [CatalogChange]) -> ConsoleBlock {
        .tableBlock(
            "changes", heading: "Changes", caption: "What differs from what players see",
            columns: ["Subject", "Change", "Fields"],
            rows: changes.map { change in
                let id = change.subject.split(separator: " ").last.map(String.init) ?? ""
                let folder = change.subject.hasPrefix("product ") ? "products" : "promotions"
                let path = "/console/\(folder)/\(ConsolePath.part(id))"
                var fields = ConsoleCell(change.fields.isEmpty ? "—" : "")
                fields.lines = change.fields
                return [
                    ConsoleCell(change.subject, href: change.kind == .removed ? nil : path),
                    ProductPages.draft(change.kind), fields,
                ]
            }, empty: "Nothing differs.")
    }

    @Sendable private func publish(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        do {
            let version = try await editor.publish(note: visit.body["note"], by: visit.editor)
            return .seeOther("/console/versions/\(version.version)", .published)
        } catch {
            guard let problems = error.formProblem else { throw error }
            return .again(try await draft(note: visit.body["note"], problems: problems))
        }
    }

    // MARK: Versions

    @Sendable private func versions(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let versions = try await editor.versions(limit: Self.versionsMax)
        let names = try await AccountNames(of: versions.map(\.publishedBy), in: accounts)
        var page = ConsolePage(title: "Versions", lead: "What was published, newest first. A version never changes.")
        page.blocks = [
            .tableBlock(
                "versions", caption: "Published versions of the catalog",
                columns: ["Version", "Published", "By", "Note", .number("Products"), .number("Promotions")],
                rows: versions.enumerated().map { index, version in
                    [
                        ConsoleCell(
                            "Version \(version.version)", href: "/console/versions/\(version.version)",
                            note: index == 0 ? "what players see" : nil),
                        ConsoleWords.cell(version.publishedAt), names.cell(version.publishedBy),
                        ConsoleCell(version.note), ConsoleCell(String(version.document.products.count)),
                        ConsoleCell(String(version.document.promotions.count)),
                    ]
                }, empty: "Nothing was published yet.")
        ]
        return page
    }

    @Sendable private func version(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let version = try await editor.version(try visit.context.integerParameter("number"))
        let names = try await AccountNames(of: [version.publishedBy], in: accounts)
        var page = ConsolePage(
            title: "Version \(version.version)", trail: [ConsoleLink(text: "Versions", href: "/console/versions")],
            actions: [ConsoleLink(text: "Bring it back", href: "/console/versions/\(version.version)/revert")])
        page.blocks = [
            .factsBlock(
                "version",
                [
                    ConsoleFact("Published", ConsoleWords.cell(version.publishedAt)),
                    ConsoleFact("By", names.cell(version.publishedBy)), ConsoleFact("Note", version.note as String?),
                ]),
            .tableBlock(
                "products", heading: "Products", caption: "Products of this version",
                columns: ["Product", "Kind", "Price", "Sold"],
                rows: version.document.products.map { product in
                    let prices = product.prices.map(\.description) + product.virtualPrices.map(\.description)
                    return [
                        ConsoleCell(product.name, note: product.productId.rawValue),
                        ConsoleCell(ConsoleWords.words(product.kind)), ConsoleCell(prices.joined(separator: ", ")),
                        product.isActive
                            ? ConsoleCell("for sale", tone: .good) : ConsoleCell("not for sale", tone: .quiet),
                    ]
                }, empty: "It had no products."),
            .tableBlock(
                "promotions", heading: "Promotions", caption: "Promotions of this version",
                columns: ["Promotion", "Code", "From", "Until"],
                rows: version.document.promotions.map { promotion in
                    [
                        ConsoleCell(promotion.name, note: promotion.promotionId),
                        promotion.code.map { .code($0) } ?? ConsoleCell("by itself"),
                        ConsoleWords.cell(promotion.startsAt), ConsoleWords.cell(promotion.endsAt),
                    ]
                }, empty: "It had no promotions."),
        ]
        return page
    }

    @Sendable private func askToRevert(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let version = try await editor.version(try visit.context.integerParameter("number"))
        let path = "/console/versions/\(version.version)"
        var page = ConsolePage(
            title: "Bring version \(version.version) back?",
            lead: "It replaces the draft, with whatever is in that now. Players see it once the draft is published.",
            trail: [
                ConsoleLink(text: "Versions", href: "/console/versions"),
                ConsoleLink(text: "Version \(version.version)", href: path),
            ])
        page.blocks = [
            .formBlock(
                "revert",
                ConsoleForm(
                    action: "\(path)/revert", submit: "Replace the draft",
                    cancel: ConsoleLink(text: "Keep the draft", href: path), isDanger: true))
        ]
        return page
    }

    @Sendable private func revert(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let version = try await editor.version(try visit.context.integerParameter("number"))
        try await editor.replaceDraft(with: version.document, by: visit.editor)
        return .seeOther("/console/publish", .draftReplaced)
    }
}
