import Foundation

/// Reads balance documents strictly: all that is wrong is told, each with its path, and a field that nothing knows is a
/// slip of the pen rather than something to pass over.
///
/// There are two sorts of faults. Those of form (types, ranges, ids that come twice) keep a document from being read at
/// all, so that no draft has any. Those of references (a character's weapon that is not in the list) a draft may have
/// while it is edited; they keep it from being published.
enum BalanceReader {
    /// Makes a document of JSON. Lists and fields that may be left out are filled in.
    /// - Throws: `GameDataError.invalidBalance` with every fault of form.
    static func document(_ tree: JSONValue) throws(GameDataError) -> BalanceDocument {
        let (filled, faults) = filled(tree)
        guard faults.isEmpty else { throw .invalidBalance(faults) }
        do {
            return try JSONDecoder().decode(BalanceDocument.self, from: try JSONEncoder().encode(filled))
        } catch {
            // The table of fields and the types are held against each other by a test.
            throw .invalidBalance([BalanceFault(path: "document", reason: "\(error)")])
        }
    }

    // MARK: Form

    /// The tree with what may be left out, and the faults of form.
    private static func filled(_ tree: JSONValue) -> (JSONValue, [BalanceFault]) {
        guard case .object(let members) = tree else {
            return (tree, [BalanceFault(path: "document", reason: "expected an object, got \(shown(tree))")])
        }
        var faults: [BalanceFault] = []
        var lists: [String: JSONValue] = [:]
        for list in BalanceList.allCases {
            guard let value = members[list.rawValue] else {
                faults.append(BalanceFault(path: list.rawValue, reason: "is missing; an empty list is []"))
                continue
            }
            lists[list.rawValue] = filled(value, list, &faults)
        }
        let known = Set(BalanceList.allCases.map(\.rawValue))
        for name in members.keys.sorted() where !known.contains(name) {
            faults.append(unknown(name, among: known.sorted()))
        }
        return (.object(lists), faults)
    }

    private static func filled(_ value: JSONValue, _ list: BalanceList, _ faults: inout [BalanceFault]) -> JSONValue {
        guard case .array(let things) = value else {
            faults.append(BalanceFault(path: list.rawValue, reason: "expected a list, got \(shown(value))"))
            return value
        }
        guard things.count <= BalanceFields.thingsMax else {
            let reason = "expected up to \(BalanceFields.thingsMax) of them, got \(things.count)"
            faults.append(BalanceFault(path: list.rawValue, reason: reason))
            return value
        }
        var ids: Set<String> = []
        return .array(
            things.enumerated().map { index, thing in
                let place = "\(list.rawValue)[\(index)]"
                guard case .object(var members) = thing else {
                    faults.append(BalanceFault(path: place, reason: "expected an object, got \(shown(thing))"))
                    return thing
                }
                checkID(members["id"], at: place, &ids, &faults)
                for field in list.fields {
                    let path = "\(place).\(field.name)"
                    if let value = members[field.name] {
                        if let reason = fault(of: value, field) {
                            faults.append(BalanceFault(path: path, reason: reason))
                        }
                    } else if let fallback = field.fallback {
                        members[field.name] = fallback
                    } else {
                        let reason = "is missing; expected \(field.expectation)"
                        faults.append(BalanceFault(path: path, reason: reason))
                    }
                }
                let known = ["id"] + list.fields.map(\.name)
                for name in members.keys.sorted() where !known.contains(name) {
                    faults.append(unknown("\(place).\(name)", among: known))
                }
                return .object(members)
            })
    }

    private static func checkID(
        _ value: JSONValue?, at place: String, _ ids: inout Set<String>, _ faults: inout [BalanceFault]
    ) {
        let path = "\(place).id"
        guard let value else {
            faults.append(BalanceFault(path: path, reason: "is missing; expected \(BalanceFields.idAbout)"))
            return
        }
        guard case .string(let id) = value, BalanceFields.isID(id) else {
            faults.append(BalanceFault(path: path, reason: "expected \(BalanceFields.idAbout), got \(shown(value))"))
            return
        }
        if !ids.insert(id).inserted {
            faults.append(BalanceFault(path: path, reason: "expected each id once, got '\(id)' again"))
        }
    }

    private static func unknown(_ path: String, among known: [String]) -> BalanceFault {
        let reason = "is no field of a balance; known here are \(known.joined(separator: ", "))"
        return BalanceFault(path: String(path.prefix(120)), reason: reason)
    }

    /// What is wrong with a field's value; `nil` where nothing is.
    static func fault(of value: JSONValue, _ field: BalanceField) -> String? {
        isRight(value, field.form) ? nil : "expected \(field.expectation), got \(shown(value))"
    }

    private static func isRight(_ value: JSONValue, _ form: BalanceField.Form) -> Bool {
        switch (form, value) {
        case (.integer(let range), .integer(let number)):
            Int64(range.lowerBound) <= number && number <= Int64(range.upperBound)
        case (.text(let max), .string(let text)):
            (1...max).contains(text.unicodeScalars.count) && isVisible(text)
        case (.choice(let choices), .string(let text)): choices.contains(text)
        case (.reference, .string(let id)): BalanceFields.isID(id)
        case (.references(_, let max), .array(let values)):
            values.count <= max && Set(values).count == values.count
                && values.allSatisfy { if case .string(let id) = $0 { BalanceFields.isID(id) } else { false } }
        default: false
        }
    }

    /// Without control characters, and not of white space alone.
    static func isVisible(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
            && text.unicodeScalars.contains { !$0.properties.isWhitespace }
    }

    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): "'\(text.prefix(80))'"
        case .array(let values) where values.count <= 8 && !values.contains(where: \.isContainer):
            "[\(values.map(shown).joined(separator: ", "))]"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    fileprivate var isContainer: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }
}
