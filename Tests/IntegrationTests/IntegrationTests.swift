import Foundation
import TestSupport
import Testing

/// The whole house through real processes, as a person at a terminal would use it.
@Suite(.serialized) struct JourneyTests {
    struct LoadResult: Decodable {
        struct Row: Decodable {
            let step: String
            let count: Int
        }
        let finishedShare: Double
        let steps: [Row]
    }

    struct DepthSample: Decodable {
        struct Row: Decodable {
            let kind: String
            let waiting: Int
            let inTotal: Int?
            let outTotal: Int?
            let inPerSecond: Double?
        }
        let rows: [Row]
    }

    @Test("players log in, buy, queue, accept, play and get their results, and the books balance")
    func journey() async throws {
        try await withMuster { up in
            let api = try #require(try up.state()).apiUrl
            let load = try await up.muster(
                [
                    "load", "--api", api, "--players", "40", "--seconds", "8", "--regions", "eu", "--modes",
                    "duel=3,trio=1",
                    "--drain", "180", "--require-finished", "0.8", "--json", "--report", up.folder.file("report.html"),
                ], onData: false)
            try #require(load.status == 0, "\(load.errors)\n\(load.output)")
            let result = try JSONDecoder().decode(LoadResult.self, from: Data(load.output.utf8))
            // Of so few players up to one duellist and five of a trio's six have nobody left to play with.
            #expect(result.finishedShare >= 0.8)
            let steps = Set(result.steps.filter { $0.count > 0 }.map(\.step))
            #expect(
                steps.isSuperset(of: [
                    "register", "log in", "catalog", "order", "paid", "queue", "matched", "accept", "placed", "join",
                    "play", "result", "journey",
                ]))
            #expect(FileManager.default.fileExists(atPath: up.folder.file("report.html")))

            let audit = try await up.muster(["audit", "--wait", "180"])
            #expect(audit.status == 0, "\(audit.output)\(audit.errors)")

            let season = try await up.muster(["seasons", "start", "autumn", "--carry", "0.5", "--yes"])
            #expect(season.output.contains("season 1, autumn, has begun"), "\(season.output)\(season.errors)")
            #expect(try await up.muster(["seasons", "start", "autumn", "--yes"]).output.contains("is the current one"))
            #expect(try await up.muster(["seasons", "ls"]).output.contains("autumn"))
            let nowhere = try await up.muster(["seasons", "ls", "--data", "/nowhere"], onData: false)
            #expect(nowhere.status != 0)
            #expect(nowhere.errors.contains("There is no data.sqlite in /nowhere"), "\(nowhere.errors)")

            let depth = try await up.muster(["depth", "--json"])
            #expect(depth.status == 0, "\(depth.errors)")
            let sample = try JSONDecoder().decode(DepthSample.self, from: Data(depth.output.utf8))
            let pools = sample.rows.filter { $0.kind == "pool" }
            #expect(pools.reduce(0) { $0 + ($1.inTotal ?? 0) } >= 40)
            #expect(pools.allSatisfy { ($0.inTotal ?? 0) - ($0.outTotal ?? 0) == $0.waiting && $0.inPerSecond != nil })
            let table = try await up.muster(["depth"])
            #expect(table.status == 0)
            #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(table.output)")
            let screen = try await Terminal.run(try MusterUp.executable(), ["depth", "--data", up.folder.path])
            #expect(screen.count <= 24, "\(screen.joined(separator: "\n"))")
            #expect(screen.allSatisfy { $0.count <= 80 })
            for word in ["verify", "allocate", "duel:eu", "trio:us", "events:", "fleet", "processes"] {
                #expect(screen.contains { $0.contains(word) }, "\(word) is not shown in 24 lines")
            }
        }
    }

    @Test("a developer's edit is in force once it is published, and one of what is not there is refused")
    func developerEdits() async throws {
        try await withMuster(["--ranker", "1", "--ingest", "1"]) { up in
            let before = try await up.muster(["balance", "show", "--json"])
            #expect(before.status == 0, "\(before.errors)")
            let set = try await up.muster(["balance", "set", "characters.shade.damage=77"])
            #expect(set.status == 0, "\(set.errors)")
            let draft = try await up.muster(["balance", "show", "--json"])
            #expect(draft.output == before.output, "a draft is not in force")
            let published = try await up.muster(["balance", "publish", "--note", "Shade hits harder", "--yes"])
            #expect(published.status == 0, "\(published.errors)")
            let after = try await up.muster(["balance", "show", "--json"])
            #expect(after.output.contains("77"))
            #expect(after.output != before.output)
            let refused = try await up.muster(["balance", "set", "characters.nobody.damage=77"])
            #expect(refused.status != 0)
            #expect(refused.output.isEmpty)
            #expect(refused.errors.contains("nobody"))
        }
    }
}

