import GameModel
import Testing

@Suite("Money")
struct MoneyTests {
    @Test(
        "an amount is written with all of its currency's decimals, and read back",
        arguments: [
            (Money(minorUnits: 499, currency: .eur), "4.99 EUR"), (Money(minorUnits: 5, currency: .usd), "0.05 USD"),
            (Money(minorUnits: -5, currency: .usd), "-0.05 USD"), (Money(minorUnits: 500, currency: .jpy), "500 JPY"),
            (Money(minorUnits: -1, currency: .krw), "-1 KRW"), (Money(minorUnits: 1, currency: .kwd), "0.001 KWD"),
            (Money(minorUnits: 12_345, currency: .kwd), "12.345 KWD"),
            (Money(minorUnits: 0, currency: .try), "0.00 TRY"),
            (Money(minorUnits: .max, currency: .eur), "92233720368547758.07 EUR"),
            (Money(minorUnits: .min, currency: .eur), "-92233720368547758.08 EUR"),
        ])
    func words(money: Money, words: String) {
        #expect(money.description == words)
        #expect(Money(parsing: words) == money)
    }

    @Test(
        "an amount may be written with fewer decimals, and its currency in lower case",
        arguments: [("4.9 eur", 490), ("4 EUR", 400), ("0 EUR", 0), ("007.5 EUR", 750), ("-4 EUR", -400)])
    func loosely(text: String, minorUnits: Int64) {
        #expect(Money(parsing: text) == Money(minorUnits: minorUnits, currency: .eur))
    }

    @Test(
        "what is no exact amount of a known currency is not read",
        arguments: [
            "", "4.99", "EUR", "4.999 EUR", "1.5 JPY", "0.0001 KWD", "4,99 EUR", "4. EUR", ".5 EUR", "1e3 EUR",
            "+4 EUR",
            "--4 EUR", "4.-9 EUR", "4.99  EUR", " 4.99 EUR", "4.99 EUR ", "4.99 XXX", "٤ EUR", "NaN EUR", "0x10 EUR",
            "92233720368547758.08 EUR", "1.2.3 EUR", "- EUR",
        ])
    func refused(text: String) {
        #expect(Money(parsing: text) == nil)
    }

    @Test("the currencies' decimals are those of ISO 4217")
    func exponents() {
        let others: [Currency: Int] = [.jpy: 0, .krw: 0, .kwd: 3]
        for currency in Currency.allCases {
            #expect(currency.exponent == others[currency] ?? 2, "\(currency)")
            #expect(currency.rawValue.count == 3 && currency.rawValue == currency.rawValue.uppercased())
        }
        #expect(Currency.allCases.count == 21)
    }
}
