import GameModel
import Redis

/// One entry of an event stream as it came from Redis, and how an event is written as one.
///
/// An event is one field, named ``formName``, whose value is six parts with tabs between: kind, version of the kind,
/// Unix ms, match, player, data. Match and player are empty where there is none; data is JSON, in which a tab is always
/// escaped. One field instead of six: Redis, the wire and the parser do a third of the work. The field's name is the
/// version of the form; a reader that meets a form it does not know sets the entry apart and does not guess.
public struct EventEntry: Sendable, Hashable {
    public var id: StreamEntryID
    /// Field names and values in turn.
    public var fields: [[UInt8]]

    public init(id: StreamEntryID, fields: [[UInt8]]) {
        self.id = id
        self.fields = fields
    }

    public static let formName = "e2"

    /// Why an entry can't be read.
    public struct Undecodable: Error, Sendable, Hashable, CustomStringConvertible {
        public var description: String
    }

    /// The fields of an event's entry, names and values in turn.
    public static func texts(of event: EncodedEvent) -> [String] {
        let head = "\(event.kind)\t\(event.version)\t\(event.at.milliseconds)\t"
        let who = "\(event.matchId?.rawValue ?? "")\t\(event.playerId?.rawValue ?? "")\t"
        return [formName, head + who + event.json]
    }

    static func fields(of event: EncodedEvent) -> [RedisArgument] { texts(of: event).map { RedisArgument($0) } }

    /// Reads the event.
    public func event() throws(Undecodable) -> EncodedEvent { try packed().event }

    /// Finds the parts of the event, without making anything of them.
    func packed() throws(Undecodable) -> PackedEvent {
        if fields.count == 2, fields[0] == Self.formBytes { return try PackedEvent(fields[1]) }
        return try PackedEvent(Self.firstForm(fields))
    }

    /// The fields as readable text, for the quarantine: `name=value`, bytes that are not UTF-8 replaced.
    public var text: String {
        stride(from: 0, to: fields.count, by: 2).map { index in
            let name = String(decoding: fields[index], as: UTF8.self)
            let value = index + 1 < fields.count ? String(decoding: fields[index + 1], as: UTF8.self) : ""
            return "\(name)=\(value)"
        }.joined(separator: "\n")
    }

    private static let formBytes = Array(formName.utf8)

    /// Brings the first form, a field for each part, into today's: processes of the last version may still append.
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
        return Array(inOrder.joined(separator: [PackedEvent.tab]))
    }
}
