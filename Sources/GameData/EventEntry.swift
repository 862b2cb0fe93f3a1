import GameModel
import Redis

/// One entry of an event stream as it came from Redis, and how an event is written as one.
///
/// The fields are always the same and in the same order, absent ones empty: a stream stores repeated field names once
/// per node. `v` is the version of the form; a reader that meets a higher one sets the entry apart and does not guess.
public struct EventEntry: Sendable, Hashable {
    /// The entry's id in its stream: `milliseconds-sequence`.
    public var id: String
    /// Field names and values in turn.
    public var fields: [[UInt8]]

    public init(id: String, fields: [[UInt8]]) {
        self.id = id
        self.fields = fields
    }

    public static let version = "1"

    /// Why an entry can't be read.
    public struct Undecodable: Error, Sendable, Hashable, CustomStringConvertible {
        public var description: String
    }

    static func fields(of event: EncodedEvent) -> [RedisArgument] {
        [
            "v", RedisArgument(version), "kind", RedisArgument(event.kind), "at",
            RedisArgument(event.at.milliseconds), "match", RedisArgument(event.matchId?.rawValue ?? ""), "player",
            RedisArgument(event.playerId?.rawValue ?? ""), "data", RedisArgument(event.json),
        ]
    }

    /// Reads the event.
    ///
    /// The data is checked to be UTF-8 between braces, not to be whole JSON: it is kept as it came, and parsing it
    /// here would cost more than storing it.
    public func event() throws(Undecodable) -> EncodedEvent {
        var kind: String?
        var at: Int64?
        var match: String?
        var player: String?
        var json: String?
        var version: String?
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let value = String(validating: fields[index + 1], as: UTF8.self) else {
                throw Undecodable(description: "a field is not UTF-8")
            }
            switch fields[index] {
            case Name.version: version = value
            case Name.kind: kind = value
            case Name.at: at = Int64(value)
            case Name.match: match = value
            case Name.player: player = value
            case Name.data: json = value
            default: break
            }
        }
        guard version == Self.version else {
            throw Undecodable(description: "version \(version ?? "none") is not known")
        }
        guard let kind, GameEvent.isKind(kind) else { throw Undecodable(description: "kind is missing or wrong") }
        guard let at else { throw Undecodable(description: "at is missing or not a number") }
        guard let json, json.utf8.first == UInt8(ascii: "{"), json.utf8.last == UInt8(ascii: "}") else {
            throw Undecodable(description: "data is missing or not an object")
        }
        return EncodedEvent(
            kind: kind, at: Instant(milliseconds: at), matchId: try Self.identifier(match, "match"),
            playerId: try Self.identifier(player, "player"), json: json)
    }

    /// The fields as readable text, for the quarantine: `name=value`, bytes that are not UTF-8 replaced.
    public var text: String {
        stride(from: 0, to: fields.count, by: 2).map { index in
            let name = String(decoding: fields[index], as: UTF8.self)
            let value = index + 1 < fields.count ? String(decoding: fields[index + 1], as: UTF8.self) : ""
            return "\(name)=\(value)"
        }.joined(separator: "\n")
    }

    /// The names as bytes, compared without making a string of each.
    private enum Name {
        static let version = Array("v".utf8)
        static let kind = Array("kind".utf8)
        static let at = Array("at".utf8)
        static let match = Array("match".utf8)
        static let player = Array("player".utf8)
        static let data = Array("data".utf8)
    }

    private static func identifier<ID: Identifier>(_ text: String?, _ field: String) throws(Undecodable) -> ID? {
        guard let text, !text.isEmpty else { return nil }
        guard let id = ID(rawValue: text) else { throw Undecodable(description: "\(field) is not an identifier") }
        return id
    }
}
