/// Finds slots by the hash of their ticket's name: open addressing, so that a ticket that is found otherwise leaves
/// without its name being hashed again.
struct SlotTable: Sendable {
    private var cells = ContiguousArray<Int32>(repeating: -1, count: 16)
    /// By slot.
    private var hashes: ContiguousArray<Int> = []
    private(set) var count = 0

    private var mask: Int { cells.count - 1 }

    /// The slot with a hash that is the one looked for.
    func find(_ hash: Int, _ isIt: (Int32) -> Bool) -> Int32? {
        var cell = hash & mask
        while cells[cell] >= 0 {
            let slot = cells[cell]
            if hashes[Int(slot)] == hash, isIt(slot) { return slot }
            cell = (cell + 1) & mask
        }
        return nil
    }

    mutating func insert(_ slot: Int32, _ hash: Int) {
        if 2 * (count + 1) > cells.count { grow() }
        while hashes.count <= Int(slot) { hashes.append(0) }
        hashes[Int(slot)] = hash
        place(slot)
        count += 1
    }

    mutating func remove(_ slot: Int32) {
        var cell = hashes[Int(slot)] & mask
        while cells[cell] != slot {
            if cells[cell] < 0 { return }
            cell = (cell + 1) & mask
        }
        count -= 1
        // Those behind move up, unless they are in front of where their hash says.
        var next = (cell + 1) & mask
        while cells[next] >= 0 {
            let home = hashes[Int(cells[next])] & mask
            if (next - home) & mask >= (next - cell) & mask {
                cells[cell] = cells[next]
                cell = next
            }
            next = (next + 1) & mask
        }
        cells[cell] = -1
    }

    private mutating func place(_ slot: Int32) {
        var cell = hashes[Int(slot)] & mask
        while cells[cell] >= 0 { cell = (cell + 1) & mask }
        cells[cell] = slot
    }

    private mutating func grow() {
        let old = cells
        cells = ContiguousArray(repeating: -1, count: 2 * old.count)
        for slot in old where slot >= 0 { place(slot) }
    }
}
