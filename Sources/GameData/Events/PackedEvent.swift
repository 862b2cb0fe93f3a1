import Foundation
import GameModel

/// An event as it lies in its entry: the places of its parts among the entry's bytes, which ingest binds to a row
/// without making a string or a copy of any of them.
///
/// The data is checked to be UTF-8 between braces, not to be whole JSON: it is kept as it came, and parsing it here
/// would cost more than storing it.
struct PackedEvent: Sendable {
    let version: Int64
    let at: Int64
    // 32 bits are enough: Redis takes no value of 2 GiB.
    private let start: Int32
    private let kindEnd: Int32
    private let matchStart: Int32
    private let matchEnd: Int32
    private let playerEnd: Int32
    private let end: Int32

    static let tab = UInt8(ascii: "\t")
    static let newline = UInt8(ascii: "\n")

    var kind: Range<Int> { Int(start)..<Int(kindEnd) }
    var match: Range<Int> { Int(matchStart)..<Int(matchEnd) }
    var player: Range<Int> { Int(matchEnd) + 1..<Int(playerEnd) }
    var json: Range<Int> { Int(playerEnd) + 1..<Int(end) }

    /// Reads a line of an entry.
    /// - Parameter isText: whether the bytes are known to be UTF-8.
    init(
        _ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>, isText: Bool
    ) throws(EventEntry.Undecodable) {
        let (tabs, found) = Self.tabs(bytes, line)
        guard found == 5 else { throw .init(description: "\(found + 1) parts, and must be 6") }
        if !isText, String(validating: bytes[line], as: UTF8.self) == nil {
            throw .init(description: "a part is not UTF-8")
        }
        start = Int32(line.lowerBound)
        kindEnd = Int32(tabs.0)
        matchStart = Int32(tabs.2 + 1)
        matchEnd = Int32(tabs.3)
        playerEnd = Int32(tabs.4)
        end = Int32(line.upperBound)
        guard (1...GameEvent.kindLengthMax).contains(tabs.0 - line.lowerBound),
            Self.all(bytes, line.lowerBound..<tabs.0, Self.isOfKind)
        else { throw .init(description: "kind is missing or wrong") }
        guard let version = Self.number(bytes, tabs.0 + 1..<tabs.1), version > 0 else {
            throw .init(description: "version is missing or not a number above 0")
        }
        guard let at = Self.number(bytes, tabs.1 + 1..<tabs.2) else {
            throw .init(description: "at is missing or not a number")
        }
        self.version = version
        self.at = at
        guard Self.isIdentifier(bytes, tabs.2 + 1..<tabs.3) else {
            throw .init(description: "match is not an identifier")
        }
        guard Self.isIdentifier(bytes, tabs.3 + 1..<tabs.4) else {
            throw .init(description: "player is not an identifier")
        }
        guard line.upperBound - tabs.4 >= 3, bytes[tabs.4 + 1] == UInt8(ascii: "{"),
            bytes[line.upperBound - 1] == UInt8(ascii: "}")
        else { throw .init(description: "data is missing or not an object") }
    }

    /// The same with its parts as values.
    func event(in bytes: [UInt8]) -> EncodedEvent {
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return EncodedEvent(
            kind: text(kind), version: Int(version), at: Instant(milliseconds: at),
            matchId: match.isEmpty ? nil : MatchID(text(match)),
            playerId: player.isEmpty ? nil : PlayerID(text(player)), json: text(json))
    }

    /// Hands over each line of an entry, with what could be read of it.
    static func forEachLine(
        of bytes: UnsafeBufferPointer<UInt8>,
        _ body: (_ place: Int, _ line: Range<Int>, Result<PackedEvent, EventEntry.Undecodable>) -> Void
    ) {
        let isText = isText(bytes)
        var (place, start) = (0, 0)
        while true {
            let end = first(newline, in: bytes, start..<bytes.count) ?? bytes.count
            do throws(EventEntry.Undecodable) {
                body(place, start..<end, .success(try PackedEvent(bytes, start..<end, isText: isText)))
            } catch {
                body(place, start..<end, .failure(error))
            }
            guard end < bytes.count else { return }
            (place, start) = (place + 1, end + 1)
        }
    }

    private static func isText(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var high: UInt8 = 0
        for byte in bytes { high |= byte }
        return high < 0x80 || String(validating: bytes, as: UTF8.self) != nil
    }

    private static func tabs(
        _ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>
    ) -> (places: (Int, Int, Int, Int, Int), found: Int) {
        var tabs = (0, 0, 0, 0, 0)
        var found = 0
        var start = line.lowerBound
        while found < 5, let place = first(tab, in: bytes, start..<line.upperBound) {
            switch found {
            case 0: tabs.0 = place
            case 1: tabs.1 = place
            case 2: tabs.2 = place
            case 3: tabs.3 = place
            default: tabs.4 = place
            }
            found += 1
            start = place + 1
        }
        return (tabs, found)
    }

    private static func first(_ byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, let base = bytes.baseAddress,
            let found = memchr(base + range.lowerBound, Int32(byte), range.count)
        else { return nil }
        return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
    }

    private static func all(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ isRight: (UInt8) -> Bool
    ) -> Bool {
        for place in range where !isRight(bytes[place]) { return false }
        return true
    }

    private static func isOfKind(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// Empty, or what ``Identifier`` takes.
    private static func isIdentifier(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        range.count <= 200 && all(bytes, range) { (0x21...0x7E).contains($0) }
    }

    /// A decimal number of up to 18 digits; `nil` for anything else.
    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int64? {
        guard (1...18).contains(range.count) else { return nil }
        var number: Int64 = 0
        for place in range {
            let digit = bytes[place] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int64(digit)
        }
        return number
    }
}
