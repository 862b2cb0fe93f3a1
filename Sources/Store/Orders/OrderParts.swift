import GameModel

/// What an order gives to its owner: skins, pieces of items, and virtual currency. A function of the product and the
/// catalog of the order's moment; equal things of a bundle are added up.
struct OrderParts: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case skin, item
        /// Virtual currency for the wallet.
        case credit
    }

    struct Part: Sendable, Hashable {
        let kind: Kind
        /// A product's id; for ``Kind/credit`` a virtual currency.
        let item: String
        let quantity: Int64
    }

    /// By kind and item; each pair once.
    let all: [Part]

    var skins: [Part] { all.filter { $0.kind == .skin } }

    init(all: [Part]) { self.all = all }

    /// Throws ``StoreError/unknownProduct(_:)``, and ``StoreError/notSold(_:reason:)`` for more than can be counted.
    init(of product: ProductID, quantity: Int, in catalog: CatalogDocument) throws(StoreError) {
        guard let bought = catalog.products.first(where: { $0.productId == product }) else {
            throw .unknownProduct(product)
        }
        var sums: [Part: Int64] = [:]
        if bought.kind == .bundle {
            for part in bought.parts {
                guard let product = catalog.products.first(where: { $0.productId == part.productId }) else {
                    throw .unknownProduct(part.productId)
                }
                try Self.add(product, times: [quantity, part.quantity], to: &sums)
            }
        } else {
            try Self.add(bought, times: [quantity], to: &sums)
        }
        all = sums.map { Part(kind: $0.kind, item: $0.item, quantity: $1) }
            .sorted { ($0.kind.rawValue, $0.item) < ($1.kind.rawValue, $1.item) }
    }

    private static func add(
        _ product: Product, times factors: [Int], to sums: inout [Part: Int64]
    ) throws(StoreError) {
        let (key, pieces): (Part, Int64)
        switch product.kind {
        case .skin: (key, pieces) = (Part(kind: .skin, item: product.productId.rawValue, quantity: 0), 1)
        case .item:
            (key, pieces) = (Part(kind: .item, item: product.productId.rawValue, quantity: 0), Int64(product.quantity))
        case .currencyPack:
            guard let credit = product.credit else { return }
            (key, pieces) = (Part(kind: .credit, item: credit.currency, quantity: 0), credit.amount)
        case .bundle: throw .notSold(product.productId, reason: "a bundle can't be part of a bundle")
        }
        var total = pieces
        for factor in factors {
            let (product, overflows) = total.multipliedReportingOverflow(by: Int64(factor))
            guard !overflows else { throw .notSold(ProductID(key.item), reason: "more than can be counted") }
            total = product
        }
        let (sum, overflows) = (sums[key] ?? 0).addingReportingOverflow(total)
        guard !overflows else { throw .notSold(ProductID(key.item), reason: "more than can be counted") }
        sums[key] = sum
    }
}
