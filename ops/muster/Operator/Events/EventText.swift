import Foundation
import GameData
import GameModel

/// An event as commands show it.
struct EventText: Encodable {
    let id: String
    let shard: Int
    let kind: String
    /// The version that the data is of, after it was brought up to date.
    let v: Int
    /// Absent where the data is understood.
    let raw: String?
    let at: String
    let matchId: MatchID?
    let playerId: PlayerID?
    let data: JSONValue

    init(_ stored: StoredEvent, kinds: EventKinds = .known) {
        let event = stored.event
        id = stored.id.description
        shard = stored.shard
        kind = event.kind
        at = event.at.textWithMilliseconds
        matchId = event.matchId
        playerId = event.playerId
        switch stored.flag {
        case .known: raw = nil
        case .unknownKind: raw = "unknown kind"
        case .newerVersion: raw = "newer version"
        case .malformed: raw = "malformed"
        }
        do {
            let data = try JSONDecoder().decode([String: JSONValue].self, from: Data(event.json.utf8))
            let today = kinds.upToDate(event.kind, version: event.version, data)
            v = today.version
            self.data = .object(today.data)
        } catch {
            // Ingest looks at the braces only: what is within them may be no JSON, and is shown as it came.
            v = event.version
            data = .string(event.json)
        }
    }

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    func json() throws -> String { String(decoding: try Self.encoder.encode(self), as: UTF8.self) }

    func dataText() throws -> String { String(decoding: try Self.encoder.encode(data), as: UTF8.self) }

    /// A line for people: when, what, who, and the data.
    func line() throws -> String {
        let who = [matchId?.rawValue, playerId?.rawValue].compactMap { $0 }.joined(separator: " ")
        let note = raw.map { " (\($0), v\(v))" } ?? ""
        return "\(at)  \(kind)\(note)  \(who)  \(try dataText())"
    }

    // MARK: CSV (RFC 4180)

    static let csvHead = "id,shard,at,kind,v,raw,matchId,playerId,data"

    func csv() throws -> String {
        let numbers = [id, "\(shard)", at]
        let texts = [raw ?? "", matchId?.rawValue ?? "", playerId?.rawValue ?? "", try dataText()]
        return (numbers + [Self.cell(kind), "\(v)"] + texts.map(Self.cell)).joined(separator: ",")
    }

    /// A cell of text. What a spreadsheet would take for a formula begins with an apostrophe, which keeps it text.
    static func cell(_ text: String) -> String {
        let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
        let text = isFormula ? "'" + text : text
        guard text.contains(where: { "\",\r\n".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
