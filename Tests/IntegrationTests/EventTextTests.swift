import ArgumentParser
import Foundation
import GameData
import GameModel
import Testing

@testable import muster

@Suite("What events and their totals look like")
struct EventTextTests {
    private func stored(_ json: String, flag: EventFlag = .known, place: Int = 0) -> StoredEvent {
        StoredEvent(
            shard: 2, id: EventID(StreamEntryID(milliseconds: 7, sequence: 1), place: place), flag: flag,
            event: EncodedEvent(
                kind: "kill", at: Instant(milliseconds: 0), matchId: MatchID("m"), playerId: nil, json: json))
    }

    @Test("an event as CSV has nine cells, quoted where they must be")
    func csv() throws {
        let text = try EventText(stored(#"{"by":"a, \"b\""}"#)).csv()
        #expect(text == #"7-1,2,1970-01-01T00:00:00.000Z,kill,1,,m,,"{""by"":""a, \""b\""""}""#)
        #expect(EventText.csvHead.split(separator: ",").count == 9)
        #expect(try EventText(stored("{}", place: 12)).csv().hasPrefix("7-1.12,2,"))
    }

    @Test("a CSV cell of text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay")
    func formulas() throws {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)"] { #expect(EventText.cell(text) == "'" + text) }
        #expect(EventText.cell("=A1,\"x\"") == "\"'=A1,\"\"x\"\"\"")
        for text in ["", "1-1", "a=b", "{}"] { #expect(EventText.cell(text) == text) }
        let event = StoredEvent(
            shard: 2, id: EventID(StreamEntryID(milliseconds: 7, sequence: 1)), flag: .known,
            event: EncodedEvent(
                kind: "kill", at: Instant(milliseconds: 0), matchId: MatchID("-m"), playerId: PlayerID("=p"), json: "{}"
            ))
        #expect(try EventText(event).csv() == "7-1,2,1970-01-01T00:00:00.000Z,kill,1,,'-m,'=p,{}")
    }

    @Test("an event as JSON says its data as it is, and whether it is understood; what is no JSON is shown as text")
    func json() throws {
        let known = try JSONDecoder().decode(
            [String: JSONValue].self, from: Data(EventText(stored(#"{"a":[1]}"#)).json().utf8))
        #expect(known["data"] == .object(["a": .array([.integer(1)])]) && known["raw"] == nil)
        let broken = try JSONDecoder().decode(
            [String: JSONValue].self, from: Data(EventText(stored("{no}", flag: .newerVersion)).json().utf8))
        #expect(broken["data"] == .string("{no}") && broken["raw"] == .string("newer version"))
    }

    @Test("moments are read as days, as times and as ages; others are refused")
    func moments() throws {
        let now = Instant(milliseconds: 10_000_000)
        #expect(try EventTimeOptions.read("1970-01-02", "--from", now: now).milliseconds == 86_400_000)
        #expect(try EventTimeOptions.read("1970-01-01T00:00:05Z", "--from", now: now).milliseconds == 5_000)
        #expect(try EventTimeOptions.read("2m", "--from", now: now).milliseconds == 9_880_000)
        for text in ["soon", "1970-02-30", "-5m", "5w", ""] {
            #expect(throws: ValidationError.self, "\(text)") { try EventTimeOptions.read(text, "--from", now: now) }
        }
    }

    @Test("a balance report sums days, orders by win rate, and draws each character in a page without scripts")
    func balance() {
        func day(_ day: String, _ character: String, picks: Int, wins: Int, damage: Int)
            -> EventTotalsRepository.CharacterDay
        {
            var totals = CharacterTotals()
            totals.picks = picks
            totals.wins = wins
            totals.damage = damage
            totals.durationMs = 60_000 * picks
            return .init(day: day, mode: Mode("duel"), character: character, totals: totals)
        }
        let report = BalanceReport(
            patch: PatchVersion(3),
            [
                day("2026-11-25", "<bow>", picks: 30, wins: 10, damage: 300),
                day("2026-11-26", "<bow>", picks: 10, wins: 10, damage: 100),
                day("2026-11-26", "staff", picks: 40, wins: 30, damage: 1_600),
            ])
        let table = report.modes.first
        #expect(table?.characters.map(\.character) == ["staff", "<bow>"])
        #expect(table?.characters.map(\.winRate) == [0.75, 0.5])
        #expect(table?.characters.map(\.pickRate) == [0.5, 0.5])
        #expect(table?.characters.map(\.damage) == [40, 10])
        #expect(table?.characters.map(\.damagePerMinute) == [40, 10])
        #expect(table?.days.map(\.pickRate) == [1, 0.2, 0.8])
        let page = BalanceReportPage(report: report).html()
        #expect(page.components(separatedBy: "<svg").count == 5)
        #expect(page.contains("&lt;bow&gt;") && !page.contains("<bow>") && !page.contains("<script"))
    }
}
