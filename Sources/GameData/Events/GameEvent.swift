import Foundation
import GameModel

/// Something that happened in a match or to a player, for designers and dashboards. Events may be lost (see
/// `EventLog`); nothing that must last is told by one.
public struct GameEvent: Sendable, Hashable, Codable {
    /// A lower-case name of letters and `_`, 1 to 64 of them: `kill`, `match_end`.
    public var kind: String
    /// The version of the kind's data, 1 where absent: who changes what a kind's data means raises it.
    public var v: Int?
    public var at: Instant
    public var matchId: MatchID?
    public var playerId: PlayerID?
    /// What else the kind tells.
    public var data: [String: JSONValue]?

    public init(
        kind: String, v: Int? = nil, at: Instant, matchId: MatchID? = nil, playerId: PlayerID? = nil,
        data: [String: JSONValue]? = nil
    ) {
        self.kind = kind
        self.v = v
        self.at = at
        self.matchId = matchId
        self.playerId = playerId
        self.data = data
    }

    /// The most events in one request.
    public static let batchMax = 500
    /// The most bytes of one event's `data` as JSON.
    public static let dataBytesMax = 4 * 1024
    public static let kindLengthMax = 64
    public static let versionRange = 1...9_999
    /// What a line of the stream has room for; a time in nanoseconds, given by mistake, is beyond it.
    static let atRange: ClosedRange<Int64> = 0...999_999_999_999_999_999

    /// Whether a text may be the kind of an event.
    public static func isKind(_ text: String) -> Bool {
        (1...kindLengthMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") }
    }

    /// Checks a request's events and writes their data as JSON text.
    /// - Throws: `GameDataError.invalid` naming the first wrong field, like `events[3].kind`.
    public static func encode(_ events: [GameEvent]) throws -> [EncodedEvent] {
        guard events.count <= batchMax else {
            throw GameDataError.invalid(field: "events", detail: "\(events.count) events; at most \(batchMax) at once")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try events.enumerated().map { index, event in
            guard isKind(event.kind) else {
                throw GameDataError.invalid(
                    field: "events[\(index)].kind", detail: "must be 1 to \(kindLengthMax) of a to z and _")
            }
            guard event.kind != FinishedPlayer.kind else {
                throw GameDataError.invalid(
                    field: "events[\(index)].kind",
                    detail: "'\(event.kind)' is told by the API, of each result that it stores")
            }
            guard atRange.contains(event.at.milliseconds) else {
                throw GameDataError.invalid(
                    field: "events[\(index)].at",
                    detail: "must be Unix milliseconds, 0 or more, and not more than \(atRange.upperBound)")
            }
            let version = event.v ?? 1
            guard versionRange.contains(version) else {
                throw GameDataError.invalid(
                    field: "events[\(index)].v", detail: "\(version) is not in 1 to \(versionRange.upperBound)")
            }
            let json = try event.data.map { String(decoding: try encoder.encode($0), as: UTF8.self) } ?? "{}"
            guard json.utf8.count <= dataBytesMax else {
                throw GameDataError.invalid(
                    field: "events[\(index)].data", detail: "\(json.utf8.count) bytes; at most \(dataBytesMax)")
            }
            return EncodedEvent(
                kind: event.kind, version: version, at: event.at, matchId: event.matchId, playerId: event.playerId,
                json: json)
        }
    }
}

/// An event with its data as the JSON text that the stream and the table hold.
public struct EncodedEvent: Sendable, Hashable {
    public var kind: String
    /// The version of the kind's data.
    public var version: Int
    public var at: Instant
    public var matchId: MatchID?
    public var playerId: PlayerID?
    public var json: String

    public init(
        kind: String, version: Int = 1, at: Instant, matchId: MatchID?, playerId: PlayerID?, json: String
    ) {
        self.kind = kind
        self.version = version
        self.at = at
        self.matchId = matchId
        self.playerId = playerId
        self.json = json
    }

    /// The shard it goes to: that of its match, so that a match's events stay in order; else that of its player or
    /// kind.
    public var shard: Int { GameDataKeys.shard(for: matchId?.rawValue ?? playerId?.rawValue ?? kind) }
}