@Suite struct CommandLineTests {
    @Test("every subcommand has a help text with an example")
    func help() async throws {
        let top = try await MusterUp.run(["--help"])
        #expect(top.status == 0)
        var isList = false
        var names: [String] = []
        for line in top.output.split(separator: "\n") {
            if line.hasPrefix("SUBCOMMANDS") || line.hasSuffix("SUBCOMMANDS:") { isList = true; continue }
            guard isList, line.hasPrefix("  "), !line.hasPrefix("   ") else { continue }
            if let name = line.split(separator: " ").first { names.append(String(name)) }
        }
        #expect(names.count >= 14, "\(top.output)")
        for name in names where name != "help" && name != "See" {
            let help = try await MusterUp.run([name, "--help"])
            #expect(help.status == 0, "muster \(name) --help")
            #expect(help.output.contains("xample"), "muster \(name) --help shows no example")
        }
    }

    @Test(
        "a wrong call says on standard error what is wrong, and exits with a status that is not zero",
        arguments: [
            ["load", "--players", "0"], ["load", "--api", "http://127.0.0.1:1", "--players", "1", "--seconds", "1"],
            ["load", "--report", "/nowhere/report.html"], ["depth", "--redis", "http://nowhere"],
            ["up", "--ranker", "-1"], ["token", "--role", "king"],
        ])
    func wrongCalls(_ arguments: [String]) async throws {
        let ending = try await MusterUp.run(arguments)
        #expect(ending.status != 0)
        #expect(ending.output.isEmpty)
        #expect(!ending.errors.isEmpty)
    }

    @Test(
        "what is missing or can't work is named, with what to do next",
        arguments: [
            (["depth", "--redis", "redis://127.0.0.1:1"], ["redis://127.0.0.1:1", "muster up"]),
            (["audit", "--data", "/nowhere"], ["accounts.sqlite", "--data"]),
            (["token", "--role", "developer", "--subject", "a", "--data", "/nowhere"], ["/nowhere/keys", "--data"]),
            (["store", "products", "ls", "--data", "/nowhere"], ["accounts.sqlite", "--data"]),
            (["up", "--data", "/dev/null", "--set", "instance.slots=x"], ["muster.instance.slots", "muster config"]),
            (["verifier", "--set", "verifier.concurrency=many"], ["muster.verifier.concurrency", "muster config"]),
            (["api", "--set", "log.level=loud"], ["muster.log.level", "muster config"]),
        ])
    func nextSteps(_ arguments: [String], _ words: [String]) async throws {
        let ending = try await MusterUp.run(arguments)
        #expect(ending.status != 0)
        #expect(ending.output.isEmpty)
        for word in words { #expect(ending.errors.contains(word), "\(ending.errors)") }
    }

    @Test("the settings in force come with their source, secrets masked, and a misspelled one is told")
    func config() async throws {
        let ending = try await MusterUp.run([
            "config", "--set", "payments.secret-key=sk_test_unseen", "--set", "instance.slots=7",
            "--set", "instnce.slots=8", "--redis", "redis://me:unseen@127.0.0.1:1",
        ])
        #expect(ending.status == 0)
        #expect(!ending.output.contains("unseen"))
        #expect(ending.output.contains(/muster\.instance\.slots +7 +flag +allocator instance/))
        #expect(ending.output.contains(/muster\.log\.format +text +default/))
        #expect(ending.errors.contains("MUSTER_INSTNCE_SLOTS"))
    }
}
