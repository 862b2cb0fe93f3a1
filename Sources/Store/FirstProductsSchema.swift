import GRDB
import GameModel

/// What a new store sells, so that there is something to see.
enum FirstProducts {
    static let all: [Product] = [
        skin("skin-ember-knight", "Ember Knight", 499),
        skin("skin-frost-warden", "Frost Warden", 499),
        skin("skin-gilded-oracle", "Gilded Oracle", 999),
        skin("skin-moss-giant", "Moss Giant", 799),
        skin("skin-night-courier", "Night Courier", 299),
        skin("skin-star-pilot", "Star Pilot", 1499),
        Product(
            productId: ProductID("gems-500"), name: "500 gems", kind: .currencyPack,
            prices: [Money(minorUnits: 499, currency: .eur)],
            credit: VirtualMoney(amount: 500, currency: "gems")),
        Product(
            productId: ProductID("potion-healing"), name: "Healing potion", description: "Three of them.",
            kind: .item,
            prices: [Money(minorUnits: 99, currency: .eur)],
            virtualPrices: [VirtualMoney(amount: 90, currency: "gems")], quantity: 3),
        Product(
            productId: ProductID("bundle-starter"), name: "Starter bundle", kind: .bundle,
            prices: [Money(minorUnits: 799, currency: .eur)],
            parts: [
                Product.Part(productId: ProductID("skin-night-courier")),
                Product.Part(productId: ProductID("gems-500")),
                Product.Part(productId: ProductID("potion-healing"), quantity: 2),
            ], limitPerPlayer: 1),
    ]

    /// Publishes them as version 1 where nothing was ever published, with a promotion of two weeks.
    static func publishWhereEmpty(in db: Database) throws {
        guard try CatalogRepository.published(in: db).version == 0 else { return }
        let now = Instant.now
        let launch = Promotion(
            promotionId: "launch-week", name: "Launch weeks",
            productIds: [ProductID("skin-gilded-oracle")],
            percentOff: 30, startsAt: now, endsAt: now + .seconds(14 * 24 * 3600))
        for product in all { try DraftRepository.upsert(product, by: "muster", at: now, in: db) }
        try DraftRepository.upsert(launch, by: "muster", at: now, in: db)
        try CatalogRepository.insertVersion(
            CatalogVersion(
                version: 1, publishedAt: now, publishedBy: "muster", note: "the first products",
                document: try DraftRepository.draft(in: db)), in: db)
    }

    private static func skin(_ id: String, _ name: String, _ price: Int64) -> Product {
        Product(
            productId: ProductID(id), name: name, kind: .skin,
            prices: [Money(minorUnits: price, currency: .eur)],
            virtualPrices: [VirtualMoney(amount: price, currency: "gems")])
    }
}
