import Foundation
import GameModel

extension FinishedPlayer {
    /// Reads the data as this program writes it: one flat object of the known names, each once, text without escapes,
    /// numbers without exponents, and no white space. It is read so of every match and player, twenty times as fast as
    /// by the decoder.
    ///
    /// `nil` for anything else, which is not wrong for that: the decoder is to read it. What is read here the decoder
    /// reads as the same.
    init?(plain bytes: UnsafeBufferPointer<UInt8>) {
        var reader = PlainObject(bytes)
        var (character, mode, region, outcome): (String?, String?, String?, String?)
        var (patch, kills, deaths, damage, durationMs): (Int?, Int?, Int?, Int?, Int?)
        var left: Bool?
        var latencyMs: Double?
        while let name = reader.nextName() {
            let isNew: Bool
            switch name {
            case "character": isNew = Self.put(reader.text(), &character)
            case "mode": isNew = Self.put(reader.text(), &mode)
            case "region": isNew = Self.put(reader.text(), &region)
            case "outcome": isNew = Self.put(reader.text(), &outcome)
            case "patch": isNew = Self.put(reader.integer(), &patch)
            case "kills": isNew = Self.put(reader.integer(), &kills)
            case "deaths": isNew = Self.put(reader.integer(), &deaths)
            case "damage": isNew = Self.put(reader.integer(), &damage)
            case "durationMs": isNew = Self.put(reader.integer(), &durationMs)
            case "left": isNew = Self.put(reader.bool(), &left)
            case "latencyMs": isNew = Self.put(reader.decimal(), &latencyMs)
            default: return nil
            }
            guard isNew else { return nil }
        }
        guard reader.isAtEnd, let character, let mode = mode.flatMap(Mode.init(rawValue:)),
            let region = region.flatMap(Region.init(rawValue:)), let patch,
            let outcome = outcome.flatMap(MatchSummary.Outcome.init(rawValue:)), let left, let kills, let deaths,
            let damage, let durationMs
        else { return nil }
        self.init(
            character: character, mode: mode, region: region, patch: PatchVersion(patch), outcome: outcome,
            left: left, kills: kills, deaths: deaths, damage: damage, durationMs: Int64(durationMs),
            latencyMs: latencyMs)
    }

    /// Whether there is a value, and the first of its name.
    private static func put<Value>(_ value: Value?, _ place: inout Value?) -> Bool {
        guard let value, place == nil else { return false }
        place = value
        return true
    }
}

/// Steps through a flat JSON object as `JSONEncoder` writes it; stops at the first byte that is otherwise.
private struct PlainObject {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0
    private var isFirst = true
    private(set) var isAtEnd = false

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The name of the next value; `nil` after the last, and where the form is another.
    mutating func nextName() -> String? {
        guard isFirst ? take("{") : !take("}") && take(",") else {
            isAtEnd = !isFirst && place == bytes.count && place > 1 && bytes[place - 1] == UInt8(ascii: "}")
            return nil
        }
        isFirst = false
        guard let name = text(), take(":") else { return nil }
        return name
    }

    mutating func text() -> String? {
        guard take("\"") else { return nil }
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            guard (0x20...0x7E).contains(bytes[place]), bytes[place] != UInt8(ascii: "\\") else { return nil }
            place += 1
        }
        let end = place
        guard take("\"") else { return nil }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// A whole number of up to 15 digits.
    mutating func integer() -> Int? {
        let isNegative = take("-")
        let start = place
        var number = 0
        while place < bytes.count, place - start < 16, let digit = digit(bytes[place]) {
            number = number * 10 + digit
            place += 1
        }
        guard isNumberEnd, (1...15).contains(place - start), place - start == 1 || bytes[start] != UInt8(ascii: "0")
        else { return nil }
        return isNegative ? -number : number
    }

    /// A number of up to 20 characters, without an exponent.
    mutating func decimal() -> Double? {
        let start = place
        _ = take("-")
        let first = place
        var points = 0
        while place < bytes.count, place - start < 21 {
            if bytes[place] == UInt8(ascii: "."), points == 0, place > first {
                points += 1
            } else if digit(bytes[place]) == nil {
                break
            }
            place += 1
        }
        guard isNumberEnd, place > first, place - start <= 20, bytes[place - 1] != UInt8(ascii: "."),
            bytes[first] != UInt8(ascii: "0") || place == first + 1 || bytes[first + 1] == UInt8(ascii: ".")
        else { return nil }
        return Double(String(decoding: bytes[start..<place], as: UTF8.self))
    }

    mutating func bool() -> Bool? {
        for (text, value) in [("true" as StaticString, true), ("false", false)] where take(text) { return value }
        return nil
    }

    private var isNumberEnd: Bool {
        place < bytes.count && (bytes[place] == UInt8(ascii: ",") || bytes[place] == UInt8(ascii: "}"))
    }

    private func digit(_ byte: UInt8) -> Int? {
        let digit = byte &- UInt8(ascii: "0")
        return digit < 10 ? Int(digit) : nil
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - place >= count, let base = bytes.baseAddress,
            memcmp(base + place, text.utf8Start, count) == 0
        else { return false }
        place += count
        return true
    }
}
