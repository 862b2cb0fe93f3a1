import GameModel

/// An amount as PayPal writes it: a decimal text and a currency. It goes to and from minor units digit by digit, never
/// through a floating-point number.
struct PayPalAmount: Codable, Sendable, Hashable {
    /// In upper case.
    let currencyCode: String
    let value: String

    /// Currencies that PayPal takes no decimals of, though ISO 4217 has some of HUF and TWD.
    /// Source: developer.paypal.com/api/rest/reference/currency-codes.
    static let wholeOnly: Set = ["HUF", "JPY", "TWD"]

    /// What PayPal takes payments in. Source as above.
    static let taken: Set = [
        "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR", "NOK",
        "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
    ]

    static func isTaken(_ money: Money) -> Bool {
        taken.contains(money.currency.rawValue) && PayPalAmount(money) != nil
    }

    /// `nil` where PayPal can't take the amount: less than nothing, or a fraction of a currency that it takes no
    /// decimals of.
    init?(_ money: Money) {
        guard money.minorUnits >= 0 else { return nil }
        currencyCode = money.currency.rawValue
        guard Self.wholeOnly.contains(currencyCode) else {
            value = money.amount
            return
        }
        let sides = money.amount.split(separator: ".")
        guard sides.dropFirst().allSatisfy({ $0.allSatisfy { $0 == "0" } }) else { return nil }
        value = String(sides[0])
    }

    /// In minor units of ISO 4217; of a currency that we don't sell in, hundredths. `nil` where it is no plain decimal
    /// number, has digits below the minor unit, or is too large.
    var minorUnits: Int64? {
        let amount = (Currency(rawValue: currencyCode) ?? .eur).minorUnits(parsing: value)
        return amount.flatMap { $0 < 0 ? nil : $0 }
    }
}
