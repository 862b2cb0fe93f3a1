import Accounts
import GameModel
import Hummingbird
import Store

/// Discounts, as the draft has them: the list, a promotion's form, and taking it out.
struct PromotionPages: Sendable {
    let door: ConsoleDoor
    let editor: CatalogEditor

    private static let list = ConsoleLink(text: "Promotions", href: "/console/promotions")

    func add(to console: RouterGroup<APIContext>) {
        console.get("promotions", use: door.page(for: [.developer], all))
        console.get("promotions/new", use: door.page(for: [.developer]) { _ in page(PromotionForm(nil)) })
        console.post("promotions", use: door.form(for: [.developer], create))
        console.get(
            "promotions/{id}", use: door.page(for: [.developer]) { page(PromotionForm(try await promotion($0))) })
        console.post("promotions/{id}", use: door.form(for: [.developer], change))
        console.get("promotions/{id}/remove", use: door.page(for: [.developer], askToRemove))
        console.post("promotions/{id}/remove", use: door.form(for: [.developer], remove))
    }

    static func path(_ id: String) -> String { "/console/promotions/\(ConsolePath.part(id))" }

    // MARK: The list

    @Sendable private func all(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let draft = try await editor.draft()
        let states = Dictionary(
            try await editor.changes().map { ($0.subject, $0.kind) }, uniquingKeysWith: { first, _ in first })
        var page = ConsolePage(
            title: "Promotions", lead: "The draft: players see it once it is published.",
            actions: [.primary("New promotion", "/console/promotions/new")])
        page.blocks = [
            .tableBlock(
                "promotions", caption: "Promotions of the draft",
                columns: ["Promotion", "Discount", "Code", "From", "Until", "Draft"],
                rows: draft.promotions.map { row($0, states["promotion \($0.promotionId)"]) },
                empty: "There are no promotions yet.")
        ]
        return page
    }

    private func row(_ promotion: Promotion, _ change: CatalogChange.Kind?) -> [ConsoleCell] {
        let products = promotion.productIds.map(\.rawValue).joined(separator: ", ")
        let discount =
            promotion.percentOff.map { "\($0) %" }
            ?? promotion.amountsOff.map(\.description).joined(separator: ", ")
        return [
            ConsoleCell(promotion.name, href: Self.path(promotion.promotionId), note: promotion.promotionId),
            ConsoleCell(discount, note: products.isEmpty ? "every product" : products),
            promotion.code.map { .code($0) } ?? ConsoleCell("by itself"), ConsoleWords.cell(promotion.startsAt),
            ConsoleWords.cell(promotion.endsAt), ProductPages.draft(change),
        ]
    }

    // MARK: One promotion

    @Sendable private func create(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        guard try await editor.draft().promotions.allSatisfy({ $0.promotionId != visit.body["promotionId"] }) else {
            let taken = ["promotionId": "There is a promotion with this id. Choose another, or change that one."]
            return .again(page(PromotionForm(visit.body, stored: nil), problems: taken))
        }
        return try await save(visit, stored: nil)
    }

    @Sendable private func change(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        try await save(visit, stored: try await promotion(visit))
    }

    private func save(_ visit: ConsoleVisit, stored: Promotion?) async throws -> ConsoleAnswer {
        let form = PromotionForm(visit.body, stored: stored)
        let (promotion, problems) = form.promotion(visit.body)
        guard let promotion else { return .again(page(form, problems: problems)) }
        do {
            _ = try await editor.save(promotion, by: visit.editor)
        } catch {
            guard let problems = error.formProblem else { throw error }
            return .again(page(form, problems: problems))
        }
        return .seeOther(Self.path(promotion.promotionId), .saved)
    }

    private func page(_ form: PromotionForm, problems: [String: String] = [:]) -> ConsolePage {
        var page = ConsolePage(title: form.stored?.name ?? "New promotion", trail: [Self.list])
        page.blocks = [.formBlock("promotion", form.form(problems: problems))]
        if let promotion = form.stored {
            page.lead = "Of the draft. Orders keep the price they were placed at."
            page.actions = [.danger("Remove", "\(Self.path(promotion.promotionId))/remove")]
        }
        return page
    }

    private func promotion(_ visit: ConsoleVisit) async throws -> Promotion {
        let id = visit.context.parameters.get("id") ?? ""
        guard let promotion = try await editor.draft().promotions.first(where: { $0.promotionId == id }) else {
            throw Problem.notFound("There is no promotion \(id) in the draft.")
        }
        return promotion
    }

    // MARK: Taking it out

    @Sendable private func askToRemove(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let promotion = try await promotion(visit)
        let path = Self.path(promotion.promotionId)
        var page = ConsolePage(
            title: "Remove \(promotion.name)?",
            lead: "It is taken out of the draft, and no longer holds once that is published.",
            trail: [Self.list, ConsoleLink(text: promotion.name, href: path)])
        page.blocks = [
            .formBlock(
                "remove",
                ConsoleForm(
                    action: "\(path)/remove", submit: "Remove from the draft",
                    cancel: ConsoleLink(text: "Keep it", href: path), isDanger: true))
        ]
        return page
    }

    @Sendable private func remove(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        try await editor.remove(promotion: try await promotion(visit).promotionId, by: visit.editor)
        return .seeOther("/console/promotions", .removed)
    }
}
