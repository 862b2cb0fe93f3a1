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
              muster allocator --set allocator.host=203.0.113.4 --set allocator.instance-ports=7000-7099
              muster allocator --set allocator.stop-instances=false
              muster allocator --set allocator.driver=agones --set agones.url=https://agones-allocator.agones-system.svc
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("allocator") { reader in
            let configuration = try AllocatorConfiguration(reader: reader)
            try await AllocatorProcess(configuration: configuration, version: Version.text).run()
        }
    }
}
