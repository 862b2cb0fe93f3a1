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
            // Nanoseconds.
            ([GameEvent(kind: "kill", at: Instant(milliseconds: 1_764_193_044_000_000_000))], "events[0].at"),
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
        let id = StreamEntryID(milliseconds: 1, sequence: 0)
        #expect(try EventEntry(id: id, of: [event]).events() == [event])
        #expect(try EventEntry(id: id, of: [event, event, event]).events() == [event, event, event])
        let first = ["v", "1", "kind", "kill", "at", "5", "match", "", "player", "ada", "region", "eu", "data", "{}"]
        #expect(
            try entry(first).events() == [
                EncodedEvent(
                    kind: "kill", at: Instant(milliseconds: 5), matchId: nil, playerId: PlayerID("ada"), json: "{}")
            ])
    }

    @Test("an event is one line whatever its data is: line ends and tabs are escaped in it, or are white space")
    func oneLine() throws {
        let text = JSONValue.string("a\tb\nc\r\u{1}\u{7F}ä\u{2028}")
        let events = try GameEvent.encode([
            GameEvent(kind: "say", at: Instant(milliseconds: 5), data: ["a\n\tb": text]),
            GameEvent(kind: "say", at: Instant(milliseconds: 6), data: ["c": .array([text])]),
        ])
        let entry = EventEntry(id: StreamEntryID(milliseconds: 1, sequence: 0), of: events)
        let lines = entry.fields[1].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        #expect(lines.map { $0.count { $0 == UInt8(ascii: "\t") } } == [5, 5])
        #expect(try entry.events() == events)
        let read = try JSONDecoder().decode([String: JSONValue].self, from: Data(try entry.events()[0].json.utf8))
        #expect(read == ["a\n\tb": text])
        // Data that other hands laid out means the same after it.
        let laidOut = EncodedEvent(
            kind: "say", at: Instant(milliseconds: 5), matchId: nil, playerId: nil,
            json: "{\n\t\"a\": 1,\r\n\t\"b\": 2\n}")
        let told = try EventEntry(id: entry.id, of: [laidOut, laidOut]).events()
        #expect(told.count == 2)
        for event in told {
            let data = try JSONDecoder().decode([String: JSONValue].self, from: Data(event.json.utf8))
            #expect(data == ["a": .integer(1), "b": .integer(2)])
        }
    }

    @Test("events go to the entry of their shard in their order, up to 500 or 64 KiB in one; a larger one goes alone")
    func entries() throws {
        func event(_ number: Int, match: Int, bytes: Int = 10) -> EncodedEvent {
            EncodedEvent(
                kind: "hit", at: Instant(milliseconds: Int64(number)), matchId: MatchID("match-\(match)"),
                playerId: nil,
                json: "{\"t\":\"\(String(repeating: "x", count: bytes))\"}")
        }
        func told(_ entries: [EventLog.Entry]) throws -> [Int: [Int]] {
            var numbers: [Int: [Int]] = [:]
            for entry in entries {
                let id = StreamEntryID(milliseconds: 1, sequence: 0)
                let events = try EventEntry(id: id, fields: [Array("e2".utf8), entry.value]).events()
                #expect(events.count == entry.events)
                numbers[entry.shard, default: []] += events.map { Int($0.at.milliseconds) }
            }
            return numbers
        }
        let mixed = (0..<1_300).map { event($0, match: $0 % 9) }
        let entries = EventLog.entries(of: mixed)
        #expect(entries.count == Set(mixed.map(\.shard)).count || entries.allSatisfy { $0.events <= 500 })
        let expected = Dictionary(grouping: mixed, by: \.shard).mapValues { $0.map { Int($0.at.milliseconds) } }
        #expect(try told(entries) == expected)
        let one = (0..<1_300).map { event($0, match: 1) }
        #expect(EventLog.entries(of: one).map(\.events) == [500, 500, 300])
        let big = (0..<100).map { event($0, match: 1, bytes: 4_000) }
        #expect(EventLog.entries(of: big).allSatisfy { $0.value.count <= 64 * 1_024 })
        #expect(EventLog.entries(of: big).map(\.events) == [16, 16, 16, 16, 16, 16, 4])
        #expect(try told(EventLog.entries(of: big)).values.first == Array(0..<100))
        let alone = [event(0, match: 1), event(1, match: 1, bytes: 70_000), event(2, match: 1)]
        #expect(EventLog.entries(of: alone).map(\.events) == [1, 1, 1])
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
        let error = #expect(throws: EventEntry.Undecodable.self) { try entry(["e2", value]).events() }
        #expect(error?.description == reason)
    }

    @Test("an entry of a form that nobody knows is undecodable, and so is one that is not UTF-8")
    func unknownForms() throws {
        for fields in [
            [], ["v"], ["e3", "kill"], ["v", "2", "kind", "kill"], ["v", "1", "kind", "kill", "date", "1"],
        ] {
            #expect(throws: EventEntry.Undecodable.self, "\(fields)") { try entry(fields).events() }
        }
        let broken = EventEntry(
            id: StreamEntryID(milliseconds: 1, sequence: 0),
            fields: [Array("e2".utf8), Array("kill\t1\t5\t\t\t{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)])
        #expect(throws: EventEntry.Undecodable.self) { try broken.events() }
        #expect(broken.text.hasPrefix("e2=kill"))
    }

    @Test("an event's id reads back, says its day, and has a row in the order of ids")
    func ids() throws {
        let entry = try #require(StreamEntryID("1764158400123-7"))
        #expect(entry.description == "1764158400123-7")
        #expect(entry.day.description == "2025-11-26")
        let ids = [
            EventID(entry), EventID(entry, place: 1), EventID(entry, place: 4_095),
            EventID(StreamEntryID(milliseconds: entry.milliseconds, sequence: 8)),
            EventID(StreamEntryID(milliseconds: entry.milliseconds, sequence: 1 << 24 - 1), place: 4_095),
            EventID(StreamEntryID(milliseconds: entry.milliseconds + 1, sequence: 0)),
            // The last of the day.
            EventID(StreamEntryID(milliseconds: 1_764_201_599_999, sequence: 1 << 24 - 1), place: 4_095),
        ]
        #expect(ids == ids.sorted())
        #expect(ids.map(\.description).prefix(3) == ["1764158400123-7", "1764158400123-7.1", "1764158400123-7.4095"])
        let rows = try ids.map { try #require($0.row) }
        #expect(rows == rows.sorted() && Set(rows).count == ids.count && rows[0] >= 0)
        for (id, row) in zip(ids, rows) {
            #expect(EventID(row: row, on: id.entry.day) == id)
            #expect(EventID(id.description) == id)
        }
        #expect(EventID(StreamEntryID(milliseconds: 1, sequence: 1 << 24)).row == nil)
        #expect(EventID(entry, place: 4_096).row == nil)
        for text in ["", "7", "-7", "7-", "7-7-7", "a-1", "99999999999999999999-1"] {
            #expect(StreamEntryID(text) == nil, "\(text)")
        }
        for text in ["7-7.", "7-7.0", "7-7.01", "7-7.4096", "7-7.1.1", "7.1", "7-7.-1", "7-7.+1"] {
            #expect(EventID(text) == nil, "\(text)")
        }
    }

    @Test("of a finished player, what the fast reader reads the decoder reads as the same; the rest it leaves to it")
    func finishedPlayers() throws {
        let whole = FinishedPlayer(
            character: "ranger", mode: Mode("duel"), region: Region("eu"), patch: PatchVersion(3), outcome: .won,
            left: true, kills: 1, deaths: 0, damage: 1_050, durationMs: 1_900, latencyMs: 0.21)
        var noLatency = whole
        noLatency.latencyMs = nil
        let texts = try [whole, noLatency].map { player in
            try player.event(PlayerID("ada"), in: MatchID("m"), at: Instant(milliseconds: 1)).json
        }
        func plain(_ text: String) -> FinishedPlayer? {
            Array(text.utf8).withUnsafeBufferPointer { FinishedPlayer(plain: $0) }
        }
        #expect(texts.map(plain) == [whole, noLatency])
        let changes = [
            ("1050", "-3"), ("1050", "0"), ("0.21", "7"), ("0.21", "-12.5"), ("0.21", "0.1000000000000000"),
            ("\"ranger\"", "\"\""), ("1900", "999999999999999"), ("\"eu\"", "\"a b\""), ("\"won\"", "\"abandoned\""),
        ]
        for (old, new) in changes {
            let text = texts[0].replacing(old, with: new)
            let decoded = try? JSONDecoder().decode(FinishedPlayer.self, from: Data(text.utf8))  // Wrong: nil in both.
            #expect(text != texts[0] && plain(text) == decoded, "\(text)")
        }
        for (old, new) in [
            ("1050", "01"), ("1050", "1.0"), ("1050", "1e3"), ("1050", "1000000000000000"), ("1050", "\"1\""),
            ("1050", "null"), ("0.21", "null"), ("0.21", "1e2"), ("0.21", ".5"), ("0.21", "5."), ("0.21", "00.5"),
            ("0.21", "1.2.3"), ("0.21", "-"), ("ranger", "r\\u0061nger"), ("ranger", "ränger"), ("true", "True"),
            (",", ", "), ("}", "} "), ("}", ""), ("}", "}}"), ("{", "["), ("\"kills\"", "\"kill\""),
            ("\"kills\":1", "\"kills\":1,\"kills\":2"), ("\"kills\":1,", ""), ("{", "{,"), ("}", ",}"),
        ] {
            let text = texts[0].replacing(old, with: new)
            #expect(text != texts[0] && plain(text) == nil, "\(text)")
        }
        #expect(plain("") == nil && plain("{}") == nil && plain("{") == nil)
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
