import GameModel

/// A published catalog in the form that players' clients read: what is sold at a moment, with the prices that anyone
/// pays without a code. Whether a promotion is used up for one player only the quote tells.
struct ShopWindow: Encodable {
    struct Entry: Encodable {
        let productId: ProductID
        let name: String
        let description: String
        let kind: ProductKind
        let prices: [Price]
        let virtualPrices: [VirtualPrice]
        let quantity: Int
        let credit: VirtualMoney?
        let parts: [Product.Part]
        let limitPerPlayer: Int?
        let availableUntil: Instant?
        /// The address of its picture.
        let picture: String?
        let promotion: LivePromotion?
    }

    struct Price: Encodable {
        let minorUnits: Int64
        let currency: Currency
        /// What one of it costs now.
        let finalMinorUnits: Int64
    }

    struct VirtualPrice: Encodable {
        let amount: Int64
        let currency: String
        /// What one of it costs now.
        let finalAmount: Int64
    }

    /// The promotion that takes most off the first price.
    struct LivePromotion: Encodable {
        let id: String
        let name: String
        let endsAt: Instant
    }

    let version: Int
    let products: [Entry]

    init(
        _ version: CatalogVersion, at now: Instant, usedUp: Set<String>, pictureURL: (String) -> String
    ) throws(StoreError) {
        self.version = version.version
        // By product, because a search among all promotions for each would take long.
        var (everywhere, byProduct): ([Promotion], [ProductID: [Promotion]]) = ([], [:])
        for promotion in version.document.promotions where promotion.code == nil && promotion.holds(at: now) {
            guard !usedUp.contains(promotion.promotionId) else { continue }
            if promotion.productIds.isEmpty { everywhere.append(promotion) }
            for product in promotion.productIds { byProduct[product, default: []].append(promotion) }
        }
        var entries: [Entry] = []
        for product in version.document.products where product.isSold(at: now) && !product.units.isEmpty {
            let alone = CatalogDocument(
                products: [product], promotions: everywhere + byProduct[product.productId, default: []])
            entries.append(
                try Self.entry(product, in: alone, version: version.version, at: now, pictureURL: pictureURL))
        }
        products = entries
    }

    private static func entry(
        _ product: Product, in document: CatalogDocument, version: Int, at now: Instant, pictureURL: (String) -> String
    ) throws(StoreError) -> Entry {
        var quotes: [String: Quote] = [:]
        for unit in product.units {
            quotes[unit] = try Pricing.quote(
                Wish(productId: product.productId, unit: unit), in: document, version: version,
                uses: PromotionUses(), at: now)
        }
        let best = product.units.first.flatMap { quotes[$0] }?.lines
            .filter { $0.kind == .promotion }.min { $0.amount < $1.amount }?.promotionId
        let promotion = best.flatMap { best in document.promotions.first { $0.promotionId == best } }
        return Entry(
            productId: product.productId, name: product.name, description: product.description, kind: product.kind,
            prices: product.prices.map { price in
                let quote = quotes[price.currency.rawValue]
                return Price(
                    minorUnits: price.minorUnits, currency: price.currency,
                    finalMinorUnits: quote?.total ?? price.minorUnits)
            },
            virtualPrices: product.virtualPrices.map { price in
                VirtualPrice(
                    amount: price.amount, currency: price.currency,
                    finalAmount: quotes[price.currency]?.total ?? price.amount)
            },
            quantity: product.quantity, credit: product.credit, parts: product.parts,
            limitPerPlayer: product.limitPerPlayer, availableUntil: product.availableUntil,
            picture: product.picture.map(pictureURL),
            promotion: promotion.map { LivePromotion(id: $0.promotionId, name: $0.name, endsAt: $0.endsAt) })
    }
}

extension CatalogDocument {
    /// The first moment after another at which a window opens or closes; `nil` where none does.
    func nextChange(after now: Instant) -> Instant? {
        let products = products.filter(\.isActive).flatMap { [$0.availableFrom, $0.availableUntil] }.compactMap(\.self)
        let promotions = promotions.filter { $0.code == nil }.flatMap { [$0.startsAt, $0.endsAt] }
        return (products + promotions).filter { now < $0 }.min()
    }
}
