import GameModel
import Store

/// A promotion as the fields of a form.
struct PromotionForm: Sendable {
    /// The promotion as it is in the draft; `nil` where it is new.
    let stored: Promotion?
    private var texts: [String: String] = [:]

    init(_ stored: Promotion?) {
        self.stored = stored
        guard let stored else {
            texts = ["stacking": Promotion.Stacking.exclusive.rawValue]
            return
        }
        texts = [
            "promotionId": stored.promotionId, "name": stored.name,
            "productIds": stored.productIds.map(\.rawValue).joined(separator: "\n"),
            "percentOff": stored.percentOff.map(String.init) ?? "",
            "amountsOff": stored.amountsOff.map(\.description).joined(separator: "\n"), "code": stored.code ?? "",
            "startsAt": ConsoleWords.input(stored.startsAt), "endsAt": ConsoleWords.input(stored.endsAt),
            "limitPerPlayer": stored.limitPerPlayer.map(String.init) ?? "",
            "limitTotal": stored.limitTotal.map(String.init) ?? "", "stacking": stored.stacking.rawValue,
        ]
    }

    init(_ body: FormBody, stored: Promotion?) {
        self.stored = stored
        texts = body.fields
    }

    private func text(_ name: String) -> String { texts[name] ?? "" }

    // MARK: The form

    func form(problems: [String: String] = [:]) -> ConsoleForm {
        var form = ConsoleForm(
            action: stored.map { "/console/promotions/\(ConsolePath.part($0.promotionId))" } ?? "/console/promotions",
            submit: "Save to the draft", cancel: ConsoleLink(text: "Cancel", href: "/console/promotions"))
        let id = ConsoleField.text(
            "promotionId", "Id", text("promotionId"), hint: "Its name in quotes and orders, for good: launch-week.",
            required: true)
        form.fields = [stored == nil ? id : id.fixed] + discount + bounds
        form.add(problems)
        return form
    }

    private var discount: [ConsoleField] {
        [
            .text("name", "Name", text("name"), hint: "What players read beside the price.", required: true),
            .number(
                "percentOff", "Percent off", text("percentOff"),
                hint: "1 to 90, of the list price. Empty where amounts are taken off."),
            .area(
                "amountsOff", "Amounts off", text("amountsOff"),
                hint: "One a line, one per currency: 2.00 EUR. Empty where a percentage is taken off.", rows: 2),
            .text(
                "code", "Code", text("code"),
                hint: "4 to 32 of A-Z, 0-9 and -. Empty: it holds by itself, for everyone."),
            .area(
                "productIds", "Products", text("productIds"),
                hint: "One product’s id a line. Empty: for every product.",
                rows: 3),
        ]
    }

    private var bounds: [ConsoleField] {
        [
            .moment("startsAt", "From (UTC)", text("startsAt"), required: true),
            .moment("endsAt", "Until (UTC)", text("endsAt"), required: true),
            .number(
                "limitPerPlayer", "Limit per player", text("limitPerPlayer"),
                hint: "The most orders of one player with it. Empty: no such limit."),
            .number(
                "limitTotal", "Limit in all", text("limitTotal"),
                hint: "The most orders of all players with it. Empty: no such limit."),
            .select(
                "stacking", "Together with others", text("stacking"),
                [
                    (Promotion.Stacking.exclusive.rawValue, "exclusive: alone, where it is the best"),
                    (Promotion.Stacking.stackable.rawValue, "stackable: together with other stackable ones"),
                ]),
        ]
    }

    // MARK: The promotion

    /// - Returns: the promotion, or what is wrong with the fields.
    func promotion(_ body: FormBody) -> (Promotion?, problems: [String: String]) {
        var reader = FieldReader(body)
        let id = stored?.promotionId ?? reader.required("promotionId", "an id")
        let name = reader.required("name", "a name")
        let starts = reader.moment("startsAt", kept: stored?.startsAt)
        let ends = reader.moment("endsAt", kept: stored?.endsAt)
        if starts == nil { reader.note("startsAt", "Enter when it begins.") }
        if ends == nil { reader.note("endsAt", "Enter when it ends.") }
        let (percent, amounts) = (reader.integer("percentOff"), reader.money("amountsOff"))
        let (perPlayer, total) = (reader.integer("limitPerPlayer"), reader.integer("limitTotal"))
        let products = reader.products("productIds")
        let stacking = reader.choice("stacking", Promotion.Stacking.self)
        guard reader.problems.isEmpty, let starts, let ends, let stacking else { return (nil, reader.problems) }
        let promotion = Promotion(
            promotionId: id, name: name, productIds: products, percentOff: percent, amountsOff: amounts,
            code: body["code"].isEmpty ? nil : body["code"].uppercased(), startsAt: starts, endsAt: ends,
            limitPerPlayer: perPlayer, limitTotal: total, stacking: stacking)
        return (promotion, [:])
    }
}
