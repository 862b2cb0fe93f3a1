import Foundation
import GameModel
import Testing

@testable import Matchmaking

/// What the reader says of files with errors: line, key, value and remedy.
@Suite struct RulesFaultTests {
    @Test("all errors of a file are told at once, in the order of their lines")
    func allAtOnce() {
        let told = faults(
            """
            regions: [eu, eu]
            modes:
              Duel: {teams: {size: 1}}
              squad:
                teams: {size: 5}
                party: {max: 6}
                rating: {windwo: 5, window: wide, system: glicko}
                acceptance: {required: yes}
                wait:
              trio: {teams: {cuont: 3}}
            """)
        #expect(
            told == [
                "1:regions[1]: 'eu' is there twice; take one of them out",
                "3:modes.Duel: 'Duel' is no mode's name; use 1 to 32 lower-case letters, digits and '-'",
                "6:modes.squad.party.max: 6 players don't fit into a team of 5; give 5 at most, or make teams larger",
                "7:modes.squad.rating: there is no key 'windwo'; did you mean 'window'?",
                "7:modes.squad.rating.system: 'glicko' is not known; give glicko2 or openskill; "
                    + "did you mean 'glicko2'?",
                "7:modes.squad.rating.window: 'wide' does not fit here; give 0 to 10000 points",
                "8:modes.squad.acceptance.required: 'yes' does not fit here; give true or false",
                "9:modes.squad.wait: nothing where keys are wanted; write key: value below it, or take it out",
                "10:modes.trio.teams: there is no key 'cuont'; did you mean 'count'?",
                "10:modes.trio.teams.size: is missing; give a whole number from 1 to 100",
            ])
    }

    @Test("an unknown key is refused with the nearest known one, or with where it belongs")
    func unknownKeys() {
        #expect(
            faults(ofMode: "teams: {size: 2}", "window: 5", "ratin: {}", "zzz: 1").map { $0.prefix(79) } == [
                "4:modes.m: there is no key 'window'; it belongs under 'rating'",
                "5:modes.m: there is no key 'ratin'; did you mean 'rating'?",
                "6:modes.m: there is no key 'zzz'; there are teams, party, rating, latency, avoi",
            ])
        #expect(
            faults("modes: {m: {teams: {size: 1}}}\nmods: 1") == ["2:: there is no key 'mods'; did you mean 'modes'?"])
        #expect(faults("x-own: [1]\nmodes: {m: {teams: {size: 1}}}").isEmpty)
    }

    @Test("a number out of its range is refused, the range's ends are not")
    func ranges() {
        for group in RulesKeys.groups where !["latency", "teams", "party"].contains(group.name) {
            for key in group.keys {
                let ends: (String, String, String, String)
                switch key.form {
                case .number(let range, _):
                    ends = (
                        RulesText.number(range.lowerBound), RulesText.number(range.upperBound),
                        RulesText.number(range.lowerBound - 0.5), RulesText.number(range.upperBound + 0.5)
                    )
                case .integer(let range):
                    ends = (
                        "\(range.lowerBound)", "\(range.upperBound)", "\(range.lowerBound - 1)",
                        "\(range.upperBound + 1)"
                    )
                default: continue
                }
                func told(_ value: String) -> [String] {
                    faults(ofMode: "teams: {size: 100, count: 2}", "\(group.name): {\(key.name): \(value)}")
                        .filter { $0.contains("out of range") }
                }
                #expect(told(ends.0).isEmpty && told(ends.1).isEmpty, "\(group.name).\(key.name)")
                for value in [ends.2, ends.3] {
                    #expect(
                        told(value) == [
                            "4:modes.m.\(group.name).\(key.name): \(value) is out of range; give \(key.form.wanted)"
                        ])
                }
            }
        }
    }

    @Test(
        "words that YAML readers disagree about are no values",
        arguments: ["yes", "off", "1_000", "0x10", ".inf", ".nan", "1:30", "null", "~", "[5]", "{a: 5}", "''", "'5'"])
    func doubtful(_ text: String) {
        let told = faults(ofMode: "teams: {size: 2}", "rating: {window: \(text)}")
        #expect(told.count == 1)
        #expect(told.first?.hasPrefix("4:modes.m.rating.window: ") == true)
    }

    @Test("a text that looks like something else wants quotes")
    func quotes() {
        #expect(
            faults("regions: [eu, no]\nmodes: {m: {teams: {size: 1}}}") == [
                "1:regions[1]: 'no' where a text is wanted; put it in quotes"
            ])
        #expect(faults("regions: [eu, \"no\"]\nmodes: {m: {teams: {size: 1}}}").isEmpty)
        #expect(
            faults(ofMode: "teams: {size: 2}", "attributes: [{name: 5, rule: equal}]") == [
                "4:modes.m.attributes[0].name: '5' does not fit here; put it in quotes"
            ])
    }

    struct Crossed: Sendable {
        let lines: [String]
        let fault: String
    }

    static let crossed: [Crossed] = [
        .init(
            lines: ["teams: {count: 21, size: 5}"],
            fault: "3:modes.m.teams.size: 21 teams of 5 are 105 players; make it 100 players a match at most"),
        .init(
            lines: ["teams: {size: 3}", "roles: [{name: a, count: 2}, {name: b, count: 2}]"],
            fault: "4:modes.m.roles: 4 roles don't fit into a team of 3; take some out, or make teams larger"),
        .init(
            lines: ["teams: {size: 3}", "roles:", "  - {name: a}", "  - {name: a}"],
            fault: "6:modes.m.roles[1].name: 'a' is there twice; take one of them out"),
        .init(
            lines: ["teams: {size: 3}", "latency: {scope: together}"],
            fault: "4:modes.m.latency.scope: regions together want a limit by which to choose one; "
                + "add latency.max, like 100, or give scope: apart"),
        .init(
            lines: ["teams: {size: 3}", "latency: {max: 50, regions: {mars: 90}}"],
            fault: "4:modes.m.latency.regions: 'mars' is no region that is played in; there are eu, us"),
        .init(
            lines: ["teams: {size: 3}", "latency: {regions: {eu: 90}}"],
            fault: "4:modes.m.latency.regions: limits of some regions want one of the others; add max"),
        .init(
            lines: ["teams: {size: 3}", "attributes: [{name: level, rule: distance}]"],
            fault: "4:modes.m.attributes[0].max: rule distance wants a limit; add max"),
        .init(
            lines: ["teams: {size: 3}", "attributes: [{name: level, rule: equal, max: 3}]"],
            fault: "4:modes.m.attributes[0].max: rule equal has no limit; take max out"),
        .init(
            lines: ["teams: {size: 3}", "attributes: [{name: level, rule: distance, max: 3, default: low}]"],
            fault: "4:modes.m.attributes[0].default: rule distance can't judge low; give a number"),
        .init(
            lines: ["teams: {size: 3}", "history: {streak-points: 5}"],
            fault: "4:modes.m.history.streak-points: points without a most have no effect; add streak-points-max"),
        .init(
            lines: ["teams: {size: 3}", "cooldown: {seconds: 900}"],
            fault: "4:modes.m.cooldown.seconds: 900 is more than the longest; give 600 at most, or raise seconds-max"),
    ]

    static let crossedExpansions: [Crossed] = [
        .init(
            lines: ["- {after: 20}", "- {after: 20}"],
            fault: "6:modes.m.expansions[1].after: 20 does not come after 20; write expansions in rising order of after"
        ),
        .init(
            lines: ["- {after: 600, window: 200}"],
            fault: "5:modes.m.expansions[0].after: 600 never comes: tickets expire after 600; "
                + "give less, or raise wait.seconds-max"),
        .init(
            lines: ["- {after: 9, attributes: {level: 3}}"],
            fault: "5:modes.m.expansions[0].attributes: there is no rule about 'level'; "
                + "add one to attributes, or take it out"),
        .init(
            lines: ["- {after: 9, fill-roles: true}"],
            fault: "5:modes.m.expansions[0].fill-roles: the mode has no roles; take it out, or add roles"),
        .init(
            lines: ["- {after: 9, latency-plus: 5}"],
            fault: "5:modes.m.expansions[0].latency-plus: the mode has no latency limit; "
                + "take it out, or add latency.max"),
        .init(
            lines: ["- {after: 9, players-min: 7}"],
            fault: "5:modes.m.expansions[0].players-min: 7 is more than the 6 of a full match; give 2 to 6"),
        .init(
            lines: ["- {after: 9, bots-max: 2}"],
            fault: "5:modes.m.expansions[0].bots-max: a match may not begin with fewer than all 6 players; "
                + "add players-min, the fewest"),
        .init(
            lines: ["- {after: 9, players-min: 1}"],
            fault: "5:modes.m.expansions[0].players-min: 1 is out of range; give a whole number from 2 to 100"),
        .init(
            lines: ["- {after: 5, players-min: 4}", "- {after: 9, players-min: 5}"],
            fault: "6:modes.m.expansions[1].players-min: 5 narrows the limit, 4 held before; "
                + "give 4 or less: expansions only loosen"),
        .init(
            lines: ["- {after: 9, window: 99}"],
            fault: "5:modes.m.expansions[0].window: 99 narrows the limit, 100 held before; "
                + "give 100 or more: expansions only loosen"),
        .init(
            lines: ["- {after: 9, recent-opponents: 1}"],
            fault: "5:modes.m.expansions[0].recent-opponents: 1 narrows the limit, 0 held before; "
                + "give 0 or less: expansions only loosen"),
        .init(
            lines: ["- {after: 9, team-gap-max: 0.2}"],
            fault: "5:modes.m.expansions[0].team-gap-max: there was no limit before; "
                + "add rating.team-gap-max, or take it out"),
        .init(
            lines: ["- {after: 9, avoid-listed: true}"],
            fault: "5:modes.m.expansions[0].avoid-listed: avoid-lists did not hold before; "
                + "give avoid.listed: true, or false here"),
    ]

    @Test("what does not go together is refused, once", arguments: crossed)
    func crossChecks(_ case: Crossed) {
        let lines = `case`.lines.map { "    \($0)\n" }.joined()
        #expect(faults("modes:\n  m:\n" + lines) == [`case`.fault])
    }

    @Test("an expansion that does not fit its mode is refused, once", arguments: crossedExpansions)
    func crossChecksOfExpansions(_ case: Crossed) {
        let lines = `case`.lines.map { "      \($0)\n" }.joined()
        #expect(faults("modes:\n  m:\n    teams: {size: 3}\n    expansions:\n" + lines) == [`case`.fault])
    }

    @Test("what only follows from another error is not told")
    func moot() {
        #expect(
            faults(ofMode: "teams: {size: five}", "party: {max: 9}", "bots: {after: 5, max: 90}") == [
                "3:modes.m.teams.size: 'five' does not fit here; give a whole number from 1 to 100"
            ])
    }

    @Test(
        "a file that is no mapping of modes is refused, whatever it is",
        arguments: [
            ("", "-:: the file is empty; add modes, like modes: {duel: {teams: {size: 1}}}"),
            ("- a", "1:: a list where keys are wanted; write key: value below it, or take it out"),
            ("hello", "1:: 'hello' where keys are wanted; write key: value below it, or take it out"),
            ("regions: [eu]", "1:: there are no modes; add them, like modes: {duel: {teams: {size: 1}}}"),
            ("modes: {}", "1:modes: there are none; name one, like duel: {teams: {size: 1}}"),
            ("modes: [a]", "1:modes: a list where keys are wanted; write key: value below it, or take it out"),
            ("modes:\n  a: {teams: {size: 1}\n  b: 3", "3:: did not find expected ',' or '}'; mend the YAML there"),
            ("modes: {a: {teams: {size: 1}}, a: {teams: {size: 2}}}", "1:: 'a' is there twice; take one out"),
            ("modes: *nowhere", "1:: found undefined alias; mend the YAML there"),
        ])
    func hopeless(_ yaml: String, _ fault: String) {
        #expect(faults(yaml) == [fault])
    }

    @Test("a text nested without end, or cut anywhere, is refused and harms nothing")
    func hostile() throws {
        #expect(!faults(String(repeating: "[", count: 300_000)).isEmpty)
        #expect(!faults(String(repeating: "{a: ", count: 100_000)).isEmpty)
        let text = try String(contentsOfFile: repositoryFile("ops/deploy/rules.yaml"), encoding: .utf8)
        for length in stride(from: 0, to: text.count, by: 97) { _ = faults(String(text.prefix(length))) }
    }

    @Test("a file that is not there, too large or not UTF-8 is refused")
    func files() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID()).yaml")
        defer { try? FileManager.default.removeItem(at: path) }  // May not have been made.
        func fault() -> String {
            do {
                _ = try MatchmakingRules.read(file: path.path)
                return ""
            } catch {
                return "\(error)".replacing(path.path, with: "FILE")
            }
        }
        #expect(fault() == "FILE: the file can't be read; check its name and rights")
        try Data("modes: \u{FF}".unicodeScalars.map { UInt8($0.value) }).write(to: path)
        #expect(fault() == "FILE: the text is not UTF-8; save it as UTF-8")
        try Data(repeating: UInt8(ascii: "#"), count: (1 << 20) + 1).write(to: path)
        #expect(fault() == "FILE: more than 1048576 bytes; is this the rules file?")
    }

    @Test("rules that were made in code are held to the same")
    func madeInCode() throws {
        var mode = ModeRules(teamSize: 3)
        mode.partyMax = 4
        let rules = MatchmakingRules(modes: [Mode("m"): mode], regions: [Region("eu")])
        #expect(
            throws: MatchmakingError.invalidRules(
                "modes.m.party.max: 4 players don't fit into a team of 3; give 3 at most, or make teams larger")
        ) {
            try rules.validate()
        }
        try MatchmakingRules.standard.validate()
    }
}
