import GameModel

extension Promotion {
    static let productIdsMax = 200

    /// What is not right about it by itself; what it says about other things is ``CatalogDocument/faults(of:in:)``.
    func faults() -> [CatalogFault] {
        var finder = FaultFinder()
        finder.id(promotionId, field: "promotionId")
        finder.name(name)
        switch (percentOff, amountsOff.isEmpty) {
        case (nil, true): finder.note("percentOff", "expected a percentage, or amounts in amountsOff, got neither")
        case (.some, false):
            finder.note("amountsOff", "expected none beside percentOff: a promotion takes off one or the other")
        default: break
        }
        if let percentOff {
            let range = Self.percentOffRange
            finder.check(
                range.contains(percentOff), "percentOff",
                "expected \(range.lowerBound) to \(range.upperBound) percent, got \(percentOff)")
        }
        finder.money(amountsOff, field: "amountsOff") { $0.chargeStep }
        if let code {
            finder.check(Self.isCode(code), "code", "expected \(Self.codeForm), or none, got '\(code.prefix(40))'")
        }
        finder.window(from: startsAt, "startsAt", until: endsAt, "endsAt")
        finder.limit(limitPerPlayer, field: "limitPerPlayer")
        finder.limit(limitTotal, field: "limitTotal")
        finder.check(
            productIds.count <= Self.productIdsMax, "productIds",
            "expected at most \(Self.productIdsMax), or none for every product, got \(productIds.count)")
        var seen: Set<ProductID> = []
        for (index, product) in productIds.enumerated() {
            finder.check(
                seen.insert(product).inserted, "productIds[\(index)]",
                "expected each product once, got \(product) again")
        }
        return finder.faults
    }
}
