// swift-tools-version: 6.2
import PackageDescription

// The floors of the house, from the ground up: a target imports only from floors below it (Tests/TidyTests holds it).

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// MARK: Third parties, each with the reason it is here

let packages: [Package.Dependency] = [
    // Bytes on sockets: Redis, the game port
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    // TLS to Redis
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    // SQLite: pools, migrations, statements
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    // The HTTP server
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    // HTTP out: provider, instances, load
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    // Signed tokens and JWKS
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    // HMAC and SHA-256 for webhooks and digests
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    // The command line
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    // Flags and environment in one reader
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    // The trace that a job belongs to, carried through the queue
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.4.0"),
    // Log lines
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    // The metrics front that libraries write to
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    // Graceful start and stop
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // Deque, OrderedDictionary, Heap
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    // The rules of matchmaking as YAML, with the line of each mistake
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // The pages of the web console
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    // Game instances as processes
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    // Paths and file descriptors, as swift-subprocess takes them
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    // Latencies that don't lie
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
]

extension Target.Dependency {
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioFoundation = product(name: "NIOFoundationCompat", package: "swift-nio")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    // The C API that GRDB stands on, for rows in the hundred thousands per second
    static let sqlite = product(name: "GRDBSQLite", package: "GRDB.swift")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let httpClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let jwt = product(name: "JWTKit", package: "jwt-kit")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let tracing = product(name: "Tracing", package: "swift-distributed-tracing")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let coreMetrics = product(name: "CoreMetrics", package: "swift-metrics")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let heap = product(name: "HeapModule", package: "swift-collections")
    static let orderedCollections = product(name: "OrderedCollections", package: "swift-collections")
    static let yams = product(name: "Yams", package: "Yams")
    static let mustache = product(name: "Mustache", package: "swift-mustache")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let system = product(name: "SystemPackage", package: "swift-system")
    static let histogram = product(name: "Histogram", package: "hdrhistogram-swift")
}

func room(
    _ name: String, at path: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", exclude: exclude,
        resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources, swiftSettings: settings)
}

let ground: [Target.Dependency] = ["GameModel", "Telemetry", .logging, .lifecycle]
let domainFloor: [Target.Dependency] = ground + ["Redis", "Records", "Jobs", .grdb]
let meetingFloor: [Target.Dependency] = domainFloor + [.configuration]

