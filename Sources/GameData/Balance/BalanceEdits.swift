import Foundation

/// Where a thing of the balance is: `characters.shade`.
public struct BalancePath: Sendable, Hashable, CustomStringConvertible {
    public let list: BalanceList
    public let id: String

    public init(_ list: BalanceList, _ id: String) {
        self.list = list
        self.id = id
    }

    /// - Throws: `GameDataError.invalid` naming the text, saying what would be right.
    public init(parsing text: String) throws(GameDataError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty else {
            throw .invalid(field: String(text.prefix(120)), detail: "expected LIST.ID, like characters.shade")
        }
        self.init(try Self.list(parts[0], of: text), parts[1])
    }

    static func list(_ name: String, of text: String) throws(GameDataError) -> BalanceList {
        guard let list = BalanceList(rawValue: name) else {
            let known = BalanceList.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid(
                field: String(text.prefix(120)), detail: "there is no list '\(name.prefix(40))', but \(known)")
        }
        return list
    }

    public var description: String { "\(list.rawValue).\(id)" }
}

/// One field that is to have a value: `characters.shade.damage=55`.
public struct BalanceAssignment: Sendable, Hashable {
    public let path: BalancePath
    public let field: BalanceField
    public let value: JSONValue

    public init(path: BalancePath, field: BalanceField, value: JSONValue) {
        self.path = path
        self.field = field
        self.value = value
    }

    /// - Parameter path: `characters.shade.damage`.
    /// - Throws: `GameDataError.invalid` naming the path; the value is judged when it is set.
    public init(_ path: String, _ value: JSONValue) throws(GameDataError) {
        (self.path, field) = try Self.place(path)
        self.value = value
    }

    /// Reads `characters.shade.damage=55`. A list of ids is written with commas; empty is none.
    /// - Throws: `GameDataError.invalid` naming the path.
    public init(parsing text: String) throws(GameDataError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw .invalid(
                field: String(text.prefix(120)), detail: "expected PATH=VALUE, like characters.shade.damage=55")
        }
        (path, field) = try Self.place(String(text[..<equals]))
        value = field.value(of: String(text[text.index(after: equals)...]))
    }

    private static func place(_ text: String) throws(GameDataError) -> (BalancePath, BalanceField) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts[1].isEmpty else {
            throw .invalid(
                field: String(text.prefix(120)), detail: "expected LIST.ID.FIELD, like characters.shade.damage")
        }
        let list = try BalancePath.list(parts[0], of: text)
        guard let field = list.fields.first(where: { $0.name == parts[2] }) else {
            let known = list.fields.map(\.name).joined(separator: ", ")
            throw .invalid(
                field: String(text.prefix(120)),
                detail: "a \(list.singular) has no field '\(parts[2].prefix(40))', but \(known)")
        }
        return (BalancePath(list, parts[1]), field)
    }
}

extension BalanceField {
    /// What a text says for this field; a text that is no number stays one, and is refused as such.
    public func value(of text: String) -> JSONValue {
        switch form {
        case .integer: Int64(text).map { .integer($0) } ?? .string(text)
        case .text, .choice, .reference: .string(text)
        case .references:
            .array(
                text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map { .string(String($0)) })
        }
    }

    /// A value as such a text.
    public func text(of value: JSONValue?) -> String {
        switch value {
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .string(let text): text
        case .array(let values): values.map { text(of: $0) }.joined(separator: ", ")
        case .bool(let flag): String(flag)
        case .object, .null, nil: ""
        }
    }
}

extension BalanceTree {
    /// Sets fields and takes things out, all or nothing.
    /// - Parameter allowsNew: whether a thing that is not there is made; all fields without a fallback must be set.
    /// - Throws: `GameDataError.unknownThing`; `.invalidBalance` with every value that is not right.
    public mutating func apply(
        _ assignments: [BalanceAssignment], removing paths: [BalancePath] = [], allowsNew: Bool = false
    ) throws(GameDataError) {
        for assignment in assignments {
            let path = assignment.path
            guard allowsNew || has(path.id, in: path.list) else { throw .unknownThing(path.description) }
            set([assignment.field.name: assignment.value], of: path.id, in: path.list)
        }
        for path in paths {
            guard remove(path.id, from: path.list) else { throw .unknownThing(path.description) }
        }
        self = BalanceTree(try document())
    }
}
