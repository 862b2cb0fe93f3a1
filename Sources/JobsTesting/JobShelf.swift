import Jobs

/// The jobs of a model by their ids, with what is asked for again and again: which are leased, which wait for a time,
/// and which wait in the line of a key.
package struct JobShelf: Sendable {
    private var entries: [JobID: QueueModel.Entry] = [:]
    private(set) var leased: Set<JobID> = []
    private(set) var later: Set<JobID> = []
    private var lines: [String: [Spot]] = [:]

    /// A place in the line of a key: by priority, then as the jobs were enqueued, also where they ran before.
    struct Spot: Sendable, Hashable, Comparable {
        let priority: Int, sequence: Int, id: JobID

        static func < (left: Self, right: Self) -> Bool {
            (left.priority, left.sequence) < (right.priority, right.sequence)
        }
    }

    package var values: some Collection<QueueModel.Entry> { entries.values }

    package subscript(id: JobID) -> QueueModel.Entry? {
        get { entries[id] }
        set {
            let former = entries.updateValue(newValue, for: id)
            guard former?.place != newValue?.place else { return }
            if let former { list(former, isThere: false) }
            if let newValue { list(newValue, isThere: true) }
        }
    }

    mutating func remove(_ id: JobID) -> QueueModel.Entry? {
        defer { self[id] = nil }
        return entries[id]
    }

    func leased(of key: String) -> Int { leased.count { entries[$0]?.key == key } }

    /// The waiting jobs of a key, next one first.
    func line(of key: String) -> [Spot] { lines[key] ?? [] }

    private mutating func list(_ entry: QueueModel.Entry, isThere: Bool) {
        switch entry.place {
        case .leased: leased.set(entry.job.id, isThere)
        case .later: later.set(entry.job.id, isThere)
        case .waiting:
            guard let key = entry.key else { return }
            let spot = Spot(priority: entry.priority, sequence: entry.sequence, id: entry.job.id)
            if isThere {
                let before = lines[key]?.lastIndex { $0 < spot }
                lines[key, default: []].insert(spot, at: before.map { $0 + 1 } ?? 0)
            } else {
                lines[key]?.removeAll { $0 == spot }
                if lines[key] == [] { lines[key] = nil }
            }
        case .blocked, .dead: return
        }
    }
}

extension Dictionary {
    fileprivate mutating func updateValue(_ value: Value?, for key: Key) -> Value? {
        defer { self[key] = value }
        return self[key]
    }
}

extension Set {
    fileprivate mutating func set(_ member: Element, _ isThere: Bool) {
        if isThere { insert(member) } else { remove(member) }
    }
}
