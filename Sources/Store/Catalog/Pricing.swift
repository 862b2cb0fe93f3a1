import GameModel

/// What a wish costs at a moment: a function of values, used by the catalog, the quote and the order alike.
///
/// Promises: the lines add up to the total; the total is the lower of the best exclusive promotion alone and all
/// stackable ones together, with fractions for the player's good; it is never above the list price, and never below
/// what can be charged. A promotion that makes no difference is not applied, so that no use of it is counted.
public enum Pricing {
    /// - Parameter uses: how often the promotions were used, by this player and in all.
    /// - Throws: ``StoreError/unknownProduct(_:)``, ``StoreError/notSold(_:reason:)``, or
    ///   ``StoreError/invalidField(name:reason:)`` for a quantity, a code's form, or a unit that the product has no
    ///   price in.
    public static func quote(
        _ wish: Wish, in catalog: CatalogDocument, version: Int, uses: PromotionUses, at now: Instant
    ) throws(StoreError) -> Quote {
        let offer = try Offer(wish, in: catalog, at: now)
        let claims = try claims(wish, on: offer, in: catalog, uses: uses, at: now)
        let applied = Discounts.best(of: claims.filter { $0.reason == nil }.compactMap(\.promotion), on: offer)
        let name = offer.product.name
        let text = offer.quantity == 1 ? name : "\(offer.quantity) × \(name) at \(offer.words(offer.price))"
        var lines = [QuoteLine(kind: .list, text: text, amount: offer.list)] + applied.lines
        let ids = Set(applied.lines.compactMap(\.promotionId))
        for claim in claims where !ids.contains(claim.promotion?.promotionId ?? "") {
            let reason = claim.reason ?? applied.reasonToRefuse
            lines.append(
                QuoteLine(
                    kind: .refused, text: "\(claim.subject) \(reason)", amount: 0,
                    promotionId: claim.promotion?.promotionId))
        }
        return Quote(
            productId: offer.product.productId, quantity: offer.quantity, unit: offer.unit, list: offer.list,
            total: applied.total, lines: lines, catalogVersion: version)
    }

    /// The codes of a wish that don't hold, each with the reason: an order with one of them is refused. One that holds,
    /// and loses against a better promotion, is none of these. Throws as ``quote(_:in:version:uses:at:)`` does.
    public static func refusedCodes(
        of wish: Wish, in catalog: CatalogDocument, uses: PromotionUses, at now: Instant
    ) throws(StoreError) -> [(code: String, reason: String)] {
        guard !wish.codes.isEmpty else { return [] }
        let offer = try Offer(wish, in: catalog, at: now)
        var refused: [(code: String, reason: String)] = []
        for claim in try claims(wish, on: offer, in: catalog, uses: uses, at: now) {
            if let code = claim.code, let reason = claim.reason { refused.append((code, reason)) }
        }
        return refused
    }

    /// The promotions that may be applied to a wish: those without a code, and those whose code it names.
    static func candidates(for wish: Wish, in catalog: CatalogDocument) -> [Promotion] {
        let codes = Set(wish.codes.map { $0.uppercased() })
        return catalog.promotions.filter { promotion in
            guard promotion.covers(wish.productId) else { return false }
            return promotion.code.map(codes.contains) ?? true
        }
    }

    // MARK: Which promotions hold

    /// A promotion, or a code without one, and why it can't be applied; `nil` where it holds.
    private struct Claim {
        let promotion: Promotion?
        let code: String?
        let reason: String?

        /// What the quote's line begins with.
        var subject: String { code.map { "code \($0)" } ?? promotion.map { "\($0.name):" } ?? "" }
    }

    /// The codes of the wish in its order, then the promotions without a code that hold for this product at this
    /// moment. Codes that the wish doesn't name are not told of, nor what began or ended by itself.
    private static func claims(
        _ wish: Wish, on offer: Offer, in catalog: CatalogDocument, uses: PromotionUses, at now: Instant
    ) throws(StoreError) -> [Claim] {
        guard wish.codes.count <= Wish.codesMax else {
            throw .invalidField(name: "codes", reason: "expected at most \(Wish.codesMax), got \(wish.codes.count)")
        }
        var claims: [Claim] = []
        for (index, given) in wish.codes.enumerated() {
            let code = given.uppercased()
            guard Promotion.isCode(code) else {
                throw .invalidField(
                    name: "codes[\(index)]",
                    reason: "expected \(Promotion.codeForm), got '\(given.prefix(40))'")
            }
            guard !claims.contains(where: { $0.code == code }) else { continue }
            let promotion = catalog.promotions.first { $0.code == code }
            let reason =
                promotion.map { reasonAgainst($0, offer: offer, uses: uses, at: now) } ?? "is not known"
            claims.append(Claim(promotion: promotion, code: code, reason: reason))
        }
        for promotion in catalog.promotions where promotion.code == nil {
            guard promotion.covers(offer.product.productId), promotion.holds(at: now) else { continue }
            let reason = reasonAgainst(promotion, offer: offer, uses: uses, at: now)
            claims.append(Claim(promotion: promotion, code: nil, reason: reason))
        }
        return claims
    }

    private static func reasonAgainst(
        _ promotion: Promotion, offer: Offer, uses: PromotionUses, at now: Instant
    ) -> String? {
        if now < promotion.startsAt { return "begins on \(promotion.startsAt.day)" }
        if promotion.endsAt <= now { return "ended on \(promotion.endsAt.day)" }
        if !promotion.covers(offer.product.productId) { return "is not for this product" }
        if promotion.percentOff == nil, !promotion.amountsOff.contains(where: { $0.currency == offer.currency }) {
            let units = promotion.amountsOff.map(\.currency.rawValue).joined(separator: " or ")
            return "is for prices in \(units), not in \(offer.unit)"
        }
        if let limit = promotion.limitPerPlayer, uses.byPlayer[promotion.promotionId, default: 0] >= limit {
            return limit == 1 ? "was used by you already" : "was used by you \(limit) times already"
        }
        if let limit = promotion.limitTotal, uses.total[promotion.promotionId, default: 0] >= limit {
            return "is used up"
        }
        return nil
    }
}

extension Promotion {
    /// What a code looks like, for people.
    static let codeForm = "4 to 32 of A-Z, 0-9 and '-'"

    static func isCode(_ text: String) -> Bool {
        (4...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    func covers(_ product: ProductID) -> Bool { productIds.isEmpty || productIds.contains(product) }

    /// Whether a moment is in its window.
    func holds(at now: Instant) -> Bool { startsAt <= now && now < endsAt }
}
