import ArgumentParser
import RankerWorker

/// `muster ranker`.
struct RankerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ranker",
        abstract: "Form matches in every pool that this process holds the lease of.",
        discussion: """
            Run as many as you like: each pool has one owner at a time, and another takes over when it ends.

            Example:
              muster ranker --redis redis://127.0.0.1:6379
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("ranker") { reader in
            let configuration = RankerConfiguration(reader: reader)
            try await RankerProcess(configuration: configuration, version: Version.text).run()
        }
    }
}
