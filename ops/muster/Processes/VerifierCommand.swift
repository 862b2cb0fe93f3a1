import ArgumentParser
import VerifierWorker

/// `muster verifier`.
struct VerifierCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verifier",
        abstract: "Charge orders at the payment provider and book what was paid.",
        discussion: """
            The order's id is the idempotency key towards the provider, so a charge happens once however often \
            it is tried.

            Example:
              muster verifier --set payments.url=http://127.0.0.1:8090
            """)

    @OptionGroup var options: ProcessOptions

    func run() async throws {
        try await options.run("verifier") { reader in
            let configuration = VerifierConfiguration(reader: reader)
            try await VerifierProcess(configuration: configuration, version: Version.text).run()
        }
    }
}
