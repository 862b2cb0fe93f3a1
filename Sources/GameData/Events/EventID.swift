/// The name of one event: the entry of the stream that holds it, and its place in that entry.
///
/// Within a shard events are in the order of their ids. The id says the day, whose file has the row, and the row.
public struct EventID: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var entry: StreamEntryID
    /// From 0.
    public var place: Int

    /// The most events of one entry: as many places as a row's number has room for.
    public static let placesMax = 1 << placeBits

    public init(_ entry: StreamEntryID, place: Int = 0) {
        self.entry = entry
        self.place = place
    }

    /// Reads `1764193044000-7` or `1764193044000-7.12`; `nil` for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let entry = parts.first.flatMap({ StreamEntryID($0.utf8) }) else { return nil }
        guard parts.count == 2 else {
            self.init(entry)
            return
        }
        // The first place has no number, and no number begins with a zero: an event has one name.
        guard let place = Int(parts[1]), (1..<Self.placesMax).contains(place), parts[1] == "\(place)" else {
            return nil
        }
        self.init(entry, place: place)
    }

    public var description: String { place == 0 ? "\(entry)" : "\(entry).\(place)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.entry, left.place) < (right.entry, right.place)
    }

    /// After every event of the entry, and before those of the next.
    static func end(of entry: StreamEntryID) -> EventID { EventID(entry, place: placesMax - 1) }

    // MARK: Rows

    /// The row of the event within its day's file: the millisecond of the day in the upper 27 bits, the sequence of the
    /// entry in the next 24, the place in the lower 12. Rows are in the order of their ids, so that SQLite appends.
    /// `nil` for what has no room.
    var row: Int64? {
        guard (0..<Self.placesMax).contains(place), let first = entry.firstRow else { return nil }
        return first | Int64(place)
    }

    /// The event whose row this is.
    init(row: Int64, on day: EventDay) {
        let inDay = UInt64(row >> (Self.sequenceBits + Self.placeBits))
        self.init(
            StreamEntryID(
                milliseconds: UInt64(day.number) * EventDay.millisecondsPerDay + inDay,
                sequence: UInt64(row >> Self.placeBits & (1 << Self.sequenceBits - 1))),
            place: Int(row & (1 << Self.placeBits - 1)))
    }

    fileprivate static let sequenceBits: Int64 = 24
    fileprivate static let placeBits: Int64 = 12
}

extension StreamEntryID {
    /// The row of the entry's first event; `nil` for a sequence that has no room.
    var firstRow: Int64? {
        guard sequence >> EventID.sequenceBits == 0 else { return nil }
        return (Int64(milliseconds % EventDay.millisecondsPerDay) << EventID.sequenceBits | Int64(sequence))
            << EventID.placeBits
    }
}
