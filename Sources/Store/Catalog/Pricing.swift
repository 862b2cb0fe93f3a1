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

    /// The codes of a wish that don't hold, each with the reason: an order with one of them is refused. One that holds,
    /// and loses against a better promotion, is none of these.
    public static func refusedCodes(
        of wish: Wish, in catalog: CatalogDocument, uses: PromotionUses, at now: Instant
    ) throws(StoreError) -> [(code: String, reason: String)] {
        throw .unavailable("not built yet")
    }

    /// The promotions that may be applied to a wish: those without a code, and those whose code it names.
    static func candidates(for wish: Wish, in catalog: CatalogDocument) -> [Promotion] {
        let codes = Set(wish.codes.map { $0.uppercased() })
        return catalog.promotions.filter { $0.code.map(codes.contains) ?? true }
    }
}
