import Foundation
import GameData
import TestSupport
import Testing

/// The JSON Schema and the reader say the same of files, as far as a schema can.
@Suite("The schema of balance files")
struct BalanceSchemaTests {
    @Test("the schema that is shipped is the one that the reader has")
    func shipped() throws {
        let shipped = try String(contentsOfFile: Self.repositoryFile("ops/deploy/balance.schema.json"), encoding: .utf8)
        #expect(try shipped == BalanceSchema.text() + "\n", "muster balance schema > ops/deploy/balance.schema.json")
    }

    @Test("of each sample, right or wrong, the reader and PyPI's jsonschema with our schema say the same")
    func agreement() throws {
        let right = [BalanceDocumentTests.sample(), String(decoding: try BalanceDocument.first.json, as: UTF8.self)]
        let wrong = BalanceDocumentTests.wrong.map { BalanceDocumentTests.sample($0.old, $0.new) } + ["[]", "5"]
        let samples = right.map { (true, $0) } + wrong.map { (false, $0) }
        let verdicts = try Self.python(samples.map(\.1))
        try #require(verdicts.count == samples.count)
        for ((isRight, json), verdict) in zip(samples, verdicts) {
            #expect(BalanceDocumentTests.faults(json).isEmpty == isRight, "the reader: \(json)")
            #expect(verdict == isRight, "the schema: \(json)")
        }
    }

    @Test("each field of the types is in the table, and no other")
    func fields() throws {
        let tree = BalanceTree(.first)
        for list in BalanceList.allCases {
            let thing = try #require(tree.things(list).first)
            #expect(Set(thing.fields.keys) == Set(list.fields.map(\.name)), "\(list)")
        }
    }

    private static func repositoryFile(_ path: String, from here: String = #filePath) -> String {
        let root = URL(filePath: here).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appending(path: path).path
    }

    /// Whether Python's jsonschema finds each text right.
    private static func python(_ texts: [String]) throws -> [Bool] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "balance-schema-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // Is in the temporary directory.
        try Data(BalanceSchema.text().utf8).write(to: folder.appending(path: "schema.json"))
        try JSONEncoder().encode(texts).write(to: folder.appending(path: "samples.json"))
        let program = """
            import json, sys, jsonschema
            schema = json.load(open(sys.argv[1] + '/schema.json'))
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            samples = json.load(open(sys.argv[1] + '/samples.json'))
            verdicts = [validator.is_valid(json.loads(text)) for text in samples]
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
