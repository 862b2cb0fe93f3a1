import Foundation
import TestSupport
import Testing

/// `muster rules`, as designers use it, and processes that follow a file.
@Suite struct RulesCommandTests {
    private static let good = """
        regions: [eu]
        modes:
          duel:
            teams: {size: 1}
            rating: {window: 50, window-growth: 10, window-max: 400}
            expansions: [{after: 20, window: 300}]
          squad:
            teams: {size: 5}
            latency: {scope: together, max: 60, regions: {eu: 80}}
            expansions: [{after: 30, latency-plus: 40}]
            bots: {after: 60, max: 4}

        """

    private struct Files {
        let folder: TemporaryFolder

        func file(_ name: String, _ text: String) throws -> String {
            try Data(text.utf8).write(to: URL(filePath: folder.file(name)), options: .atomic)
            return folder.file(name)
        }
    }

    private func withFiles(_ body: (Files) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await body(Files(folder: folder))
    }

    private func say(_ words: String...) async throws -> String {
        let ending = try await MusterUp.run(words)
        try #require(ending.status == 0, "\(words): \(ending.errors)")
        return ending.output
    }

    @Test("rules check says of each file what it has or all that is wrong with it, and exits with 1 if anything is")
    func check() async throws {
        try await withFiles { files in
            let good = try files.file("good.yaml", Self.good)
            let bad = try files.file(
                "bad.yaml", Self.good.replacing("window: 50", with: "windw: 50").replacing("max: 60", with: "max: x"))
            #expect(try await say("rules", "check", good).contains(/good\.yaml: rules [0-9a-f]{12}: 2 modes in eu\n/))
            let ending = try await MusterUp.run(["rules", "check", good, bad])
            #expect(ending.status == 1)
            #expect(ending.output.contains("2 modes in eu"))
            #expect(
                ending.errors.contains(
                    "\(bad):5:14: modes.duel.rating: there is no key 'windw'; did you mean 'window'?"))
            #expect(
                ending.errors.contains(
                    "\(bad):9:37: modes.squad.latency.max: 'x' does not fit here; give 1 to 5000 ms"))
            struct Checked: Decodable {
                struct Problem: Decodable {
                    let line: Int, key: String, problem: String, remedy: String
                }
                let file: String
                let version: String?
                let problems: [Problem]
            }
            let json = try await MusterUp.run(["rules", "check", good, bad, "--json"])
            let checked = try JSONDecoder().decode([Checked].self, from: Data(json.output.utf8))
            #expect(json.status == 1)
            #expect(checked.map(\.file) == [good, bad])
            #expect(checked[0].version != nil && checked[0].problems.isEmpty)
            #expect(checked[1].problems.map(\.line) == [5, 9])
            #expect(try await say("rules", "check", shippedRules()).contains("5 modes in eu, us, ap"))
        }
    }

    @Test("rules show tells what holds, defaults too, and what after a time of waiting")
    func show() async throws {
        try await withFiles { files in
            let good = try files.file("good.yaml", Self.good)
            let all = try await say("rules", "show", good)
            #expect(all.contains(/duel +2 × 1 +- +apart +glicko2 +±50 to ±400 +15 s +600 s +20/))
            #expect(all.contains(/squad +2 × 5 +to 5 +together +openskill +±100 to ±2500 +15 s +600 s +30 60/))
            let squad = try await say("rules", "show", good, "--mode", "squad")
            for row in [
                /rating\.window-growth +25/, /expansions\.60\.players-min +6/,
                /after +window +latency +to eu +players +bots/, /0 s +±100 +60 ms +80 ms +10 +0/,
                /30 s +±850 +100 ms +120 ms +10 +0/, /60 s +±1600 +100 ms +120 ms +6 +4/,
            ] { #expect(squad.contains(row), "\(squad)") }
            let at = try await say("rules", "show", good, "--mode", "duel", "--at", "19.5")
            #expect(at.contains(/19\.5 s +±245/) && !at.contains("setting"))
            #expect(try await say("rules", "show", good, "--mode", "duel", "--at", "20").contains(/20 s +±300/))
            let refused = try await MusterUp.run(["rules", "show", good, "--mode", "trio"])
            #expect(refused.status == 1)
            #expect(refused.errors.contains("no mode 'trio'") && refused.errors.contains("duel, squad"))
            let json = try await say("rules", "show", good, "--mode", "squad", "--at", "60", "--json")
            #expect(json.contains("\"botsMax\" : 4") && json.contains("\"latencyPlus\" : 40"))
        }
    }

    @Test("rules diff tells what changes by its key, and schema prints what is shipped")
    func diff() async throws {
        try await withFiles { files in
            let good = try files.file("good.yaml", Self.good)
            let other = try files.file(
                "other.yaml", "# other\n" + Self.good.replacing("window: 50", with: "window: 75"))
            #expect(try await say("rules", "diff", good, other) == "modes.duel.rating.window: 50 → 75\n")
            let same = try files.file("same.yaml", "# no change\n" + Self.good)
            #expect(try await say("rules", "diff", good, same) == "they say the same\n")
            let schema = URL(filePath: try shippedRules()).deletingLastPathComponent()
                .appending(path: "rules.schema.json")
            #expect(try await say("rules", "schema") == String(contentsOf: schema, encoding: .utf8))
        }
    }

    @Test("no process starts with rules that have errors, and each error is told")
    func refused() async throws {
        try await withFiles { files in
            let bad = try files.file("bad.yaml", "modes:\n  duel: {teams: {size: 0}, party: 5}\n")
            for command in [
                ["up", "--data", files.folder.path, "--port", "0"], ["ranker"], ["api", "--data", files.folder.path],
                ["pools", "ls"],
            ] {
                let ending = try await MusterUp.run(command + ["--rules", bad])
                #expect(ending.status == 1, "\(command)")
                #expect(
                    ending.errors.contains(
                        "bad.yaml:2:24: modes.duel.teams.size: 0 is out of range; give a whole number from 1 to 100"))
                #expect(ending.errors.contains("bad.yaml:2:35: modes.duel.party: '5' where keys are wanted"))
                #expect(ending.errors.contains("muster rules check"))
            }
        }
    }

    @Test("processes follow the file they were given: a new mode has a ranker, and errors leave the rules in force")
    func followed() async throws {
        try await withFiles { files in
            let path = try files.file("rules.yaml", Self.good)
            let processes = ["--ranker", "1", "--ingest", "1", "--allocator", "1", "--rules", path]
            try await withMuster(processes) { up in
                struct Pools: Decodable {
                    struct Pool: Decodable {
                        struct Depth: Decodable {
                            let pool: String
                            let ranker: String?
                        }
                        let depth: Depth
                    }
                    let pools: [Pool]
                }
                func pools() async throws -> [Pools.Pool.Depth] {
                    let ending = try await up.muster(["pools", "ls", "--json"])
                    #expect(ending.status == 0, "\(ending.errors)")
                    return try JSONDecoder().decode(Pools.self, from: Data(ending.output.utf8)).pools.map(\.depth)
                }
                #expect(try await pools().map(\.pool) == ["duel:eu", "squad:everywhere"])
                let first = try #require(try up.state()?.processes.first { $0.role == "ranker" })

                _ = try files.file("rules.yaml", Self.good + "  trio: {teams: {size: 3}}\n")
                try await eventually(within: .seconds(180), "the ranker serves the pool of the new mode") {
                    try await pools().contains { $0.pool == "trio:eu" && $0.ranker != nil }
                }
                // The roles that follow the rules, each by its own log.
                try await eventually(within: .seconds(180), "each process says that new rules are in force") {
                    let log = up.log(lines: .max)
                    return ["api", "ranker", "allocator", "ingest"].allSatisfy { role in
                        log.split(separator: "\n").contains {
                            $0.contains(role) && $0.contains("are in force, in place")
                        }
                    }
                }
                _ = try files.file("rules.yaml", Self.good + "  trio: {teams: {size: many}}\n")
                try await eventually("the errors are told") {
                    up.log(lines: .max).contains("modes.trio.teams.size: 'many' does not fit here")
                }
                let state = try #require(try up.state())
                let ranker = try #require(state.processes.first { $0.role == "ranker" })
                #expect(ranker.restarts == first.restarts && ranker.pid == first.pid && ranker.pid != nil)
            }
        }
    }

    private func shippedRules(from here: String = #filePath) throws -> String {
        URL(filePath: here).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ops/deploy/rules.yaml").path
    }
}
