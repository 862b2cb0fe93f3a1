import GameModel

extension Product {
    static let virtualPricesMax = 8

    /// What is not right about it by itself; what it says about other things is
    /// ``CatalogDocument/faults(of:in:isPictureKnown:)``.
    func faults() -> [CatalogFault] {
        var finder = FaultFinder()
        finder.id(productId.rawValue, field: "productId")
        finder.name(name)
        let isVisible = description.split(separator: "\n").allSatisfy { StoreRules.isVisible(String($0)) }
        finder.check(
            Self.descriptionCharacters.contains(description.count) && isVisible, "description",
            "expected up to \(Self.descriptionCharacters.upperBound) visible characters, got \(description.count)")
        checkPrices(&finder)
        checkKind(&finder)
        finder.limit(limitPerPlayer, field: "limitPerPlayer")
        finder.window(from: availableFrom, "availableFrom", until: availableUntil, "availableUntil")
        return finder.faults
    }

    private func checkPrices(_ finder: inout FaultFinder) {
        finder.money(prices, field: "prices", from: \.minimumCharge)
        finder.check(
            virtualPrices.count <= Self.virtualPricesMax, "virtualPrices",
            "expected at most \(Self.virtualPricesMax), got \(virtualPrices.count)")
        var seen: Set<String> = []
        for (index, price) in virtualPrices.enumerated() {
            finder.virtual(price, field: "virtualPrices[\(index)]")
            finder.check(
                seen.insert(price.currency).inserted, "virtualPrices[\(index)].currency",
                "expected each currency once, got \(price.currency) again")
            finder.check(
                price.currency != credit?.currency, "virtualPrices[\(index)].currency",
                "expected another currency than the credit's: \(price.currency) can't be bought with itself")
        }
        finder.check(
            !isActive || !units.isEmpty, "prices",
            "expected a price in prices or virtualPrices, or active: false, got neither")
    }

    private func checkKind(_ finder: inout FaultFinder) {
        let kind = kind.inWords
        let quantities = self.kind == .item ? Self.quantityRange : 1...1
        finder.check(
            quantities.contains(quantity), "quantity",
            "expected \(self.kind == .item ? "1 to \(quantities.upperBound)" : "1") for \(kind), got \(quantity)")
        if let credit {
            finder.check(
                self.kind == .currencyPack, "credit", "expected none for \(kind), got \(credit)")
            finder.virtual(credit, field: "credit")
        } else {
            finder.check(
                self.kind != .currencyPack, "credit", "expected what the pack puts into the wallet, got none")
        }
        if self.kind == .skin, let limitPerPlayer {
            finder.check(
                limitPerPlayer == 1, "limitPerPlayer",
                "expected 1 or none, because a skin is owned once, got \(limitPerPlayer)")
        }
        let counts = self.kind == .bundle ? 1...Self.partsMax : 0...0
        finder.check(
            counts.contains(parts.count), "parts",
            "expected \(self.kind == .bundle ? "1 to \(Self.partsMax)" : "none") for \(kind), got \(parts.count)")
        var seen: Set<ProductID> = []
        for (index, part) in parts.enumerated() {
            finder.check(
                Self.quantityRange.contains(part.quantity), "parts[\(index)].quantity",
                "expected 1 to \(Self.quantityRange.upperBound), got \(part.quantity)")
            finder.check(
                seen.insert(part.productId).inserted, "parts[\(index)].productId",
                "expected each product once, got \(part.productId) again: raise its quantity")
        }
    }
}

extension ProductKind {
    fileprivate var inWords: String {
        switch self {
        case .skin: "a skin"
        case .item: "an item"
        case .currencyPack: "a currency pack"
        case .bundle: "a bundle"
        }
    }
}
