import Foundation
import GameModel

/// The catalog as a file: pretty JSON with sorted fields, so that two exports can be compared line by line.
///
/// What is exported can be imported again and is the same. An import is strict: a field that nothing knows is told
/// rather than passed over, because it is a slip of the pen that would cost money.
extension CatalogDocument {
    public static let fileBytesMax = 4 * 1024 * 1024

    /// - Throws: ``StoreError/invalidField(name:reason:)`` with the path of the field that is not right:
    ///   `products[3].prices[0].currency`. The rules of the values are ``problems(isPictureKnown:)``.
    public init(json: [UInt8]) throws(StoreError) {
        guard json.count <= Self.fileBytesMax else {
            throw .invalidField(
                name: "document", reason: "expected at most \(Self.fileBytesMax) bytes, got \(json.count)")
        }
        let data = Data(json)
        let tree: JSONTree
        do {
            tree = JSONTree(value: try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed))
        } catch {
            throw .invalidField(name: "document", reason: "expected JSON, got something else: \(error)")
        }
        do {
            self = try JSONDecoder().decode(CatalogDocument.self, from: data)
        } catch {
            guard let error = error as? DecodingError else { throw .unavailable("\(error)") }
            throw tree.fault(error)
        }
        if let path = tree.firstUnknownField(of: Self.fields) {
            throw .invalidField(name: path, reason: "is no field of a catalog; check its spelling, or remove it")
        }
    }

    /// Ends with a line break.
    public var json: [UInt8] {
        get throws(StoreError) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            do {
                return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
            } catch {
                throw .unavailable("the catalog can't be written as JSON: \(error)")
            }
        }
    }

    /// The fields by the path that they have without indices.
    private static let fields: Set<String> = {
        var fields: Set<String> = ["products", "promotions"]
        fields.formUnion(Product.CodingKeys.allCases.map { "products.\($0.rawValue)" })
        fields.formUnion(Promotion.CodingKeys.allCases.map { "promotions.\($0.rawValue)" })
        for money in ["products.prices", "promotions.amountsOff"] {
            fields.formUnion(["\(money).minorUnits", "\(money).currency"])
        }
        for money in ["products.virtualPrices", "products.credit"] {
            fields.formUnion(["\(money).amount", "\(money).currency"])
        }
        return fields.union(["products.parts.productId", "products.parts.quantity"])
    }()
}

/// JSON as it came, to say where in it something is wrong.
private struct JSONTree {
    let value: Any

    /// The path of the first field, by name, that is not among the known ones; `nil` where there is none.
    func firstUnknownField(of known: Set<String>) -> String? {
        first(in: value, at: "", "") { path, _ in !known.contains(path) }?.path
    }

    /// The first field for which something is so, by name: its path, and what is there.
    private func first(
        in value: Any, at path: String, _ bare: String, where isSo: (_ bare: String, _ value: Any) -> Bool
    ) -> (path: String, value: Any)? {
        if let list = value as? [Any] {
            for (index, item) in list.enumerated() {
                if let found = first(in: item, at: "\(path)[\(index)]", bare, where: isSo) { return found }
            }
        } else if let fields = value as? [String: Any] {
            for (name, item) in fields.sorted(by: { $0.key < $1.key }) {
                let (path, bare) = (path.isEmpty ? name : "\(path).\(name)", bare.isEmpty ? name : "\(bare).\(name)")
                if isSo(bare, item) { return (path, item) }
                if let found = first(in: item, at: path, bare, where: isSo) { return found }
            }
        }
        return nil
    }

    /// The decoder doesn't say where a number is that is no whole one.
    private var firstFraction: (path: String, value: Any)? {
        let whole: Set<String> = [
            "minorUnits", "amount", "quantity", "limitPerPlayer", "limitTotal", "percentOff", "availableFrom",
            "availableUntil", "startsAt", "endsAt",
        ]
        return first(in: value, at: "", "") { path, value in
            guard let name = path.split(separator: ".").last, whole.contains(String(name)) else { return false }
            return (value as? NSNumber).map { Int64(exactly: $0) == nil } ?? false
        }
    }

    func fault(_ error: DecodingError) -> StoreError {
        switch error {
        case .keyNotFound(let key, let context):
            .invalidField(name: Self.path(context.codingPath + [key]), reason: "is missing")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            fault(at: context, expected: Self.words(type))
        case .dataCorrupted(let context):
            if context.codingPath.isEmpty, let (path, value) = firstFraction {
                .invalidField(name: path, reason: "expected a whole number, got \(value)")
            } else {
                fault(at: context, expected: expected(by: context))
            }
        @unknown default:
            .invalidField(name: "document", reason: "\(error)")
        }
    }

    private func fault(at context: DecodingError.Context, expected: String) -> StoreError {
        let got = self[context.codingPath].map(Self.shown) ?? "nothing"
        return .invalidField(name: Self.path(context.codingPath), reason: "expected \(expected), got \(got)")
    }

    private func expected(by context: DecodingError.Context) -> String {
        switch context.codingPath.last?.stringValue {
        case "currency": "one of \(Currency.allCases.map(\.rawValue).joined(separator: ", "))"
        case "kind": "one of \(ProductKind.allCases.map(\.rawValue).joined(separator: ", "))"
        case "stacking": "one of \(Promotion.Stacking.allCases.map(\.rawValue).joined(separator: ", "))"
        case "productId": "1 to 64 of a-z, 0-9, '-', '_' and '.'"
        default: "another value (\(context.debugDescription))"
        }
    }

    private subscript(path: [any CodingKey]) -> Any? {
        path.reduce(value as Any?) { value, key in
            if let index = key.intValue, let list = value as? [Any] {
                return list.indices.contains(index) ? list[index] : nil
            }
            return (value as? [String: Any])?[key.stringValue]
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        let path = keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
        return path.isEmpty ? "document" : path
    }

    private static func words(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number"
        case is [Any].Type: "a list"
        case is [String: Any].Type: "an object"
        default: "\(type)"
        }
    }

    private static func shown(_ value: Any) -> String {
        switch value {
        case is NSNull: "null"
        case let text as String: "'\(text.prefix(80))'"
        case is [Any]: "a list"
        case is [String: Any]: "an object"
        default: "\(value)"
        }
    }
}