let package = Package(
    name: "muster",
    products: [
        .executable(name: "muster", targets: ["muster"]),
        .library(name: "Jobs", targets: ["Jobs"]),
        .library(name: "JobsTesting", targets: ["JobsTesting"]),
        .library(name: "Redis", targets: ["Redis"]),
        .library(name: "MusterInstance", targets: ["MusterInstance", "GameModel"]),
    ],
    dependencies: packages,
    targets: [
        // Floor 0: system libraries
        .systemLibrary(
            name: "CHiredis", path: "Sources/CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // Floor 1
        room("Redis", ["CHiredis", .nioCore, .nioPosix, .nioSSL, .logging, .metrics, .lifecycle, .deque, .crypto]),
        room("Records", [.grdb, .logging, .metrics, .lifecycle]),
        room("Telemetry", [.logging, .metrics, .coreMetrics, .lifecycle, .hummingbird]),
        room("GameModel", []),
        // Floor 2
        room(
            "Jobs",
            [
                "Redis", "Records", "Telemetry", "GameModel", .logging, .metrics, .coreMetrics, .lifecycle, .deque,
                .tracing,
            ],
            resources: [.embedInCode("Scripts")]),
        // What a game server is made of to be an instance: it speaks HTTP to the API, and knows no Redis and no records
        room(
            "MusterInstance",
            [
                "GameModel", "Telemetry", .logging, .metrics, .lifecycle, .nioCore, .httpClient, .nioHTTP1,
                .nioFoundation, .jwt,
            ], exclude: ["README.md"]),
        // Floor 3: the queue without Redis, for tests of handlers; the five domains
        room("JobsTesting", ["Jobs", "GameModel", .logging]),
        room("Accounts", domainFloor + ["COpenSSL", .jwt, .crypto, .nioPosix]),
        room("Store", domainFloor + [.httpClient, .nioHTTP1, .nioFoundation, .crypto, .nioCore]),
        room("Matchmaking", domainFloor + [.metrics, .yams], resources: [.embedInCode("Scripts")]),
        room(
            "Fleet",
            domainFloor + [
                .crypto, .subprocess, .system, .httpClient, .nioSSL, .nioCore, .nioFoundation, .nioHTTP1,
            ],
            resources: [.embedInCode("Scripts")]),
        room("GameData", domainFloor + [.sqlite], resources: [.embedInCode("Scripts")]),
        // Floor 4: where domains meet
        room(
            "API",
            meetingFloor + [
                "Accounts", "Store", "Matchmaking", "Fleet", "GameData", .hummingbird, .metrics, .mustache,
            ],
            resources: [.embedInCode("OpenAPI"), .embedInCode("Console/Templates")]),
        room(
            "APIWorker", at: "workers/api",
            meetingFloor + ["API", "Accounts", "Store", "Matchmaking", "Fleet", "GameData"]),
        room("RankerWorker", at: "workers/ranker", meetingFloor + ["Matchmaking"]),
        room("AllocatorWorker", at: "workers/allocator", meetingFloor + ["Matchmaking", "Fleet", "GameData"]),
        room("VerifierWorker", at: "workers/verifier", meetingFloor + ["Store", .metrics]),
        room("IngestWorker", at: "workers/ingest", meetingFloor + ["GameData", "Fleet", "Matchmaking", .metrics]),
        room(
            "InstanceWorker", at: "workers/instance",
            [
                "MusterInstance", "GameModel", "Telemetry", .logging, .lifecycle, .configuration, .nioCore, .nioPosix,
                .httpClient, .nioHTTP1, .nioFoundation, .jwt,
            ]),
        room(
            "Load", at: "ops/load",
            [
                "GameModel", "Telemetry", .logging, .nioCore, .nioPosix, .httpClient, .nioHTTP1, .nioFoundation,
                .histogram,
            ]),
        room(
            "Sandbox", at: "ops/sandbox",
            [
                "GameModel", "Telemetry", .logging, .lifecycle, .configuration, .metrics, .hummingbird, .httpClient,
                .nioCore,
                .nioHTTP1, .nioFoundation, .crypto,
            ]),
        room(
            "Bench", at: "ops/bench",
            [
                "GameModel", "Redis", "Records", "Telemetry", "Jobs", "Matchmaking", "Accounts", "Store", "Fleet",
                "GameData", .grdb, .sqlite, .logging, .lifecycle, .histogram, .httpClient, .nioCore, .nioPosix,
                .nioHTTP1,
                .nioFoundation,
            ], exclude: ["peers", "peers.d"]),
        room(
            "Simulate", at: "ops/simulate", ["GameModel", "Matchmaking", .yams], exclude: ["example", "example.svg"]),
        // Floor 5: the one executable
        .executableTarget(
            name: "muster",
            dependencies: meetingFloor + [
                "API", "APIWorker", "RankerWorker", "AllocatorWorker", "VerifierWorker", "IngestWorker",
                "InstanceWorker", "Load", "Sandbox", "Bench", "Simulate", "Accounts", "Store", "Matchmaking", "Fleet",
                "GameData",
                .argumentParser, .httpClient, .nioCore, .nioHTTP1, .nioFoundation,
            ],
            path: "ops/muster", swiftSettings: settings),
        // Tests
        room(
            "TestSupport", at: "Tests/TestSupport",
            ["Redis", "Records", "GameModel", .logging, .lifecycle, .nioCore, .nioPosix]),
        tests("RedisTests", ["Redis", "GameModel", "TestSupport", .nioCore, .nioPosix]),
        tests("RecordsTests", ["Records", "TestSupport", .grdb]),
        tests("TelemetryTests", ["Telemetry", "TestSupport", .httpClient, .nioCore, .nioHTTP1, .nioFoundation]),
        tests("GameModelTests", ["GameModel"]),
        tests("JobsTests", ["Jobs", "JobsTesting", "Redis", "Records", "TestSupport", .grdb, .tracing]),
        tests("AccountsTests", ["Accounts", "Records", "TestSupport", .grdb, .jwt]),
        tests(
            "StoreTests",
            [
                "Store", "VerifierWorker", "Sandbox", "Jobs", "Records", "Redis", "TestSupport", .grdb, .httpClient,
                .nioCore, .nioHTTP1, .nioFoundation,
            ]),
        tests("MatchmakingTests", ["Matchmaking", "RankerWorker", "Jobs", "Redis", "TestSupport"]),
        tests(
            "FleetTests",
            [
                "Fleet", "API", "Accounts", "GameData", "GameModel", "InstanceWorker", "AllocatorWorker", "APIWorker",
                "Jobs", "Matchmaking", "MusterInstance", "Records", "Redis", "TestSupport", .httpClient, .nioCore,
                .nioPosix, .nioSSL, .nioHTTP1, .nioFoundation, .jwt, .grdb, .yams, .configuration,
            ], resources: [.copy("Golden")]),
        tests(
            "MusterInstanceTests",
            [
                "MusterInstance", "GameModel", "Telemetry", "TestSupport", .hummingbird, .lifecycle, .logging, .crypto,
                .httpClient, .nioCore, .nioPosix, .nioHTTP1, .nioFoundation, .jwt,
            ]),
        tests(
            "GameDataTests",
            ["GameData", "GameModel", "IngestWorker", "Jobs", "Records", "Redis", "TestSupport", .grdb, .logging],
            resources: [.copy("Golden")]),
        tests(
            "APITests",
            [
                "API", "APIWorker", "Accounts", "Fleet", "GameData", "Jobs", "Matchmaking", "Records", "Redis", "Store",
                "TestSupport", .grdb, .httpClient, .nioCore, .nioHTTP1, .nioFoundation,
            ]),
        tests(
            "LoadTests",
            ["Load", "Sandbox", "TestSupport", .httpClient, .nioCore, .nioPosix, .nioHTTP1, .nioFoundation]),
        tests(
            "IntegrationTests",
            [
                "muster", "APIWorker", "Accounts", "Fleet", "GameData", "GameModel", "Jobs", "Matchmaking", "Records",
                "Redis",
                "Store", "TestSupport", .lifecycle, .logging, .httpClient, .nioCore, .nioHTTP1, .nioFoundation,
            ]),
        tests(
            "FaultTests",
            [
                "muster", "Accounts", "Bench", "Fleet", "GameData", "GameModel", "Jobs", "Matchmaking", "Records",
                "Redis", "Store", "Telemetry", "TestSupport", .grdb, .httpClient, .nioCore, .nioHTTP1, .nioFoundation,
            ]),
        tests("SimulateTests", ["Simulate", "Matchmaking", "GameModel", "TestSupport"]),
        tests("TidyTests", []),
    ]
)
