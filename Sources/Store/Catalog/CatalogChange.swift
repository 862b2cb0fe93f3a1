import GameModel

/// One product or promotion that differs between two catalogs.
public struct CatalogChange: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable { case added, changed, removed }

    public let kind: Kind
    /// `product skin-ember-knight` or `promotion launch-week`.
    public let subject: String
    /// The fields that differ, each as `name: before → after`; empty for what was added or removed.
    public let fields: [String]

    public init(kind: Kind, subject: String, fields: [String] = []) {
        self.kind = kind
        self.subject = subject
        self.fields = fields
    }

    /// What differs between two catalogs: products first, each by id. The order within the documents is no difference.
    public static func between(_ before: CatalogDocument, _ after: CatalogDocument) -> [CatalogChange] {
        changes(from: before.products, to: after.products) + changes(from: before.promotions, to: after.promotions)
    }

    private static func changes<T: Described>(from before: [T], to after: [T]) -> [CatalogChange] {
        let old = Dictionary(before.map { ($0.subject, $0) }) { first, _ in first }
        let new = Dictionary(after.map { ($0.subject, $0) }) { first, _ in first }
        return Set(old.keys).union(new.keys).sorted().compactMap { subject -> CatalogChange? in
            guard let before = old[subject] else { return CatalogChange(kind: .added, subject: subject) }
            guard let after = new[subject] else { return CatalogChange(kind: .removed, subject: subject) }
            guard before != after else { return nil }
            let fields = zip(before.inWords, after.inWords).filter { $0.value != $1.value }
            return CatalogChange(
                kind: .changed, subject: subject,
                fields: fields.map { "\($0.name): \($0.value) → \($1.value)" })
        }
    }
}

/// A thing of the catalog whose fields can be told in words.
private protocol Described: Equatable {
    var subject: String { get }
    /// Every field, always in this order.
    var inWords: [(name: String, value: String)] { get }
}

extension Product: Described {
    fileprivate var subject: String { "product \(productId)" }

    fileprivate var inWords: [(name: String, value: String)] {
        [
            ("name", name), ("description", description.isEmpty ? "none" : description), ("kind", kind.rawValue),
            ("prices", words(prices)),
            ("virtualPrices", words(virtualPrices)), ("quantity", "\(quantity)"), ("credit", words(credit)),
            ("parts", words(parts.map { "\($0.quantity) × \($0.productId)" })),
            ("limitPerPlayer", words(limitPerPlayer)), ("availableFrom", words(availableFrom)),
            ("availableUntil", words(availableUntil)), ("picture", words(picture)), ("active", "\(isActive)"),
        ]
    }
}

extension Promotion: Described {
    fileprivate var subject: String { "promotion \(promotionId)" }

    fileprivate var inWords: [(name: String, value: String)] {
        [
            ("name", name), ("productIds", words(productIds)), ("percentOff", words(percentOff)),
            ("amountsOff", words(amountsOff)), ("code", words(code)), ("startsAt", words(Optional(startsAt))),
            ("endsAt", words(Optional(endsAt))), ("limitPerPlayer", words(limitPerPlayer)),
            ("limitTotal", words(limitTotal)),
            ("stacking", stacking.rawValue),
        ]
    }
}

private func words(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "none" }

/// With the milliseconds that its description leaves out.
private func words(_ instant: Instant?) -> String {
    guard let instant else { return "none" }
    let rest = instant.milliseconds % 1000
    return rest == 0 ? "\(instant)" : "\(instant) and \(rest) ms"
}

private func words(_ values: [some CustomStringConvertible]) -> String {
    values.isEmpty ? "none" : values.map { "\($0)" }.joined(separator: ", ")
}
