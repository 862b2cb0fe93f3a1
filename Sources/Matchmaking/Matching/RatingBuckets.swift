/// Which of the rating buckets hold tickets: a set of small numbers that finds the next member on either side in a few
/// instructions (64 words of 64 bits, and one word that says which of them are not empty).
struct RatingBuckets: Sendable {
    /// Buckets are one rating point wide; what is below 0 or above is in the first or last.
    static let count = 4_096

    private var words = ContiguousArray<UInt64>(repeating: 0, count: 64)
    private var summary: UInt64 = 0

    static func bucket(of rating: Double) -> Int {
        Int(min(max(rating, 0), Double(count - 1)))
    }

    mutating func insert(_ bucket: Int) {
        words[bucket >> 6] |= 1 << UInt64(bucket & 63)
        summary |= 1 << UInt64(bucket >> 6)
    }

    mutating func remove(_ bucket: Int) {
        words[bucket >> 6] &= ~(1 << UInt64(bucket & 63))
        if words[bucket >> 6] == 0 { summary &= ~(1 << UInt64(bucket >> 6)) }
    }

    /// The lowest member of `from...through`.
    func first(from: Int, through: Int) -> Int? {
        let word = from >> 6
        let here = words[word] & (~0 << UInt64(from & 63))
        var found = word << 6 + here.trailingZeroBitCount
        if here == 0 {
            // A shift by 64 gives 0 in Swift, as wanted for the last word.
            let later = summary & (~0 << UInt64(word + 1))
            guard later != 0 else { return nil }
            let next = later.trailingZeroBitCount
            found = next << 6 + words[next].trailingZeroBitCount
        }
        return found <= through ? found : nil
    }

    /// The highest member of `from...through`.
    func last(through: Int, from: Int) -> Int? {
        let word = through >> 6
        let here = words[word] & (~0 >> UInt64(63 - through & 63))
        var found = word << 6 + 63 - here.leadingZeroBitCount
        if here == 0 {
            let earlier = summary & ~(~0 << UInt64(word))
            guard earlier != 0 else { return nil }
            let next = 63 - earlier.leadingZeroBitCount
            found = next << 6 + 63 - words[next].leadingZeroBitCount
        }
        return found >= from ? found : nil
    }
}
