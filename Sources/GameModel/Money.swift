/// A price: minor units (cents) of an ISO 4217 currency.
public struct Money: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Cents for EUR and USD, yen for JPY: the smallest unit that the currency counts in.
    public let minorUnits: Int64
    public let currency: Currency

    public init(minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    /// Reads what a person writes: `4.99 EUR`, `4.9 eur`, `500 JPY`, `-0.250 KWD`. Exact: no floating point.
    ///
    /// `nil` where it is not an amount, one space and a known currency; where there are more decimals than the currency
    /// has; and where the amount doesn't fit.
    public init?(parsing text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let currency = Currency(rawValue: parts[1].uppercased()),
            let minorUnits = currency.minorUnits(parsing: parts[0])
        else { return nil }
        self.init(minorUnits: minorUnits, currency: currency)
    }

    /// `4.99 EUR`: with all of the currency's decimals.
    public var description: String { "\(amount) \(currency)" }

    /// The amount alone, with all of the currency's decimals and a point: `4.99`.
    public var amount: String {
        let exponent = currency.exponent
        let digits = String(minorUnits.magnitude)
        let sign = minorUnits < 0 ? "-" : ""
        guard exponent > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        return sign + padded.dropLast(exponent) + "." + padded.suffix(exponent)
    }
}

/// An ISO 4217 currency code in upper case, of those that the store sells in.
public enum Currency: String, Hashable, Sendable, Codable, CaseIterable, CustomStringConvertible {
    case aud = "AUD"
    case brl = "BRL"
    case cad = "CAD"
    case chf = "CHF"
    case cny = "CNY"
    case czk = "CZK"
    case dkk = "DKK"
    case eur = "EUR"
    case gbp = "GBP"
    case huf = "HUF"
    case inr = "INR"
    case jpy = "JPY"
    case krw = "KRW"
    case kwd = "KWD"
    case mxn = "MXN"
    case nok = "NOK"
    case nzd = "NZD"
    case pln = "PLN"
    case sek = "SEK"
    case `try` = "TRY"
    case usd = "USD"

    /// How many decimal digits the minor unit has (ISO 4217, list one).
    public var exponent: Int {
        switch self {
        case .jpy, .krw: 0
        case .kwd: 3
        case .aud, .brl, .cad, .chf, .cny, .czk, .dkk, .eur, .gbp, .huf, .inr, .mxn, .nok, .nzd, .pln, .sek, .try,
            .usd:
            2
        }
    }

    /// Reads an amount in whole units with a decimal point: `4.99` is 499 for EUR. Exact: no floating point.
    ///
    /// `nil` where it is no number, has more decimals than the currency, or doesn't fit.
    public func minorUnits(parsing text: some StringProtocol) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let digitsAndPoint = Substring(text).dropFirst(isNegative ? 1 : 0)
        let parts = digitsAndPoint.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy(Self.isDigits) else { return nil }
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        guard fraction.count <= exponent else { return nil }
        let digits = parts[0] + fraction + String(repeating: "0", count: exponent - fraction.count)
        return Int64((isNegative ? "-" : "") + digits)
    }

    public var description: String { rawValue }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
