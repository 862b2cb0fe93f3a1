import Foundation

/// A balance document by names, for what works on every field alike: finding, setting, comparing and merging.
public struct BalanceTree: Sendable, Hashable {
    /// The things of a list in their order: ids, and fields without the id.
    private(set) var lists: [BalanceList: [Thing]]

    struct Thing: Sendable, Hashable {
        var id: String
        var fields: [String: JSONValue]
    }

    public init(_ document: BalanceDocument) {
        lists = [
            .characters: document.characters.map { Thing(id: $0.id, fields: Self.fields($0)) },
            .weapons: document.weapons.map { Thing(id: $0.id, fields: Self.fields($0)) },
            .items: document.items.map { Thing(id: $0.id, fields: Self.fields($0)) },
            .modes: document.modes.map { Thing(id: $0.id, fields: Self.fields($0)) },
        ]
    }

    /// The document again, its fields judged anew.
    /// - Throws: `GameDataError.invalidBalance`.
    public func document() throws(GameDataError) -> BalanceDocument {
        var members: [String: JSONValue] = [:]
        for list in BalanceList.allCases {
            members[list.rawValue] = .array(
                (lists[list] ?? []).map { thing in
                    .object(thing.fields.merging(["id": .string(thing.id)]) { $1 })
                })
        }
        do {
            return try BalanceReader.document(.object(members))
        } catch {
            throw error.naming(self)
        }
    }

    /// The ids of a list and the fields of each, in order.
    public func things(_ list: BalanceList) -> [(id: String, fields: [String: JSONValue])] {
        (lists[list] ?? []).map { ($0.id, $0.fields) }
    }

    /// The fields of one thing; `nil` where there is none of this id.
    public func fields(_ list: BalanceList, _ id: String) -> [String: JSONValue]? {
        lists[list]?.first { $0.id == id }?.fields
    }

    public func has(_ id: String, in list: BalanceList) -> Bool { fields(list, id) != nil }

    /// Puts fields of a thing, which is added at the end where it is not there yet.
    public mutating func set(_ fields: [String: JSONValue], of id: String, in list: BalanceList) {
        if let index = lists[list]?.firstIndex(where: { $0.id == id }) {
            lists[list]?[index].fields.merge(fields) { $1 }
        } else {
            lists[list, default: []].append(Thing(id: id, fields: fields))
        }
    }

    /// Whether it was there.
    public mutating func remove(_ id: String, from list: BalanceList) -> Bool {
        guard let index = lists[list]?.firstIndex(where: { $0.id == id }) else { return false }
        lists[list]?.remove(at: index)
        return true
    }

    mutating func replace(_ list: BalanceList, with things: [Thing]) { lists[list] = things }

    /// The types have only numbers, texts and lists of texts, so that neither step can fail.
    private static func fields(_ thing: some Encodable) -> [String: JSONValue] {
        do {
            let value = try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder().encode(thing))
            guard case .object(var members) = value else { return [:] }
            members["id"] = nil
            return members
        } catch {
            preconditionFailure("a part of the balance is not JSON: \(error)")
        }
    }
}

extension GameDataError {
    /// The same with things by id instead of by place: `characters.shade.damage`.
    fileprivate func naming(_ tree: BalanceTree) -> GameDataError {
        guard case .invalidBalance(let faults) = self else { return self }
        return .invalidBalance(
            faults.map { fault in
                guard let open = fault.path.firstIndex(of: "["), let close = fault.path.firstIndex(of: "]"),
                    let list = BalanceList(rawValue: String(fault.path[..<open])),
                    let index = Int(fault.path[fault.path.index(after: open)..<close]),
                    let things = tree.lists[list], things.indices.contains(index)
                else { return fault }
                let rest = fault.path[fault.path.index(after: close)...]
                return BalanceFault(path: "\(list.rawValue).\(things[index].id)\(rest)", reason: fault.reason)
            })
    }
}
