/// A price: minor units (cents) of an ISO 4217 currency.
public struct Money: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Cents for EUR and USD, yen for JPY: the smallest unit that the currency counts in.
    public let minorUnits: Int64
    public let currency: Currency

    public init(minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    public var description: String {
        let exponent = currency.exponent
        guard exponent > 0 else { return "\(minorUnits) \(currency)" }
        var scale: Int64 = 1
        for _ in 0..<exponent { scale *= 10 }
        let fraction = String(abs(minorUnits % scale))
        let padded = String(repeating: "0", count: exponent - fraction.count) + fraction
        let sign = minorUnits < 0 ? "-" : ""
        return "\(sign)\(abs(minorUnits / scale)).\(padded) \(currency)"
    }
}

/// An ISO 4217 currency code in upper case, of those that the store sells in.
public enum Currency: String, Hashable, Sendable, Codable, CaseIterable, CustomStringConvertible {
    case eur = "EUR"
    case usd = "USD"
    case gbp = "GBP"
    case jpy = "JPY"

    /// How many decimal digits the minor unit has (ISO 4217).
    public var exponent: Int { self == .jpy ? 0 : 2 }

    public var description: String { rawValue }
}
