import GameModel

/// What one choice of promotions takes off an offer.
struct Discounts {
    /// The applied promotions, and what was added back so that the total can be charged.
    let lines: [QuoteLine]
    let total: Int64
    /// What is said of a promotion that holds and is not among the lines.
    let reasonToRefuse: String

    /// The lower of the best exclusive promotion alone and all stackable ones together; none where none of them makes
    /// the price lower. Of equal ones, the choice that uses fewer promotions up, then the one first by id.
    static func best(of promotions: [Promotion], on offer: Offer) -> Discounts {
        var choices = promotions.filter { $0.stacking == .exclusive }.map { [$0] }
        let stackable = promotions.filter { $0.stacking == .stackable }
        if !stackable.isEmpty { choices.append(stackable) }
        let none = Discounts(
            lines: [], total: offer.list, reasonToRefuse: "does not apply: the price can't be lower")
        return choices.map { taking($0, off: offer) }
            .filter { $0.total < offer.list }
            .min { $0.rank < $1.rank } ?? none
    }

    /// The lowest is the one to take.
    private var rank: (Int64, Int, String) {
        let ids = lines.compactMap(\.promotionId)
        return (total, ids.count, ids.sorted().joined(separator: " "))
    }

    /// Percentages of the list price first, amounts after them; nothing is taken off what is nothing.
    private static func taking(_ promotions: [Promotion], off offer: Offer) -> Discounts {
        var (left, lines): (Int64, [QuoteLine]) = (offer.list, [])
        let ordered = promotions.sorted { first, second in
            first.isPercentage == second.isPercentage
                ? first.promotionId < second.promotionId : first.isPercentage
        }
        var names: [String] = []
        for promotion in ordered {
            let (cut, words) = cut(of: promotion, on: offer)
            let taken = min(left, cut)
            guard taken > 0 else { continue }
            left -= taken
            names.append(promotion.name)
            lines.append(
                QuoteLine(
                    kind: .promotion, text: "\(words): \(promotion.name)", amount: -taken,
                    promotionId: promotion.promotionId))
        }
        if left < offer.minimum {
            lines.append(
                QuoteLine(
                    kind: .minimum, text: "at least \(offer.words(offer.minimum)) is charged",
                    amount: offer.minimum - left))
            left = offer.minimum
        }
        return Discounts(
            lines: lines, total: left, reasonToRefuse: "gives way to \(names.joined(separator: ", "))")
    }

    /// What a promotion takes off, rounded up to what can be charged in steps.
    private static func cut(of promotion: Promotion, on offer: Offer) -> (cut: Int64, words: String) {
        let (whole, rest) = offer.list.quotientAndRemainder(dividingBy: 100)
        var (cut, words): (Int64, String) = (0, "")
        if let percent = promotion.percentOff.map(Int64.init) {
            // In two parts, because the product of a large price and a percentage may not fit.
            (cut, words) = (whole * percent + (rest * percent + 99) / 100, "\(percent) % off")
        } else if let amount = promotion.amountsOff.first(where: { $0.currency == offer.currency }) {
            (cut, words) = (amount.minorUnits, "\(amount) off")
        }
        return ((cut + offer.step - 1) / offer.step * offer.step, words)
    }
}

extension Promotion {
    fileprivate var isPercentage: Bool { percentOff != nil }
}
