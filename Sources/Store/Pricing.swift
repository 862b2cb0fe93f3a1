import GameModel

/// A price and how it came about.
public struct Quote: Sendable, Hashable {
    public let listPrice: Money
    /// What is charged.
    public let finalPrice: Money
    /// The promotion that made the difference, if one did.
    public let promotion: Promotion?
}

/// What a product costs at a moment: a function of values, used by the catalog and the order alike.
public enum Pricing {
    /// The price with the best promotion that holds at the moment.
    ///
    /// Promotions don't add up: the highest percentage wins, of equal ones the one that ends first, then the one
    /// whose name comes first. The final price is rounded down to a whole minor unit, so that the player never gets
    /// less off than promised.
    public static func quote(_ product: Product, promotions: [Promotion], at now: Instant) -> Quote {
        let live = promotions.filter { promotion in
            (promotion.productId == nil || promotion.productId == product.productId)
                && promotion.startsAt <= now && now < promotion.endsAt
        }
        let best = live.min { left, right in
            (-left.percentOff, left.endsAt, left.promotionId) < (-right.percentOff, right.endsAt, right.promotionId)
        }
        guard let best else { return Quote(listPrice: product.price, finalPrice: product.price, promotion: nil) }
        let minorUnits = product.price.minorUnits * Int64(100 - best.percentOff) / 100
        return Quote(
            listPrice: product.price,
            finalPrice: Money(minorUnits: minorUnits, currency: product.price.currency), promotion: best)
    }
}
