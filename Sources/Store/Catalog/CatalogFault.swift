import GameModel

/// A field of a product or promotion that is not right: which, and what would be.
struct CatalogFault: Sendable, Hashable {
    /// `prices[0].minorUnits`.
    let field: String
    /// `expected 50 to 99999999 minor units, got 10`.
    let reason: String

    var error: StoreError { .invalidField(name: field, reason: reason) }
}

/// The rules that fields of products and promotions share; each gathers what it finds.
struct FaultFinder {
    private(set) var faults: [CatalogFault] = []

    /// The last moment that dates are written with four digits of year for: the end of 9999.
    static let instantMax = Instant(milliseconds: 253_402_300_799_999)
    static let limitRange = 1...1_000_000
    /// Whole units of a virtual currency.
    static let virtualAmountRange: ClosedRange<Int64> = 1...1_000_000_000

    mutating func note(_ field: String, _ reason: String) {
        faults.append(CatalogFault(field: field, reason: reason))
    }

    mutating func check(_ isRight: Bool, _ field: String, _ reason: @autoclosure () -> String) {
        if !isRight { note(field, reason()) }
    }

    mutating func id(_ text: String, field: String) {
        do throws(StoreError) {
            try StoreRules.name(text, field: field)
        } catch {
            if case .invalidField(let name, let reason) = error { note(name, reason) }
        }
    }

    mutating func name(_ text: String) {
        let isRight =
            Product.nameCharacters.contains(text.count) && StoreRules.isVisible(text)
            && text.contains { !$0.isWhitespace }
        check(isRight, "name", "expected 1 to 80 visible characters, got '\(text.prefix(80))'")
    }

    mutating func money(_ money: [Money], field: String, from lowest: (Currency) -> Int64) {
        var seen: Set<Currency> = []
        for (index, price) in money.enumerated() {
            let range = lowest(price.currency)...Product.priceMax
            let step = price.currency.chargeStep
            check(
                range.contains(price.minorUnits), "\(field)[\(index)].minorUnits",
                "expected \(range.lowerBound) to \(range.upperBound) (\(price.currency)), got \(price.minorUnits)")
            check(
                price.minorUnits.isMultiple(of: step), "\(field)[\(index)].minorUnits",
                "expected a multiple of \(step) (\(price.currency)), got \(price.minorUnits)")
            check(
                seen.insert(price.currency).inserted, "\(field)[\(index)].currency",
                "expected each currency once, got \(price.currency) again")
        }
    }

    mutating func virtual(_ money: VirtualMoney, field: String) {
        let range = Self.virtualAmountRange
        check(
            range.contains(money.amount), "\(field).amount",
            "expected \(range.lowerBound) to \(range.upperBound), got \(money.amount)")
        let isName =
            (1...16).contains(money.currency.utf8.count)
            && money.currency.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        check(isName, "\(field).currency", "expected 1 to 16 of a-z, got '\(money.currency.prefix(32))'")
    }

    mutating func limit(_ limit: Int?, field: String) {
        guard let limit else { return }
        let range = Self.limitRange
        check(
            range.contains(limit), field,
            "expected \(range.lowerBound) to \(range.upperBound), or none, got \(limit)")
    }

    /// A window from one moment to another, each of them with its field's name.
    mutating func window(from: Instant?, _ fromField: String, until: Instant?, _ untilField: String) {
        for (instant, field) in [(from, fromField), (until, untilField)] {
            guard let instant else { continue }
            check(
                instant.milliseconds >= 0 && instant <= Self.instantMax, field,
                "expected Unix milliseconds up to the year 9999, got \(instant.milliseconds)")
        }
        guard let from, let until else { return }
        check(
            from < until, untilField,
            "expected a time after \(fromField) (\(from.milliseconds)), got \(until.milliseconds)")
    }
}
