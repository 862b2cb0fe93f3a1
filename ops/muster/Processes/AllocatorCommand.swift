import ArgumentParser
import AllocatorWorker

/// `muster allocator`.
struct AllocatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocator",
        abstract: "Place accepted matches on game instances, and keep enough of them running.",
        discussion: """
            Instances are started as processes of this machine, which the next allocator adopts if this one is killed; \
            or they are game servers of a cluster, which Agones keeps (ops/deploy/agones).

            Example:
              muster allocator --set allocator.regions=eu,us
              muster allocator --set instance.tick-ms=50          what instances are told goes on to them
              muster allocator --set allocator.host=203.0.113.4 --set allocator.instance-ports=7000-7099
              muster allocator --set allocator.stop-instances=false
              muster allocator --set allocator.driver=agones --set agones.url=https://agones-allocator.agones-system.svc
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("allocator") { reader in
            var configuration = try AllocatorConfiguration(reader: reader)
            // Flags, for the environment is handed on as it is.
            configuration.instanceSettings = options.shared.overrides.filter { $0.key.hasPrefix("MUSTER_INSTANCE_") }
            try await AllocatorProcess(configuration: configuration, version: Version.text).run()
        }
    }
}
