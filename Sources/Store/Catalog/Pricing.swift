import GameModel

/// What a wish costs at a moment: a function of values, used by the catalog, the quote and the order alike.
public enum Pricing {
    /// - Parameter uses: how often the promotions were used, by this player and in all.
    /// - Throws: ``StoreError/unknownProduct(_:)``, ``StoreError/notSold(_:reason:)``, or
    /// ``StoreError/invalidField(name:reason:)`` for a unit that the product has no price in.
    public static func quote(
        _ wish: Wish, in catalog: CatalogDocument, version: Int, uses: PromotionUses, at now: Instant
    ) throws(StoreError) -> Quote {
        throw .unavailable("not built yet")
    }
}
