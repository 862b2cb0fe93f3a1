import ArgumentParser
import Sandbox

/// `muster sandbox`.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "A payment provider for demos and load: Stripe's API as far as it is used, with faults on demand.",
        discussion: """
            It charges nobody. Faults are given as name=share, and changed while it runs by POST /sandbox/faults.

            Example:
              muster sandbox --port 8090
              muster sandbox --faults decline=0.1,delay=0.2
              muster sandbox --webhook-url http://127.0.0.1:8080/v1/store/webhooks/payments
            """)

    @OptionGroup var options: ProcessOptions

    @Option(help: "The port to listen on; 0 takes any (MUSTER_SANDBOX_PORT; 8090).") var port: Int?
    @Option(help: ArgumentHelp("Where events are posted (MUSTER_SANDBOX_WEBHOOK_URL).", valueName: "url"))
    var webhookURL: String?
    @Option(help: "Faults at the start, like decline=0.1 (MUSTER_SANDBOX_FAULTS).") var faults: String?

    func run() async throws {
        var flags: [String: String] = [:]
        if let port { flags["MUSTER_SANDBOX_PORT"] = String(port) }
        if let webhookURL { flags["MUSTER_SANDBOX_WEBHOOK_URL"] = webhookURL }
        if let faults { flags["MUSTER_SANDBOX_FAULTS"] = faults }
        try await options.run("sandbox", with: flags) { reader in
            try await SandboxProcess(configuration: SandboxConfiguration(reader: reader)).run()
        }
    }
}
