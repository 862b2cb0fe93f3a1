import Foundation
import GameModel
import TestSupport
import Testing

@testable import Matchmaking

/// The JSON Schema and the reader say the same of files, as far as a schema can.
@Suite struct RulesSchemaTests {
    @Test("the schema that is shipped is the one that the reader has")
    func shipped() throws {
        let shipped = try String(contentsOfFile: repositoryFile("ops/deploy/rules.schema.json"), encoding: .utf8)
        #expect(try shipped == RulesSchema.text() + "\n", "muster rules schema > ops/deploy/rules.schema.json")
    }

    /// With a word that says whether the file is right.
    static let samples: [(isRight: Bool, yaml: String)] =
        [(true, RulesReaderTests.full), (true, "modes: {m: {teams: {size: 1}}}")]
        + [
            "teams: {size: 1.0}", "teams: {size: 5}, bots: {after: 5, max: 2}",
            "teams: {size: 2}, x: 1", "teams: {}", "party: {max: 2}", "teams: 5", "teams: {size: 0}",
            "teams: {size: 101}", "teams: {size: 1.5}", "teams: {size: '5'}", "teams: {size: true}",
            "teams: {size: 2}, rating: {system: elo}", "teams: {size: 2}, rating: {window: -1}",
            "teams: {size: 2}, rating: {window: 10000.5}", "teams: {size: 2}, rating: {team-gap-max: 0.51}",
            "teams: {size: 2}, rating: {windwo: 5}", "teams: {size: 2}, rating: null",
            "teams: {size: 2}, acceptance: {required: 1}", "teams: {size: 2}, latency: {scope: together}",
            "teams: {size: 2}, latency: {regions: {eu: 5}}", "teams: {size: 2}, latency: {max: 5, regions: {eu: 0}}",
            "teams: {size: 2}, roles: {name: a}", "teams: {size: 2}, roles: [{count: 1}]",
            "teams: {size: 2}, roles: [{name: 'a b'}]", "teams: {size: 2}, roles: [{name: ''}]",
            "teams: {size: 2}, attributes: [{name: a, rule: distance}]",
            "teams: {size: 2}, attributes: [{name: a, rule: equal, max: 5}]",
            "teams: {size: 2}, attributes: [{name: a, rule: equal, default: [b]}]",
            "teams: {size: 2}, attributes: [{name: a, rule: one-of, default: 5}]",
            "teams: {size: 2}, attributes: [{name: a, rule: one-of, default: []}]",
            "teams: {size: 2}, attributes: [{name: a, rule: distance, max: 5, default: low}]",
            "teams: {size: 2}, attributes: [{rule: equal}]", "teams: {size: 2}, expansions: [{window: 200}]",
            "teams: {size: 2}, expansions: [{after: 5, windw: 200}]", "teams: {size: 2}, expansions: [5]",
            "teams: {size: 2}, expansions: [{after: 5, players-min: 1}]", "teams: {size: 5}, bots: {max: 2}",
            "teams: {size: 2}, backfill: {priority: soon}",
        ].enumerated().map { ($0.offset < 2, "modes: {m: {\($0.element)}}") }
        + [
            "modes: {}", "regions: [eu]", "modes: [m]", "modes: {M: {teams: {size: 1}}}",
            "modes: {m: {teams: {size: 1}}}\nregions: []", "modes: {m: {teams: {size: 1}}}\nregions: [eu, eu]",
            "modes: {m: {teams: {size: 1}}}\nregions: [EU]", "modes: {m: {teams: {size: 1}}}\nregions: [everywhere]",
            "modes: {m: {teams: {size: 1}}}\nregions: [5]", "modes: {m: {teams: {size: 1}}}\nmore: 1",
        ].map { (false, $0) }

    @Test("of each sample, right or wrong, the reader and PyPI's jsonschema with our schema say the same")
    func agreement() throws {
        let shipped = try String(contentsOfFile: repositoryFile("ops/deploy/rules.yaml"), encoding: .utf8)
        let samples = Self.samples + [(true, shipped)]
        let verdicts = try Self.python(samples.map(\.yaml))
        try #require(verdicts.count == samples.count)
        for (sample, verdict) in zip(samples, verdicts) {
            #expect(faults(sample.yaml).isEmpty == sample.isRight, "the reader: \(sample.yaml)")
            #expect(verdict == sample.isRight, "the schema: \(sample.yaml)")
        }
    }

    @Test("each key that the reader knows is in the schema, and no other")
    func keys() throws {
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(RulesSchema.text().utf8)) as? [String: Any])
        func properties(_ path: String...) -> Set<String> {
            var object: Any? = schema
            for name in path { object = (object as? [String: Any])?[name] }
            return Set(((object as? [String: Any])?["properties"] as? [String: Any] ?? [:]).keys)
        }
        let mode = ["properties", "modes", "additionalProperties"]
        #expect(properties() == ["regions", "modes"])
        let known = RulesKeys.groups.map(\.name) + RulesKeys.lists.map(\.name) + [RulesKeys.botsName]
        #expect(properties(mode[0], mode[1], mode[2]) == Set(known))
        for group in RulesKeys.groups {
            let found = properties(mode[0], mode[1], mode[2], "properties", group.name)
            #expect(found == Set(group.keys.map(\.name)), "\(group.name)")
        }
        for (list, keys) in [
            ("roles", RulesKeys.role.map(\.name)), ("attributes", RulesKeys.attribute.map(\.name)),
            ("expansions", RulesKeys.expansion.map(\.name)),
        ] {
            #expect(properties(mode[0], mode[1], mode[2], "properties", list, "items") == Set(keys), "\(list)")
        }
    }

    @Test("the sample of all keys has all keys")
    func sampleIsFull() throws {
        let keys =
            RulesKeys.groups.flatMap { $0.keys.map(\.name) } + RulesKeys.role.map(\.name)
            + RulesKeys.attribute.map(\.name) + RulesKeys.expansion.map(\.name)
        for key in keys { #expect(RulesReaderTests.full.contains("\(key):"), "\(key)") }
    }

    /// Whether Python's jsonschema finds each text right.
    private static func python(_ yaml: [String]) throws -> [Bool] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "rules-schema-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // Is in the temporary directory.
        try Data(RulesSchema.text().utf8).write(to: folder.appending(path: "schema.json"))
        try JSONEncoder().encode(yaml).write(to: folder.appending(path: "samples.json"))
        let program = """
            import json, sys, yaml, jsonschema
            schema = json.load(open(sys.argv[1] + '/schema.json'))
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            samples = json.load(open(sys.argv[1] + '/samples.json'))
            verdicts = [validator.is_valid(yaml.safe_load(text)) for text in samples]
            json.dump(verdicts, open(sys.argv[1] + '/verdicts.json', 'w'))
            """
        let process = Process()
        process.executableURL = URL(filePath: try ForeignProgram.python())
        process.arguments = ["-c", program, folder.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the validator gave no verdict")
        return try JSONDecoder().decode([Bool].self, from: Data(contentsOf: folder.appending(path: "verdicts.json")))
    }
}
