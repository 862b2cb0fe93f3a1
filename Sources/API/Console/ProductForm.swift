import Foundation
import GameModel
import Store

/// A product as the fields of a form: texts, so that what a person wrote comes back as they wrote it.
struct ProductForm: Sendable {
    /// The product as it is in the draft; `nil` where it is new.
    let stored: Product?
    private var texts: [String: String] = [:]
    private var isActive = true

    init(_ stored: Product?) {
        self.stored = stored
        guard let stored else {
            texts = ["quantity": "1", "kind": ProductKind.skin.rawValue]
            return
        }
        texts = [
            "productId": stored.productId.rawValue, "name": stored.name, "description": stored.description,
            "kind": stored.kind.rawValue, "prices": Self.lines(stored.prices),
            "virtualPrices": Self.lines(stored.virtualPrices), "quantity": String(stored.quantity),
            "credit": stored.credit?.description ?? "",
            "parts": Self.lines(stored.parts.map { "\($0.productId) \($0.quantity)" }),
            "limitPerPlayer": stored.limitPerPlayer.map(String.init) ?? "",
            "availableFrom": ConsoleWords.input(stored.availableFrom),
            "availableUntil": ConsoleWords.input(stored.availableUntil), "picture": stored.picture ?? "",
        ]
        isActive = stored.isActive
    }

    init(_ body: FormBody, stored: Product?) {
        self.stored = stored
        texts = body.fields
        isActive = body.has("active")
    }

    private static func lines(_ values: [some CustomStringConvertible]) -> String {
        values.map(\.description).joined(separator: "\n")
    }

    private func text(_ name: String) -> String { texts[name] ?? "" }

    // MARK: The form

    func form(problems: [String: String] = [:]) -> ConsoleForm {
        var form = ConsoleForm(
            action: stored.map { "/console/products/\(ConsolePath.part($0.productId.rawValue))" }
                ?? "/console/products",
            submit: "Save to the draft", cancel: ConsoleLink(text: "Cancel", href: "/console/products"))
        let id = ConsoleField.text(
            "productId", "Id", text("productId"),
            hint: "Its name in orders and inventories, for good: skin-ember-knight.",
            required: true)
        form.fields = [stored == nil ? id : id.fixed] + names + sale + contents
        form.add(problems)
        return form
    }

    private var names: [ConsoleField] {
        [
            .text("name", "Name", text("name"), hint: "What players read; up to 80 characters.", required: true),
            .area("description", "Description", text("description"), rows: 3),
            .select(
                "kind", "Kind", text("kind"),
                ProductKind.allCases.map { ($0.rawValue, ConsoleWords.words($0)) },
                hint: "A skin is owned once, an item used up, a currency pack fills the wallet, a bundle has parts."),
        ]
    }

    private var sale: [ConsoleField] {
        [
            .area(
                "prices", "Prices in money", text("prices"), hint: "One a line, one per currency: 4.99 EUR.", rows: 3),
            .area(
                "virtualPrices", "Prices in virtual currency", text("virtualPrices"),
                hint: "One a line, one per currency: 500 gems.", rows: 2),
            .number(
                "limitPerPlayer", "Limit per player", text("limitPerPlayer"),
                hint: "The most purchases of one player, over all time. Empty: no such limit."),
            .moment("availableFrom", "Sold from (UTC)", text("availableFrom"), hint: "Empty: at once."),
            .moment("availableUntil", "Sold until (UTC)", text("availableUntil"), hint: "Empty: with no end."),
            .checkbox(
                "active", "For sale", isActive, hint: "Unticked, it is not sold. What players own stays theirs."),
        ]
    }

    private var contents: [ConsoleField] {
        [
            .number("quantity", "Pieces of an item", text("quantity"), hint: "What one purchase gives; 1 otherwise."),
            .text("credit", "Credit of a currency pack", text("credit"), hint: "What goes into the wallet: 500 gems."),
            .area(
                "parts", "Parts of a bundle", text("parts"), hint: "One product’s id a line, and how many: potion 3.",
                rows: 3),
            .text(
                "picture", "Picture’s key", text("picture"),
                hint: "Filled in by the upload below, once the product is saved. Empty: no picture."),
        ]
    }

    // MARK: The product

    /// - Returns: the product, or what is wrong with the fields.
    func product(_ body: FormBody) -> (Product?, problems: [String: String]) {
        var reader = FieldReader(body)
        let id: ProductID? = stored?.productId ?? reader.identifier("productId", "an id, without spaces")
        let kind = reader.choice("kind", ProductKind.self)
        let credit = reader.virtual("credit")
        if credit.count > 1 { reader.note("credit", "Write one amount.") }
        let name = reader.required("name", "a name")
        let quantity = reader.integer("quantity") ?? 1
        let from = reader.moment("availableFrom", kept: stored?.availableFrom)
        let until = reader.moment("availableUntil", kept: stored?.availableUntil)
        let (prices, virtualPrices) = (reader.money("prices"), reader.virtual("virtualPrices"))
        let (parts, limit) = (reader.parts("parts"), reader.integer("limitPerPlayer"))
        guard reader.problems.isEmpty, let id, let kind else { return (nil, reader.problems) }
        let product = Product(
            productId: id, name: name, description: body["description"].replacing("\r\n", with: "\n"), kind: kind,
            prices: prices, virtualPrices: virtualPrices, quantity: quantity, credit: credit.first, parts: parts,
            limitPerPlayer: limit, availableFrom: from, availableUntil: until,
            picture: body["picture"].isEmpty ? nil : body["picture"], isActive: body.has("active"))
        return (product, [:])
    }
}

/// Parts of paths.
enum ConsolePath {
    private static let plain = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{0}"..."\u{7F}"))
        .union(CharacterSet(charactersIn: "-_."))

    /// Any id as one part of a path.
    static func part(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: plain) ?? "" }
}
