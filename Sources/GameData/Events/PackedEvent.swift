import GameModel

/// An event as the bytes that came from the stream, with the places of its parts: what ingest binds to a row without
/// making a string of any of them.
///
/// The data is checked to be UTF-8 between braces, not to be whole JSON: it is kept as it came, and parsing it here
/// would cost more than storing it.
struct PackedEvent: Sendable {
    let bytes: [UInt8]
    let kindEnd: Int
    let version: Int64
    let at: Int64
    let match: Range<Int>
    let player: Range<Int>
    let json: Range<Int>

    static let tab = UInt8(ascii: "\t")

    init(_ bytes: [UInt8]) throws(EventEntry.Undecodable) {
        var tabs = (0, 0, 0, 0, 0)
        var found = 0
        var high: UInt8 = 0
        bytes.withUnsafeBufferPointer { bytes in
            var place = 0
            while place < bytes.count, found < 5 {
                if bytes[place] == Self.tab {
                    switch found {
                    case 0: tabs.0 = place
                    case 1: tabs.1 = place
                    case 2: tabs.2 = place
                    case 3: tabs.3 = place
                    default: tabs.4 = place
                    }
                    found += 1
                }
                place += 1
            }
            for byte in bytes { high |= byte }
        }
        guard found == 5 else { throw .init(description: "\(found + 1) parts, and must be 6") }
        if high >= 0x80, String(validating: bytes, as: UTF8.self) == nil {
            throw .init(description: "a part is not UTF-8")
        }
        self.bytes = bytes
        kindEnd = tabs.0
        guard (1...GameEvent.kindLengthMax).contains(kindEnd), bytes[..<kindEnd].allSatisfy(Self.isOfKind) else {
            throw .init(description: "kind is missing or wrong")
        }
        guard let version = Self.number(bytes[(tabs.0 + 1)..<tabs.1]), version > 0 else {
            throw .init(description: "version is missing or not a number above 0")
        }
        guard let at = Self.number(bytes[(tabs.1 + 1)..<tabs.2]) else {
            throw .init(description: "at is missing or not a number")
        }
        self.version = version
        self.at = at
        match = (tabs.2 + 1)..<tabs.3
        player = (tabs.3 + 1)..<tabs.4
        json = (tabs.4 + 1)..<bytes.count
        guard Self.isIdentifier(bytes[match]) else { throw .init(description: "match is not an identifier") }
        guard Self.isIdentifier(bytes[player]) else { throw .init(description: "player is not an identifier") }
        guard json.count >= 2, bytes[json.lowerBound] == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else {
            throw .init(description: "data is missing or not an object")
        }
    }

    var kind: String { text(0..<kindEnd) }

    /// The same with its parts as values.
    var event: EncodedEvent {
        EncodedEvent(
            kind: kind, version: Int(version), at: Instant(milliseconds: at),
            matchId: match.isEmpty ? nil : MatchID(text(match)),
            playerId: player.isEmpty ? nil : PlayerID(text(player)), json: text(json))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private static func isOfKind(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// Empty, or what ``Identifier`` takes.
    private static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count <= 200 && bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A decimal number of up to 18 digits; `nil` for anything else.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard (1...18).contains(bytes.count) else { return nil }
        var number: Int64 = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return number
    }
}
