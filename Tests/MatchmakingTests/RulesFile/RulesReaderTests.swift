import Foundation
import GameModel
import Testing

@testable import Matchmaking

/// What is wrong with a text, as `line:key: problem; remedy`; empty where nothing is.
func faults(_ yaml: String) -> [String] {
    do {
        _ = try MatchmakingRules.read(yaml: yaml)
        return []
    } catch {
        return error.problems.map { "\($0.line.map(String.init) ?? "-"):\($0.key): \($0.problem); \($0.remedy)" }
    }
}

/// The faults of one mode's lines, which follow `modes:` and `  m:`.
func faults(ofMode lines: String...) -> [String] {
    faults("modes:\n  m:\n" + lines.map { "    \($0)\n" }.joined())
}

@Suite struct RulesReaderTests {
    @Test("a mode needs nothing but its team's size; all else has its default")
    func defaults() throws {
        let rules = try MatchmakingRules.read(yaml: "modes: {duel: {teams: {size: 1}}, squad: {teams: {size: 5}}}")
        #expect(rules.modes == [Mode("duel"): ModeRules(teamSize: 1), Mode("squad"): ModeRules(teamSize: 5)])
        #expect(rules.regions == [Region("eu"), Region("us")])
    }

    @Test("every key of the file reaches the rules")
    func everyKey() throws {
        let rules = try MatchmakingRules.read(yaml: Self.full)
        let mode = try #require(rules.modes[Mode("m")])
        #expect(rules.regions == [Region("eu"), Region("us")])
        #expect((mode.teams, mode.teamSize) == (3, 4))
        #expect((mode.partyMax, mode.joinSeconds) == (2, 30))
        #expect(
            mode.roles == [RoleRule(name: "tank", count: 2), RoleRule(name: "healer", count: 1, isRequired: false)])
        #expect(mode.ratingSystem == .glicko2)
        #expect((mode.window, mode.windowGrowth, mode.windowMax, mode.teamGapMax) == (50, 5, 500, 0.1))
        #expect(mode.scope == .together)
        #expect(mode.latency == LatencyRule(max: 60, regions: [Region("us"): 80.5]))
        #expect(mode.avoidsListed)
        #expect(mode.recentOpponents == 3)
        #expect(
            mode.attributes == [
                AttributeRule(name: "level", kind: .distance, max: 5, fallback: .number(1)),
                AttributeRule(name: "maps", kind: .oneOf, fallback: .list(["a", "b"])),
                AttributeRule(name: "pool", kind: .equal, fallback: .text("5")),
            ])
        var expansion = Expansion(after: 10, attributes: ["level": 9, "maps": 0])
        expansion.window = 100
        expansion.latencyPlus = 20
        expansion.teamGapMax = 0.2
        expansion.playersMin = 8
        expansion.botsMax = 4
        expansion.recentOpponents = 1
        expansion.avoidsListed = false
        expansion.fillsRoles = true
        #expect(mode.expansions == [expansion, Expansion(after: 20.5)])
        var history = HistoryRule()
        history.placementGames = 5
        history.placementWindow = 2
        history.streakPoints = 10
        history.streakPointsMax = 40
        history.leaverHoldSeconds = 90
        #expect(mode.history == history)
        #expect(!mode.needsAcceptance)
        #expect((mode.acceptSeconds, mode.waitSecondsMax, mode.abandonedSeconds) == (12, 120, 40))
        #expect(mode.cooldown == CooldownRule(seconds: 30, factor: 3, secondsMax: 300, forgetSeconds: 900))
        #expect(mode.backfill == BackfillRule(isAllowed: true, priority: .byWait))
        #expect((mode.placeSeconds, mode.placementsMax, mode.matchSecondsMax) == (20, 5, 1800))
    }

    /// Has each key there is; a test holds that it has.
    static let full = """
        regions: [eu, us]
        x-shared: &shared
          seconds: 30
        modes:
          m:
            teams: {count: 3, size: 4}
            party: {max: 2, join-seconds: 30}
            roles: [{name: tank, count: 2}, {name: healer, count: 1, required: false}]
            rating: {system: glicko2, window: 50, window-growth: 5, window-max: 500, team-gap-max: 0.1}
            latency: {scope: together, max: 60, regions: {us: 80.5}}
            attributes:
              - {name: level, rule: distance, max: 5, default: 1}
              - {name: maps, rule: one-of, default: [a, b]}
              - {name: pool, rule: equal, default: "5"}
            avoid: {listed: true, recent-opponents: 3}
            expansions:
              - after: 10
                window: 100
                latency-plus: 20
                team-gap-max: 0.2
                players-min: 8
                bots-max: 4
                recent-opponents: 1
                avoid-listed: false
                fill-roles: true
                attributes: {level: 9, maps: 0}
              - after: 20.5
            history:
              placement-games: 5
              placement-window: 2
              streak-points: 10
              streak-points-max: 40
              leaver-hold-seconds: 90
            acceptance: {required: false, seconds: 12}
            wait: {seconds-max: 120, abandoned-seconds: 40}
            cooldown: {<<: *shared, factor: 3, seconds-max: 300, forget-seconds: 900}
            backfill: {allowed: true, priority: by-wait}
            placing: {seconds: 20, attempts-max: 5, match-seconds-max: 1800}
        """

    @Test("bots are an expansion at their time: the seats less the bots are the fewest players")
    func bots() throws {
        let rules = try MatchmakingRules.read(
            yaml: """
                modes:
                  m:
                    teams: {size: 5}
                    expansions: [{after: 10, window: 200}, {after: 90, window: 500}]
                    bots: {after: 60, max: 4}
                """)
        var bots = Expansion(after: 60)
        bots.botsMax = 4
        bots.playersMin = 6
        #expect(rules.modes[Mode("m")]?.expansions.map(\.after) == [10, 60, 90])
        #expect(rules.modes[Mode("m")]?.expansions[1] == bots)
        #expect(
            faults(
                ofMode: "teams: {size: 5}", "expansions:", "  - {after: 10, window: 200}",
                "  - {after: 90, window: 150}", "bots: {after: 60, max: 4}"
            ) == [
                "6:modes.m.expansions[2].window: 150 narrows the limit, 200 held before; "
                    + "give 200 or more: expansions only loosen"
            ])
        #expect(
            faults(ofMode: "teams: {size: 2}", "bots: {after: 60, max: 3}") == [
                "4:modes.m.bots.max: 3 bots leave less than 2 of 4 seats to players; give 2 at most"
            ])
    }

    @Test("the file that is shipped is right, and has the modes that it is known for")
    func shipped() throws {
        let rules = try MatchmakingRules.read(file: repositoryFile("ops/deploy/rules.yaml"))
        #expect(rules.modes.keys.map(\.rawValue).sorted() == ["3x4", "duel", "royale", "squad", "trio"])
        #expect(rules.regions.map(\.rawValue) == ["eu", "us", "ap"])
        #expect(rules.pools.map(\.description).contains("squad:everywhere"))
        try rules.validate()
    }

    @Test("a version names what the rules say, not how the file says it")
    func version() throws {
        let one = try MatchmakingRules.read(yaml: "modes: {a: {teams: {size: 1}}, b: {teams: {size: 2, count: 2}}}")
        let same = try MatchmakingRules.read(
            yaml: "# a comment\nregions: [eu, us]\nmodes:\n  b: {teams: {size: 2}}\n  a: {teams: {size: 1}}\n")
        let other = try MatchmakingRules.read(yaml: "modes: {a: {teams: {size: 1}}, b: {teams: {size: 3}}}")
        #expect(one.version == same.version)
        #expect(one == same)
        #expect(one.version != other.version)
        #expect(one.version.wholeMatch(of: /[0-9a-f]{12}/) != nil)
    }

    @Test("each setting is in the version: any change of one key changes it")
    func everySettingCounts() throws {
        let rules = try MatchmakingRules.read(yaml: Self.full)
        var versions: Set<String> = [rules.digest]
        for group in RulesKeys.groups {
            for key in group.keys {
                var changed = rules
                var mode = try #require(changed.modes[Mode("m")])
                key.write(&mode, try #require(Self.other(than: key.read(mode), of: key.form)))
                changed.modes[Mode("m")] = mode
                #expect(versions.insert(changed.digest).inserted, "\(group.name).\(key.name)")
                #expect(rules.changes(to: changed).map(\.key) == ["modes.m.\(group.name).\(key.name)"])
            }
        }
    }

    private static func other(than value: RulesValue?, of form: RulesForm) -> RulesValue? {
        switch (form, value) {
        case (.number(let range, _), let value):
            value == .number(range.lowerBound) ? .number(range.upperBound) : .number(range.lowerBound)
        case (.integer(let range), let value):
            value == .number(Double(range.lowerBound))
                ? .number(Double(range.upperBound)) : .number(Double(range.lowerBound))
        case (.flag, .flag(let flag)?): .flag(!flag)
        case (.choice(let choices), .text(let text)?): choices.first { $0 != text }.map { .text($0) }
        case (.numbers, _): .numbers(["us": 77])
        default: nil
        }
    }

    @Test("a difference is told by its key, and a mode that comes or goes once")
    func changes() throws {
        let before = try MatchmakingRules.read(
            yaml: """
                modes:
                  a: {teams: {size: 1}}
                  b: {teams: {size: 2}, rating: {team-gap-max: 0.2}, roles: [{name: tank}]}
                """)
        let after = try MatchmakingRules.read(
            yaml: """
                regions: [eu]
                modes:
                  b: {teams: {size: 2}, rating: {window: 70}, expansions: [{after: 9, window: 90}]}
                  c: {teams: {count: 4, size: 1}}
                """)
        #expect(
            before.changes(to: after).map(\.description) == [
                "modes.a: gone, was 2 teams of 1", "modes.c: new, 4 teams of 1",
                "modes.b.expansions.9.window: new, 90", "modes.b.rating.team-gap-max: gone, was 0.2",
                "modes.b.rating.window: 100 → 70", "modes.b.roles.tank.count: gone, was 1",
                "modes.b.roles.tank.required: gone, was true", "regions: eu, us → eu",
            ])
        #expect(before.changes(to: before).isEmpty)
    }
}

/// A file of the repository, whichever package the tests are built in.
func repositoryFile(_ path: String, from here: String = #filePath) throws -> String {
    var folder = URL(filePath: here).resolvingSymlinksInPath().deletingLastPathComponent()
    while folder.path != "/" {
        let file = folder.appending(path: path).path
        if FileManager.default.fileExists(atPath: file) { return file }
        folder = folder.deletingLastPathComponent()
    }
    throw CocoaError(.fileReadNoSuchFile)
}
