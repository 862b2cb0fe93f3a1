import Foundation
@testable import GameData
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
            // Told by the API alone: what an instance says of it would count in the totals.
            ([good, GameEvent(kind: FinishedPlayer.kind, at: good.at)], "events[1].kind"),
            ([GameEvent(kind: "kill", v: 0, at: good.at)], "events[0].v"),
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

    @Test("an event comes through a stream's entry unchanged, and through one of the first form")
    func entryForms() throws {
        let event = EncodedEvent(
            kind: "kill", version: 3, at: Instant(milliseconds: 5), matchId: MatchID("m"), playerId: nil,
            json: #"{"a":"ä\\t"}"#)
        #expect(try entry(EventEntry.texts(of: event)).event() == event)
        let first = ["v", "1", "kind", "kill", "at", "5", "match", "", "player", "ada", "region", "eu", "data", "{}"]
        #expect(
            try entry(first).event()
                == EncodedEvent(
                    kind: "kill", at: Instant(milliseconds: 5), matchId: nil, playerId: PlayerID("ada"), json: "{}"))
    }

    @Test(
        "an entry that is not whole is undecodable, and says why",
        arguments: [
            ("KILL\t1\t5\t\t\t{}", "kind is missing or wrong"), ("\t1\t5\t\t\t{}", "kind is missing or wrong"),
            ("kill\t0\t5\t\t\t{}", "version is missing or not a number above 0"),
            ("kill\t1\tsoon\t\t\t{}", "at is missing or not a number"),
            ("kill\t1\t-5\t\t\t{}", "at is missing or not a number"),
            ("kill\t1\t5\ta b\t\t{}", "match is not an identifier"),
            ("kill\t1\t5\t\t\u{1}\t{}", "player is not an identifier"),
            ("kill\t1\t5\t\t\t[]", "data is missing or not an object"),
            ("kill\t1\t5\t\t\t{", "data is missing or not an object"),
            ("kill\t1\t5\t\t\t", "data is missing or not an object"), ("kill\t1\t5", "3 parts, and must be 6"),
        ])
    func undecodable(_ value: String, _ reason: String) throws {
        let error = #expect(throws: EventEntry.Undecodable.self) { try entry(["e2", value]).event() }
        #expect(error?.description == reason)
    }

    @Test("an entry of a form that nobody knows is undecodable, and so is one that is not UTF-8")
    func unknownForms() throws {
        for fields in [
            [], ["v"], ["e3", "kill"], ["v", "2", "kind", "kill"], ["v", "1", "kind", "kill", "date", "1"],
        ] {
            #expect(throws: EventEntry.Undecodable.self, "\(fields)") { try entry(fields).event() }
        }
        let broken = EventEntry(
            id: StreamEntryID(milliseconds: 1, sequence: 0),
            fields: [Array("e2".utf8), Array("kill\t1\t5\t\t\t{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)])
        #expect(throws: EventEntry.Undecodable.self) { try broken.event() }
        #expect(broken.text.hasPrefix("e2=kill"))
    }

    @Test("an entry's id reads back, says its day, and has a row in the order of ids")
    func ids() throws {
        let id = try #require(StreamEntryID("1764158400123-7"))
        #expect(id.description == "1764158400123-7")
        #expect(id.day.description == "2025-11-26")
        let later = [
            StreamEntryID(milliseconds: id.milliseconds, sequence: 8),
            StreamEntryID(milliseconds: id.milliseconds, sequence: 1 << 36 - 1),
            StreamEntryID(milliseconds: id.milliseconds + 1, sequence: 0),
        ]
        let rows = try ([id] + later).map { try #require($0.row) }
        #expect(rows == rows.sorted() && Set(rows).count == 4)
        for (id, row) in zip([id] + later, rows) { #expect(StreamEntryID(row: row, on: id.day) == id) }
        #expect(StreamEntryID(milliseconds: 1, sequence: 1 << 36).row == nil)
        for text in ["", "7", "-7", "7-", "7-7-7", "a-1", "99999999999999999999-1"] {
            #expect(StreamEntryID(text) == nil, "\(text)")
        }
    }

    @Test(
        "days read back, over leap years and the ends of months",
        arguments: ["1970-01-01", "2000-02-29", "2024-02-29", "2025-12-31", "2026-01-01", "2100-03-01"])
    func days(_ text: String) throws {
        let day = try #require(EventDay(text))
        #expect(day.description == text)
        #expect(EventDay(at: Instant(milliseconds: Int64(day.number) * 86_400_000)) == day)
    }

    @Test("what is no day is refused", arguments: ["2025-02-29", "2026-13-01", "2026-1-1", "1969-12-31", "today", ""])
    func noDays(_ text: String) { #expect(EventDay(text) == nil) }

    @Test("data of older versions is brought up one version at a time; newer and unknown ones are left as they are")
    func upcasts() {
        let kinds = EventKinds([
            EventKinds.Kind(
                "kill",
                upcasts: [
                    { data in data.merging(["weapon": .string("unknown")]) { old, _ in old } },
                    { data in ["by": data["weapon"] ?? .null] },
                ])
        ])
        let (version, data) = kinds.upToDate("kill", version: 1, [:])
        #expect((version, data) == (3, ["by": .string("unknown")]))
        #expect(kinds.upToDate("kill", version: 2, ["weapon": .string("bow")]).data == ["by": .string("bow")])
        #expect(kinds.upToDate("kill", version: 4, ["x": .null]).data == ["x": .null])
        #expect(kinds.upToDate("dance", version: 1, ["x": .null]).version == 1)
    }

    @Test("a name's shard is the same in every process, and names spread over all shards")
    func shards() {
        #expect(GameDataKeys.shard(for: "duel.eu.01J00000000000000000000000") == 0)
        let shards = Set((0..<100).map { GameDataKeys.shard(for: "match-\($0)") })
        #expect(shards == Set(0..<GameDataKeys.shardCount))
    }

    private func entry(_ fields: [String]) -> EventEntry {
        EventEntry(id: StreamEntryID(milliseconds: 1, sequence: 0), fields: fields.map { Array($0.utf8) })
    }
}
