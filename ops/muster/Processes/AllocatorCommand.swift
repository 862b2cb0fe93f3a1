import ArgumentParser
import AllocatorWorker

/// `muster allocator`.
struct AllocatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocator",
        abstract: "Place accepted matches on game instances, and keep enough of them running.",
        discussion: """
            Instances are started as processes of this machine.

            Example:
              muster allocator --set allocator.regions=eu,us
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("allocator") { reader in
            try await AllocatorProcess(configuration: AllocatorConfiguration(reader: reader)).run()
        }
    }
}
