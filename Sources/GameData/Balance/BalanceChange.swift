/// One thing that differs between two balance documents.
public struct BalanceChange: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable { case added, changed, removed, moved }

    /// A field that differs.
    public struct Field: Sendable, Hashable, Codable {
        public let name: String
        /// As JSON; `nil` where the thing was not there before, or is not any more.
        public let before: JSONValue?
        public let after: JSONValue?

        /// `damage: 35 → 55`.
        public var words: String {
            "\(name): \(before.map(BalanceReader.shown) ?? "—") → \(after.map(BalanceReader.shown) ?? "—")"
        }
    }

    public let kind: Kind
    /// `characters.shade`; of `moved` the list alone.
    public let path: String
    /// The fields that differ, in the order of the table; for what was added or removed, all of them.
    public let fields: [Field]

    /// What differs between two documents: list by list, what is there after in its order, then what was removed. That
    /// the things of a list are in another order is one change of that list.
    public static func between(_ before: BalanceDocument, _ after: BalanceDocument) -> [BalanceChange] {
        let (before, after) = (BalanceTree(before), BalanceTree(after))
        return BalanceList.allCases.flatMap { list in
            var changes = after.things(list).compactMap { id, fields in
                change(of: "\(list.rawValue).\(id)", list, before.fields(list, id), fields)
            }
            changes += before.things(list).filter { !after.has($0.id, in: list) }.compactMap { id, fields in
                change(of: "\(list.rawValue).\(id)", list, fields, nil)
            }
            let (old, new) = (before.things(list).map(\.id), after.things(list).map(\.id))
            if old.filter({ after.has($0, in: list) }) != new.filter({ before.has($0, in: list) }) {
                let order = Field(
                    name: "order", before: .array(old.map { .string($0) }), after: .array(new.map { .string($0) }))
                changes.append(BalanceChange(kind: .moved, path: list.rawValue, fields: [order]))
            }
            return changes
        }
    }

    private static func change(
        of path: String, _ list: BalanceList, _ before: [String: JSONValue]?, _ after: [String: JSONValue]?
    ) -> BalanceChange? {
        let fields = list.fields.compactMap { field -> Field? in
            let (old, new) = (before?[field.name], after?[field.name])
            return old == new ? nil : Field(name: field.name, before: old, after: new)
        }
        guard !fields.isEmpty else { return nil }
        let kind: Kind = before == nil ? .added : after == nil ? .removed : .changed
        return BalanceChange(kind: kind, path: path, fields: fields)
    }
}

/// Takes what was published past a draft into it.
enum BalanceMerge {
    /// The draft as it would be, had it been begun from the current patch: what the draft did itself stays, field by
    /// field, and all else is as in the current one, the order of things too.
    static func rebased(
        _ draft: BalanceDocument, from base: BalanceDocument, onto current: BalanceDocument
    ) throws(GameDataError) -> BalanceDocument {
        let (old, new, mine) = (BalanceTree(base), BalanceTree(current), BalanceTree(draft))
        var merged = new
        for list in BalanceList.allCases {
            for (id, fields) in mine.things(list) {
                let before = old.fields(list, id) ?? [:]
                let edited = fields.filter { before[$0.key] != $0.value }
                // What was removed past the draft and edited in it stays whole.
                if !edited.isEmpty { merged.set(new.has(id, in: list) ? edited : fields, of: id, in: list) }
            }
            for (id, _) in old.things(list) where !mine.has(id, in: list) { _ = merged.remove(id, from: list) }
        }
        return try merged.document()
    }
}

extension BalanceChange {
    /// `characters.shade (damage: 35 → 55)`; what was added or removed without its fields.
    public var words: String {
        switch kind {
        case .added: "\(path) added"
        case .removed: "\(path) removed"
        case .moved: "\(path) in another order"
        case .changed: "\(path) (\(fields.map(\.words).joined(separator: ", ")))"
        }
    }
}
