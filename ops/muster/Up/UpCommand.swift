import ArgumentParser
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Runs the whole backend on this machine.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run the whole backend on this machine, with its own Redis.",
        discussion: """
            Starts redis-server (unless --redis names one), the payment sandbox (unless --payments-url names a \
            provider) and every process; starts again what dies; stops all in order on ^C. Several APIs listen on \
            ports one after another: --api 2 --port 8080 takes 8080 and 8081. What runs, with process ids and \
            addresses, is in FOLDER/up.json.

            Example:
              muster up --ranker 2 --ingest 2
              muster up --data /tmp/demo --port 0 --set allocator.regions=eu
              muster up --rules ops/deploy/rules.yaml
            """)

    @OptionGroup var shared: SharedOptions

    @Option(help: "How many API processes.") var api = 1
    @Option(help: "How many rankers.") var ranker = 2
    @Option(help: "How many allocators.") var allocator = 1
    @Option(help: "How many verifiers.") var verifier = 1
    @Option(help: "How many ingest processes.") var ingest = 2
    @Option(help: "Where the API listens.") var host = "127.0.0.1"
    @Option(help: "The first API's port; 0 takes free ones.") var port = 8080
    @Option(help: ArgumentHelp("A payment provider that is there already.", valueName: "url"))
    var paymentsURL: String?
    @Flag(help: "Stop when the process that started this one is gone.") var exitWithParent = false

    func validate() throws {
        guard (1...64).contains(api) else { throw ValidationError("--api takes 1 to 64, not \(api).") }
        for (name, count) in [
            ("ranker", ranker), ("allocator", allocator), ("verifier", verifier), ("ingest", ingest),
        ] where !(0...64).contains(count) {
            throw ValidationError("--\(name) takes 0 to 64, not \(count).")
        }
        guard (0...65_000).contains(port) else { throw ValidationError("--port takes 0 to 65000, not \(port).") }
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let parent = getppid()
        try SettingsSeen.refuseFaults(SettingsSeen.roles, overrides: shared.overrides)
        let rules = shared.rulesFile
        if let rules { _ = try SharedOptions.readRules(rules) }
        let folder = try await UpFolder.prepare(shared.dataFolder)
        let lock = try FolderLock(folder: folder.path)
        try await Leftovers.stop(in: folder.path)
        let counts = [
            ("api", api), ("ranker", ranker), ("allocator", allocator), ("verifier", verifier), ("ingest", ingest),
        ]
        let plan = try UpPlan(
            .init(
                counts: counts.map { (role: $0.0, count: $0.1) }, host: host, apiPort: port, redisURL: shared.redis,
                paymentsURL: paymentsURL, rulesFile: rules, overrides: shared.overrides),
            folder: folder, executable: ThisProgram.path)
        let printer = LogPrinter(
            names: plan.children.map(\.name) + ["redis"], roles: ["up", "redis", "sandbox"] + counts.map(\.0))
        if exitWithParent { SupervisorWatch.start(pid: parent) }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: Supervisor(plan: plan, printer: printer),
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], cancellationSignals: [.sigquit],
                logger: Logger(label: "up", factory: { _ in SwiftLogNoOpLogHandler() })))
        try await group.run()
        withExtendedLifetime(lock) {}
    }
}
