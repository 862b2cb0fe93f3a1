import GameModel

/// The rules of a catalog as a whole: what its products and promotions say about each other.
extension CatalogDocument {
    public static let productsMax = 1_000
    public static let promotionsMax = 500

    /// What keeps it from being published, a line each: `product skin-a: prices[0].minorUnits: expected …, got …`.
    ///
    /// - Parameter isPictureKnown: whether a picture with this key was uploaded.
    public func problems(isPictureKnown: (String) throws -> Bool) rethrows -> [String] {
        var problems: [String] = []
        if products.count > Self.productsMax {
            problems.append("products: expected at most \(Self.productsMax), got \(products.count)")
        }
        if promotions.count > Self.promotionsMax {
            problems.append("promotions: expected at most \(Self.promotionsMax), got \(promotions.count)")
        }
        // Past the limits the rules below would take long, and more lines help nobody.
        guard problems.isEmpty else { return problems }
        let index = index
        var ids: Set<String> = []
        for product in products {
            let subject = "product \(product.productId)"
            if !ids.insert(subject).inserted { problems.append("\(subject): productId: expected each id once") }
            let faults = try product.faults() + faults(of: product, in: index, isPictureKnown: isPictureKnown)
            problems += faults.map { "\(subject): \($0.field): \($0.reason)" }
        }
        for promotion in promotions {
            let subject = "promotion \(promotion.promotionId)"
            if !ids.insert(subject).inserted { problems.append("\(subject): promotionId: expected each id once") }
            problems += (promotion.faults() + faults(of: promotion, in: index)).map {
                "\(subject): \($0.field): \($0.reason)"
            }
        }
        return problems
    }

    /// What products and promotions say of each other, for a look without a search.
    struct Index {
        let products: [ProductID: Product]
        /// The promotions' ids by their code.
        let codes: [String: [String]]
    }

    var index: Index {
        Index(
            products: Dictionary(products.map { ($0.productId, $0) }) { first, _ in first },
            codes: Dictionary(grouping: promotions) { $0.code ?? "" }.mapValues { $0.map(\.promotionId) })
    }

    /// What a product says about other things that is not so.
    func faults(
        of product: Product, in index: Index, isPictureKnown: (String) throws -> Bool
    ) rethrows -> [CatalogFault] {
        var finder = FaultFinder()
        for (number, part) in product.parts.enumerated() {
            guard let other = index.products[part.productId] else {
                finder.note("parts[\(number)].productId", "expected a product of this catalog, got \(part.productId)")
                continue
            }
            finder.check(
                other.kind != .bundle, "parts[\(number)].productId",
                "expected no bundle, got \(part.productId): name its parts instead")
            finder.check(
                other.kind != .skin || part.quantity == 1, "parts[\(number)].quantity",
                "expected 1, because a skin is owned once, got \(part.quantity)")
            for (priceIndex, price) in product.virtualPrices.enumerated() {
                finder.check(
                    price.currency != other.credit?.currency, "virtualPrices[\(priceIndex)].currency",
                    "expected another currency than that of \(part.productId) in it, got \(price.currency)")
            }
        }
        if let picture = product.picture {
            finder.check(
                try isPictureKnown(picture), "picture",
                "expected the key of an uploaded picture, got '\(picture.prefix(200))'")
        }
        return finder.faults
    }

    /// What a promotion says about other things that is not so.
    func faults(of promotion: Promotion, in index: Index) -> [CatalogFault] {
        var finder = FaultFinder()
        for (number, id) in promotion.productIds.enumerated() {
            finder.check(
                index.products[id] != nil, "productIds[\(number)]",
                "expected a product of this catalog, got \(id)")
        }
        if let code = promotion.code {
            let other = index.codes[code, default: []].first { $0 != promotion.promotionId }
            finder.check(
                other == nil, "code",
                "expected a code of its own, got \(code), which promotion \(other ?? "") has")
        }
        return finder.faults
    }
}
