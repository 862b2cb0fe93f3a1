/// How many of each kind wait in each rating bucket (tickets by size, players by role), so that a match that can't be
/// is seen from sums, without a look at any ticket.
struct WaitingCounts: Sendable {
    private static let blockBits = 6
    /// Buckets are summed up in blocks of this many.
    static let blockSize = 1 << blockBits

    let columns: Int
    /// Over all buckets.
    private(set) var all: ContiguousArray<Int32>
    private var buckets: ContiguousArray<Int32>
    private var blocks: ContiguousArray<Int32>

    init(columns: Int) {
        self.columns = columns
        all = ContiguousArray(repeating: 0, count: columns)
        buckets = ContiguousArray(repeating: 0, count: RatingBuckets.count * columns)
        blocks = ContiguousArray(repeating: 0, count: (RatingBuckets.count >> Self.blockBits) * columns)
    }

    mutating func add(_ amount: Int32, to column: Int, of bucket: Int) {
        all[column] += amount
        buckets[bucket * columns + column] += amount
        blocks[(bucket >> Self.blockBits) * columns + column] += amount
    }

    func count(_ column: Int, of bucket: Int) -> Int32 { buckets[bucket * columns + column] }

    /// Adds the sums over some buckets to the totals, one per column.
    func sum(_ range: ClosedRange<Int>, into totals: inout ContiguousArray<Int32>) {
        var bucket = range.lowerBound
        while bucket <= range.upperBound {
            if bucket & (Self.blockSize - 1) == 0, bucket + Self.blockSize - 1 <= range.upperBound {
                let start = (bucket >> Self.blockBits) * columns
                for column in 0..<columns { totals[column] += blocks[start + column] }
                bucket += Self.blockSize
            } else {
                let start = bucket * columns
                for column in 0..<columns { totals[column] += buckets[start + column] }
                bucket += 1
            }
        }
    }
}
