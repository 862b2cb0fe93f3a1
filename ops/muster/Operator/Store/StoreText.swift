import Foundation
import GameModel
import Store

/// How the store's commands print things for people and for programs.
enum StoreText {
    /// One document, names as in the API, times in Unix ms.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// An amount of a unit: `4.99 EUR`, `100 gems`.
    static func amount(_ amount: Int64, _ unit: String) -> String {
        guard let currency = Currency(rawValue: unit) else { return "\(amount) \(unit)" }
        return Money(minorUnits: amount, currency: currency).description
    }

    /// All prices, the first one first; `-` where there is none.
    static func prices(_ product: Product) -> String {
        let all = product.prices.map(\.description) + product.virtualPrices.map(\.description)
        return all.isEmpty ? "-" : all.joined(separator: ", ")
    }

    /// Whether it is sold at a moment, and if not, why.
    static func sale(_ product: Product, at now: Instant) -> String {
        if !product.isActive { return "no" }
        if let from = product.availableFrom, now < from { return "from \(from)" }
        if let until = product.availableUntil { return now < until ? "until \(until)" : "ended \(until)" }
        return "yes"
    }

    /// What a promotion takes off: `20 %`, `1.00 EUR, 1.10 USD`.
    static func discount(_ promotion: Promotion) -> String {
        if let percent = promotion.percentOff { return "\(percent) %" }
        return promotion.amountsOff.map(\.description).joined(separator: ", ")
    }

    /// When a promotion holds, seen from a moment.
    static func window(_ promotion: Promotion, at now: Instant) -> String {
        if now < promotion.startsAt { return "from \(promotion.startsAt)" }
        return now < promotion.endsAt ? "until \(promotion.endsAt)" : "ended \(promotion.endsAt)"
    }

    /// Names and values, one pair a line, the values below each other.
    static func facts(_ facts: [(String, String?)]) -> String {
        let given = facts.compactMap { name, value in value.map { (name, $0) } }
        let width = given.map(\.0.count).max() ?? 0
        return given.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + value
        }.joined(separator: "\n")
    }

    /// `+` added, `~` changed with its fields below, `-` removed.
    static func changes(_ changes: [CatalogChange]) -> String {
        changes.flatMap { change in
            let mark =
                switch change.kind {
                case .added: "+"
                case .changed: "~"
                case .removed: "-"
                }
            return ["\(mark) \(change.subject)"] + change.fields.map { "    \($0)" }
        }.joined(separator: "\n")
    }
}

/// What stands beside each product or promotion of a list: how the draft differs from what is published.
struct DraftMarks {
    private let kinds: [String: CatalogChange.Kind]

    init(_ changes: [CatalogChange]) {
        kinds = Dictionary(changes.map { ($0.subject, $0.kind) }) { first, _ in first }
    }

    func text(_ subject: String) -> String {
        switch kinds[subject] {
        case .added: "new"
        case .changed: "changed"
        case .removed: "removed"
        case nil: ""
        }
    }
}
