import Foundation

/// A balance document as a file: pretty JSON with sorted fields, so that two exports can be compared line by line. What
/// is exported can be imported again and is the same.
extension BalanceDocument {
    public static let fileBytesMax = 4 * 1024 * 1024

    /// Reads a file strictly.
    /// - Throws: `GameDataError.invalidBalance` with every fault of form. Faults of references are ``faults``.
    public init(json: [UInt8]) throws(GameDataError) {
        guard json.count <= Self.fileBytesMax else {
            let reason = "expected at most \(Self.fileBytesMax) bytes, got \(json.count)"
            throw .invalidBalance([BalanceFault(path: "document", reason: reason)])
        }
        let tree: JSONValue
        do {
            tree = try JSONDecoder().decode(JSONValue.self, from: Data(json))
        } catch {
            throw .invalidBalance([BalanceFault(path: "document", reason: "is not JSON: \(Self.words(error))")])
        }
        try self.init(tree: tree)
    }

    /// Reads JSON that was parsed already, as strictly.
    public init(tree: JSONValue) throws(GameDataError) { self = try BalanceReader.document(tree) }

    /// Ends with a line break.
    public var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }

    /// What keeps the document from being published: things that it names and does not have.
    public var faults: [BalanceFault] {
        let tree = BalanceTree(self)
        return BalanceList.allCases.flatMap { list in
            tree.things(list).flatMap { id, fields in
                list.fields.compactMap { field in
                    let (target, named): (BalanceList, [JSONValue])
                    switch (field.form, fields[field.name]) {
                    case (.reference(let list), let value?): (target, named) = (list, [value])
                    case (.references(let list, _), .array(let values)): (target, named) = (list, values)
                    default: return nil
                    }
                    let missing = named.compactMap { value -> String? in
                        guard case .string(let name) = value, !tree.has(name, in: target) else { return nil }
                        return "'\(name)'"
                    }
                    guard !missing.isEmpty else { return nil }
                    return BalanceFault(
                        path: "\(list.rawValue).\(id).\(field.name)",
                        reason: "names \(missing.joined(separator: ", ")), and there is no such \(target.singular)")
                }
            }
        }
    }

    private static func words(_ error: any Error) -> String {
        guard case .dataCorrupted(let context) = error as? DecodingError else { return "\(error)" }
        return context.underlyingError.map { ($0 as NSError).userInfo["NSDebugDescription"] as? String ?? "\($0)" }
            ?? context.debugDescription
    }
}
