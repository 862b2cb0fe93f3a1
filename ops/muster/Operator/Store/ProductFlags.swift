import ArgumentParser
import GameModel
import Store

/// The fields of a product, each as an option.
struct ProductFlags: ParsableArguments {
    /// What can be emptied.
    enum Field: String, ExpressibleByArgument, CaseIterable {
        case description, price, credit, part, limit, from, until, picture
        case virtualPrice = "virtual-price"
    }

    @Option(help: "What players read, 1 to 80 characters.") var name: String?
    @Option(help: "What players read below it.") var description: String?
    @Option(help: "skin, item, currency_pack or bundle.") var kind: ProductKind?
    @Option(help: ArgumentHelp("A price, like \"4.99 EUR\"; one per currency, repeatable.", valueName: "money"))
    var price: [Money] = []
    @Option(help: ArgumentHelp("A price from the wallet, like \"100 gems\"; repeatable.", valueName: "amount"))
    var virtualPrice: [VirtualMoney] = []
    @Option(help: "How many pieces one purchase of an item gives.") var quantity: Int?
    @Option(help: ArgumentHelp("What a currency pack puts into the wallet, like \"500 gems\".", valueName: "amount"))
    var credit: VirtualMoney?
    @Option(help: ArgumentHelp("A product of a bundle, like potion*3; repeatable.", valueName: "product"))
    var part: [Product.Part] = []
    @Option(help: "The most purchases of one player.") var limit: Int?
    @Option(help: ArgumentHelp("The first moment at which it is sold, like 2026-12-01T12:00:00Z.", valueName: "time"))
    var from: Instant?
    @Option(help: ArgumentHelp("The first moment at which it is no longer sold.", valueName: "time"))
    var until: Instant?
    @Option(help: ArgumentHelp("The key of a picture, see 'muster store pictures add'.", valueName: "key"))
    var picture: String?
    @Flag(inversion: .prefixedNo, help: "Whether it can be bought.") var active: Bool?
    @Option(
        help: ArgumentHelp(
            "Empties a field: \(Field.allCases.map(\.rawValue).joined(separator: ", ")); repeatable.",
            valueName: "field"))
    var clear: [Field] = []

    var isEmpty: Bool {
        name == nil && description == nil && kind == nil && price.isEmpty && virtualPrice.isEmpty && quantity == nil
            && credit == nil && part.isEmpty && limit == nil && from == nil && until == nil && picture == nil
            && active == nil && clear.isEmpty
    }

    /// The product with what was given; a new one where there is none yet.
    func applied(to old: Product?, id: ProductID) throws -> Product {
        guard let name = name ?? old?.name, let kind = kind ?? old?.kind else {
            throw CommandFailure(
                "There is no product \(id) in the draft yet.", nextStep: "A new one needs --name and --kind.")
        }
        func kept<Value>(_ field: Field, _ value: Value?, _ old: Value?) -> Value? {
            value ?? (clear.contains(field) ? nil : old)
        }
        func kept<Value>(_ field: Field, _ values: [Value], _ old: [Value]?) -> [Value] {
            values.isEmpty ? (clear.contains(field) ? [] : old ?? []) : values
        }
        return Product(
            productId: id, name: name, description: kept(.description, description, old?.description) ?? "",
            kind: kind, prices: kept(.price, price, old?.prices),
            virtualPrices: kept(.virtualPrice, virtualPrice, old?.virtualPrices),
            quantity: quantity ?? old?.quantity ?? 1, credit: kept(.credit, credit, old?.credit),
            parts: kept(.part, part, old?.parts), limitPerPlayer: kept(.limit, limit, old?.limitPerPlayer),
            availableFrom: kept(.from, from, old?.availableFrom),
            availableUntil: kept(.until, until, old?.availableUntil),
            picture: kept(.picture, picture, old?.picture), isActive: active ?? old?.isActive ?? true)
    }
}
