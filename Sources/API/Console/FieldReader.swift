import GameModel
import Store

/// Reads the fields of a form into values, and gathers what is wrong with each in words for a person.
struct FieldReader {
    let body: FormBody
    private(set) var problems: [String: String] = [:]

    init(_ body: FormBody) { self.body = body }

    mutating func note(_ name: String, _ problem: String) {
        if problems[name] == nil { problems[name] = problem }
    }

    mutating func required(_ name: String, _ words: String) -> String {
        if body[name].isEmpty { note(name, "Enter \(words).") }
        return body[name]
    }

    mutating func identifier<T: Identifier>(_ name: String, _ words: String) -> T? {
        let id = T(rawValue: body[name])
        if id == nil { note(name, "Enter \(words).") }
        return id
    }

    mutating func integer(_ name: String) -> Int? {
        guard !body[name].isEmpty else { return nil }
        let number = Int(body[name])
        if number == nil { note(name, "Enter a whole number, not “\(body[name].prefix(40))”.") }
        return number
    }

    /// - Parameter kept: what it was; said again to the minute, it stays what it was to the millisecond.
    mutating func moment(_ name: String, kept: Instant?) -> Instant? {
        guard !body[name].isEmpty else { return nil }
        if let kept, body[name] == ConsoleWords.input(kept) { return kept }
        let instant = ConsoleWords.instant(body[name])
        if instant == nil { note(name, "Enter a date and time like 2026-12-24T18:00.") }
        return instant
    }

    mutating func choice<T: RawRepresentable>(_ name: String, _ type: T.Type) -> T? where T.RawValue == String {
        let value = T(rawValue: body[name])
        if value == nil { note(name, "Choose one of the list.") }
        return value
    }

    /// Prices, a line each: `4.99 EUR`.
    mutating func money(_ name: String) -> [Money] {
        lines(name).compactMap { line in
            let money = Money(parsing: line)
            if money == nil {
                note(name, "“\(line.prefix(40))” is no price. Write an amount and a currency: 4.99 EUR.")
            }
            return money
        }
    }

    /// Amounts of virtual currencies, a line each: `500 gems`.
    mutating func virtual(_ name: String) -> [VirtualMoney] {
        lines(name).compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count == 2, let amount = Int64(parts[0]) else {
                note(name, "“\(line.prefix(40))” is no amount. Write a number and a virtual currency: 500 gems.")
                return nil
            }
            return VirtualMoney(amount: amount, currency: String(parts[1]))
        }
    }

    /// Products, a line each, with a number of pieces where it is not one: `potion 3`.
    mutating func parts(_ name: String) -> [Product.Part] {
        lines(name).compactMap { line in
            let words = line.split(separator: " ")
            let quantity = words.count == 2 ? Int(words[1]) : 1
            guard (1...2).contains(words.count), let quantity, let id = ProductID(rawValue: String(words[0])) else {
                note(name, "“\(line.prefix(40))” is no part. Write a product’s id, and how many: potion 3.")
                return nil
            }
            return Product.Part(productId: id, quantity: quantity)
        }
    }

    mutating func products(_ name: String) -> [ProductID] {
        lines(name).compactMap { line in
            let id = ProductID(rawValue: line)
            if id == nil { note(name, "“\(line.prefix(40))” is no product’s id.") }
            return id
        }
    }

    private func lines(_ name: String) -> [String] {
        body[name].split(whereSeparator: \.isNewline)
            .map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
            .filter { !$0.isEmpty }
    }
}

extension StoreError {
    /// What was refused, by the field of the form it is about; `nil` where it is about no field.
    var formProblem: [String: String]? {
        switch self {
        case .invalidField(let name, let reason):
            // `prices[0].minorUnits` stands in the field `prices`.
            [String(name.prefix { $0 != "[" && $0 != "." }): "This is not right: \(reason)."]
        case .invalidDraft(let problems): ["": problems.joined(separator: "; ")]
        case .orderState, .limitReached, .alreadyOwned, .insufficientFunds, .notSold: ["": "\(self)."]
        default: nil
        }
    }
}
