import ArgumentParser
import IngestWorker

/// `muster ingest`.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Move the event streams and match results into SQLite.",
        discussion: """
            Run several: they share the streams as one consumer group.

            Example:
              muster ingest --data /var/lib/muster
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("ingest") { reader in
            let configuration = try IngestConfiguration(reader: reader)
            try await IngestProcess(configuration: configuration, version: Version.text).run()
        }
    }
}
