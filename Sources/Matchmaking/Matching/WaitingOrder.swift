/// Where in the order of waiting a time belongs: for each quarter of a second in which tickets were queued, the newest
/// of them. A ticket that comes back with its old time is put in its place without a walk along all that wait.
struct WaitingOrder: Sendable {
    private var units: ContiguousArray<Int64> = []
    private var newest: ContiguousArray<Int32> = []

    /// The quarter of a second that a time is in.
    static func unit(of milliseconds: Int64) -> Int64 { milliseconds >> 8 }

    /// The newest ticket of the time's unit, or of the last unit before it; `nil` where there is none.
    func newest(upTo milliseconds: Int64) -> Int32? {
        let place = places(through: Self.unit(of: milliseconds))
        return place == 0 ? nil : newest[place - 1]
    }

    /// Says which ticket is the newest of the time's unit.
    mutating func setNewest(_ slot: Int32, at milliseconds: Int64) {
        let unit = Self.unit(of: milliseconds)
        let place = places(through: unit)
        if place > 0, units[place - 1] == unit {
            newest[place - 1] = slot
        } else {
            units.insert(unit, at: place)
            newest.insert(slot, at: place)
        }
    }

    /// Forgets the time's unit: its last ticket left.
    mutating func removeUnit(of milliseconds: Int64) {
        let unit = Self.unit(of: milliseconds)
        let place = places(through: unit)
        guard place > 0, units[place - 1] == unit else { return }
        units.remove(at: place - 1)
        newest.remove(at: place - 1)
    }

    /// How many units are not later than one.
    private func places(through unit: Int64) -> Int {
        if let last = units.last, last <= unit { return units.count }
        var (low, high) = (0, units.count)
        while low < high {
            let middle = (low + high) / 2
            if units[middle] <= unit { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
