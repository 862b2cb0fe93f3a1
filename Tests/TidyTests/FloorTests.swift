import Foundation
import Testing

/// The arrows between rooms: a target imports only from floors below its own.
@Suite struct FloorTests {
    /// Each folder of the package with its target's name and its floor.
    static let rooms: [(folder: String, target: String, floor: Int)] = [
        ("Sources/CHiredis", "CHiredis", 0), ("Sources/COpenSSL", "COpenSSL", 0),
        ("Sources/Redis", "Redis", 1), ("Sources/Records", "Records", 1), ("Sources/Telemetry", "Telemetry", 1),
        ("Sources/GameModel", "GameModel", 1),
        ("Sources/Jobs", "Jobs", 2), ("Sources/MusterInstance", "MusterInstance", 2),
        ("Sources/JobsTesting", "JobsTesting", 3),
        ("Sources/Accounts", "Accounts", 3), ("Sources/Store", "Store", 3), ("Sources/Matchmaking", "Matchmaking", 3),
        ("Sources/Fleet", "Fleet", 3), ("Sources/GameData", "GameData", 3),
        ("Sources/API", "API", 4), ("workers/ranker", "RankerWorker", 4), ("workers/allocator", "AllocatorWorker", 4),
        ("workers/verifier", "VerifierWorker", 4), ("workers/ingest", "IngestWorker", 4),
        ("workers/instance", "InstanceWorker", 4), ("ops/load", "Load", 4), ("ops/sandbox", "Sandbox", 4),
        ("ops/bench", "Bench", 4), ("ops/simulate", "Simulate", 4),
        // The API's process is the API's routes put behind a port, so it stands on the API though both are where
        // domains meet.
        ("workers/api", "APIWorker", 5),
        ("ops/muster", "muster", 6),
    ]

    @Test("a target imports only from floors below it")
    func arrows() throws {
        let floors = Dictionary(uniqueKeysWithValues: Self.rooms.map { ($0.target, $0.floor) })
        var wrong: [String] = []
        for file in try SourceTree.swift() {
            guard let room = Self.rooms.first(where: { file.path.hasPrefix($0.folder + "/") }) else {
                wrong.append("\(file.path): in no room that this test knows")
                continue
            }
            for module in file.imports {
                if let floor = floors[module], floor >= room.floor {
                    wrong.append("\(file.path): floor \(room.floor) imports \(module) of floor \(floor)")
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("a library that one room is the door to is imported there alone")
    func doors() throws {
        let doors: [String: (String) -> Bool] = [
            "CHiredis": { $0.hasPrefix("Sources/Redis/") },
            "COpenSSL": { $0.hasPrefix("Sources/Accounts/") },
            "GRDB": {
                $0.hasPrefix("Sources/Records/") || $0.hasSuffix("Repository.swift") || $0.hasSuffix("Schema.swift")
                    || $0.contains("Repository+")
            },
            "Hummingbird": {
                $0.hasPrefix("Sources/API/") || $0.hasPrefix("Sources/Telemetry/Health") || $0.hasPrefix("ops/sandbox/")
                    || $0.hasPrefix("workers/api/")
            },
            "ArgumentParser": { $0.hasPrefix("ops/muster/") },
        ]
        var wrong: [String] = []
        for file in try SourceTree.swift() {
            for module in file.imports {
                if let allowed = doors[module], !allowed(file.path) { wrong.append("\(file.path) imports \(module)") }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }
}
