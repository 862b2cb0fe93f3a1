import Foundation
import GameData
import GameModel
import Testing

@Suite("Events")
struct EventTests {
    @Test("wrong events are refused, naming the first wrong field")
    func validation() throws {
        let good = GameEvent(kind: "kill", at: Instant(milliseconds: 1))
        let big = [String: JSONValue](uniqueKeysWithValues: [("text", .string(String(repeating: "x", count: 4_096)))])
        let wrong: [([GameEvent], String)] = [
            ([good, good, good, GameEvent(kind: "Kill", at: good.at)], "events[3].kind"),
            ([GameEvent(kind: "", at: good.at)], "events[0].kind"),
            ([GameEvent(kind: String(repeating: "k", count: 65), at: good.at)], "events[0].kind"),
            ([good, GameEvent(kind: "kill", at: Instant(milliseconds: -1))], "events[1].at"),
            ([GameEvent(kind: "kill", at: good.at, data: big)], "events[0].data"),
            (Array(repeating: good, count: 501), "events"),
        ]
        for (events, field) in wrong {
            let error = #expect(throws: GameDataError.self) { try GameEvent.encode(events) }
            guard case .invalid(field, _) = error else {
                Issue.record("wanted \(field), got \(String(describing: error))")
                continue
            }
        }
        #expect(try GameEvent.encode(Array(repeating: good, count: 500)).count == 500)
    }

    @Test("an event's data is any JSON, and comes through unchanged")
    func data() throws {
        let data = #"{"a":[1,2.5,true,null,"x"],"b":{"c":-9007199254740993}}"#
        let text = #"{"kind":"hit","at":12,"matchId":"m","data":\#(data)}"#
        let event = try JSONDecoder().decode(GameEvent.self, from: Data(text.utf8))
        let encoded = try GameEvent.encode([event])
        #expect(encoded.first?.json == data)
        #expect(encoded.first?.matchId == MatchID("m"))
    }

    @Test("an event without data has an empty object")
    func noData() throws {
        #expect(try GameEvent.encode([GameEvent(kind: "join", at: .now)]).first?.json == "{}")
    }

    @Test("an entry that is not whole is undecodable, and says why")
    func undecodable() throws {
        let good = ["v", "1", "kind", "kill", "at", "5", "match", "", "player", "ada", "data", "{}"]
        #expect(
            try entry(good).event()
                == EncodedEvent(
                    kind: "kill", at: Instant(milliseconds: 5), matchId: nil, playerId: PlayerID("ada"), json: "{}"))
        let wrong: [(Int, String)] = [
            (1, "2"), (3, "KILL"), (5, "soon"), (7, "a b"), (9, "\u{1}"), (11, "[]"), (11, "{"), (10, "date"),
        ]
        for (index, value) in wrong {
            var fields = good
            fields[index] = value
            #expect(throws: EventEntry.Undecodable.self, "\(fields)") { try entry(fields).event() }
        }
        #expect(throws: EventEntry.Undecodable.self) { try entry([]).event() }
        #expect(throws: EventEntry.Undecodable.self) { try entry(["v"]).event() }
        let broken = EventEntry(id: "1-0", fields: [Array("v".utf8), [0xFF, 0xFE]])
        #expect(throws: EventEntry.Undecodable.self) { try broken.event() }
        #expect(broken.text.hasPrefix("v="))
    }

    @Test("fields that a later version adds are ignored")
    func unknownFields() throws {
        let fields = ["v", "1", "kind", "kill", "at", "5", "region", "eu", "data", "{}"]
        #expect(try entry(fields).event().kind == "kill")
    }

    @Test("a name's shard is the same in every process, and names spread over all shards")
    func shards() {
        #expect(GameDataKeys.shard(for: "duel.eu.01J00000000000000000000000") == 0)
        let shards = Set((0..<100).map { GameDataKeys.shard(for: "match-\($0)") })
        #expect(shards == Set(0..<GameDataKeys.shardCount))
    }

    private func entry(_ fields: [String]) -> EventEntry {
        EventEntry(id: "1-0", fields: fields.map { Array($0.utf8) })
    }
}
