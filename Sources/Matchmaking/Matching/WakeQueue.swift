/// Tickets by the time at which something falls due for them, the earliest first: a binary heap of numbers.
///
/// Nothing is ever taken out early. A ticket's slot may be another's by the time that it falls due, so each entry has
/// the stamp of the ticket that it is of.
struct WakeQueue: Sendable {
    struct Entry: Sendable {
        /// In ms.
        var time: Int64
        var slot: Int32
        var stamp: UInt32
    }

    private var heap: ContiguousArray<Entry> = []

    var count: Int { heap.count }

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out the earliest entry that is due.
    mutating func pop(dueAt now: Int64) -> Entry? {
        guard let first = heap.first, first.time <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
