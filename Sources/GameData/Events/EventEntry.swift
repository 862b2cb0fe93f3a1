import GameModel
import Redis

/// One entry of an event stream as it came from Redis, and how events are written as one.
///
/// An entry is one field, named ``formName``, whose value is one or more events, a line each. A line is six parts with
/// tabs between: kind, version of the kind, Unix ms, match, player, data. Match and player are empty where there is
/// none; data is JSON, which has neither tabs nor line ends, for in JSON they are white space or escaped. Many events
/// in one entry: Redis, the wire and the group's bookkeeping cost for each entry what an event's row costs in the file.
/// The field's name is the version of the form; a reader that meets a form it does not know sets the entry apart and
/// does not guess.
public struct EventEntry: Sendable, Hashable {
    public var id: StreamEntryID
    /// Field names and values in turn.
    public var fields: [[UInt8]]

    public init(id: StreamEntryID, fields: [[UInt8]]) {
        self.id = id
        self.fields = fields
    }

    /// The entry that events make.
    public init(id: StreamEntryID, of events: some Sequence<EncodedEvent>) {
        self.init(id: id, fields: [Self.formBytes, Self.value(of: events)])
    }

    public static let formName = "e2"

    /// Why an entry, or one of its events, can't be read.
    public struct Undecodable: Error, Sendable, Hashable, CustomStringConvertible {
        public var description: String
    }

    /// What the entry's field holds of events.
    public static func value(of events: some Sequence<EncodedEvent>) -> [UInt8] {
        var bytes: [UInt8] = []
        for event in events {
            if !bytes.isEmpty { bytes.append(PackedEvent.newline) }
            append(event, to: &bytes)
        }
        return bytes
    }

    static func append(_ event: EncodedEvent, to bytes: inout [UInt8]) {
        func part(_ text: String) {
            bytes.append(contentsOf: text.utf8)
            bytes.append(PackedEvent.tab)
        }
        part(event.kind)
        part("\(event.version)")
        part("\(event.at.milliseconds)")
        part(event.matchId?.rawValue ?? "")
        part(event.playerId?.rawValue ?? "")
        let start = bytes.count
        bytes.append(contentsOf: event.json.utf8)
        // Within a text JSON has no control characters; between its parts they are white space, and a blank is as good.
        for place in start..<bytes.count where bytes[place] < 0x20 { bytes[place] = 0x20 }
    }

    /// The events.
    /// - Throws: what is wrong with the first that can't be read.
    public func events() throws(Undecodable) -> [EncodedEvent] {
        var events: [EncodedEvent] = []
        for (_, event) in try readable(orThrow: true) { events.append(event) }
        return events
    }

    /// The events that can be read, with their places; those that can't are for the quarantine to tell.
    func readable() -> [(place: Int, event: EncodedEvent)] {
        do throws(Undecodable) {
            return try readable(orThrow: false)
        } catch {
            return []
        }
    }

    private func readable(orThrow: Bool) throws(Undecodable) -> [(place: Int, event: EncodedEvent)] {
        let bytes = try lines()
        var found: [(Int, EncodedEvent)] = []
        var wrong: Undecodable?
        bytes.withUnsafeBufferPointer { buffer in
            PackedEvent.forEachLine(of: buffer) { place, _, event in
                guard place < EventID.placesMax else { return }
                switch event {
                case .success(let event): found.append((place, event.event(in: bytes)))
                case .failure(let error): wrong = wrong ?? error
                }
            }
        }
        if orThrow, let wrong { throw wrong }
        return found
    }

    /// The events as lines.
    /// - Throws: where the form is not known.
    func lines() throws(Undecodable) -> [UInt8] {
        if fields.count == 2, fields[0] == Self.formBytes { return fields[1] }
        return try Self.firstForm(fields)
    }

    /// The fields as readable text, for the quarantine: `name=value`, bytes that are not UTF-8 replaced.
    public var text: String {
        stride(from: 0, to: fields.count, by: 2).map { index in
            let name = String(decoding: fields[index], as: UTF8.self)
            let value = index + 1 < fields.count ? String(decoding: fields[index + 1], as: UTF8.self) : ""
            return "\(name)=\(value)"
        }.joined(separator: "\n")
    }

    static let formBytes = Array(formName.utf8)

    /// Brings the first form, a field for each part of one event, into today's: processes of the last version may still
    /// append.
    private static func firstForm(_ fields: [[UInt8]]) throws(Undecodable) -> [UInt8] {
        var parts: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let name = String(validating: fields[index], as: UTF8.self) else {
                throw Undecodable(description: "a field's name is not UTF-8")
            }
            parts[name] = fields[index + 1]
        }
        guard let version = parts["v"] else {
            let names = parts.keys.sorted().prefix(5).joined(separator: ", ")
            throw Undecodable(description: "a form with the fields '\(names)' is not known")
        }
        guard version == [UInt8(ascii: "1")] else {
            throw Undecodable(description: "version \(String(decoding: version, as: UTF8.self)) is not known")
        }
        let inOrder = ["kind", "", "at", "match", "player", "data"].map { name in
            name.isEmpty ? [UInt8(ascii: "1")] : parts[name] ?? []
        }
        // A line end was no separator then: in a name it is wrong as a tab is, in the data it is white space.
        guard !inOrder.dropLast().contains(where: { $0.contains(PackedEvent.newline) }) else {
            throw Undecodable(description: "a part has a line end")
        }
        return Array(inOrder.joined(separator: [PackedEvent.tab])).map { $0 == PackedEvent.newline ? 0x20 : $0 }
    }
}
