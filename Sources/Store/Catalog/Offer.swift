import GameModel

/// What a wish is priced by before promotions: the product, the unit, and what can be charged in it.
struct Offer {
    let product: Product
    let quantity: Int
    /// `EUR` or `gems`.
    let unit: String
    /// The real currency; `nil` for a virtual one.
    let currency: Currency?
    /// The price of one, in minor units.
    let price: Int64
    /// The price of all of them.
    let list: Int64

    /// The total is never lower, whatever is taken off; never more than the list price.
    var minimum: Int64 { min(currency?.minimumCharge ?? 1, list) }
    /// The total is a multiple of it.
    var step: Int64 { currency?.chargeStep ?? 1 }

    /// Throws as ``Pricing/quote(_:in:version:uses:at:)`` does.
    init(_ wish: Wish, in catalog: CatalogDocument, at now: Instant) throws(StoreError) {
        guard let product = catalog.products.first(where: { $0.productId == wish.productId }) else {
            throw .unknownProduct(wish.productId)
        }
        if let reason = product.reasonNotSold(at: now) { throw .notSold(product.productId, reason: reason) }
        try Self.check(wish.quantity, of: product, in: catalog)
        guard let (unit, price) = product.price(in: wish.unit) else {
            let units = product.units
            guard !units.isEmpty else {
                throw .notSold(product.productId, reason: "it has no price")
            }
            throw .invalidField(
                name: "unit",
                reason: "expected \(units.joined(separator: " or ")), got '\((wish.unit ?? "").prefix(16))'")
        }
        let (list, overflow) = price.multipliedReportingOverflow(by: Int64(wish.quantity))
        let currency = Currency(rawValue: unit)
        guard !overflow, currency == nil || list <= Product.priceMax else {
            throw .invalidField(
                name: "quantity",
                reason: "expected at most \(Product.priceMax / price) at this price, got \(wish.quantity)")
        }
        self.product = product
        self.quantity = wish.quantity
        self.unit = unit
        self.currency = currency
        self.price = price
        self.list = list
    }

    /// What can be owned once is sold once.
    private static func check(_ quantity: Int, of product: Product, in catalog: CatalogDocument) throws(StoreError) {
        guard quantity != 1 else { return }
        let parts = Set(product.parts.map(\.productId))
        let isOwnedOnce =
            product.kind == .skin || catalog.products.contains { $0.kind == .skin && parts.contains($0.productId) }
        let range = isOwnedOnce ? 1...1 : Wish.quantityRange
        guard range.contains(quantity) else {
            let expected =
                isOwnedOnce ? "1, because a skin is owned once" : "\(range.lowerBound) to \(range.upperBound)"
            throw .invalidField(name: "quantity", reason: "expected \(expected), got \(quantity)")
        }
    }

    /// An amount of this offer's unit, in words.
    func words(_ amount: Int64) -> String {
        currency.map { Money(minorUnits: amount, currency: $0).description } ?? "\(amount) \(unit)"
    }
}

extension Product {
    /// `EUR`, `gems`: what it has a price in, the one that is taken where a wish names none first.
    var units: [String] { prices.map(\.currency.rawValue) + virtualPrices.map(\.currency) }

    /// A unit and the price in it, in minor units; without a unit, the first price.
    func price(in unit: String?) -> (unit: String, price: Int64)? {
        let all = prices.map { ($0.currency.rawValue, $0.minorUnits) } + virtualPrices.map { ($0.currency, $0.amount) }
        return all.first { unit == nil || $0.0 == unit }
    }

    /// Why it can't be bought at a moment; `nil` where it can.
    func reasonNotSold(at now: Instant) -> String? {
        if !isActive { return "it was taken out of the shop" }
        if let availableFrom, now < availableFrom { return "it is sold from \(availableFrom.day) on" }
        if let availableUntil, availableUntil <= now { return "it was sold until \(availableUntil.day)" }
        return nil
    }
}

extension Instant {
    /// `2026-11-01`, of UTC.
    var day: String { String(description.prefix(10)) }
}
