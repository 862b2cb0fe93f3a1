import ArgumentParser
import InstanceWorker

/// `muster instance`.
struct InstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance",
        abstract: "The reference game server: many matches in slots, players over TCP.",
        discussion: """
            Usually started by the allocator; by hand it needs a token of role instance (muster token --role \
            instance).

            Example:
              muster instance --set instance.region=eu --set instance.slots=20
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("instance") { reader in
            try await InstanceProcess(configuration: InstanceConfiguration(reader: reader)).run()
        }
    }
}
