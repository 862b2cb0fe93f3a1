import ArgumentParser
import Sandbox

/// `muster sandbox`.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract:
            "Payment providers for demos and load: Stripe's API and PayPal's as far as they are used, with faults.",
        discussion: """
            It charges nobody. Faults are given as name=share, and changed while it runs by POST /sandbox/faults.

            Example:
              muster sandbox --port 8090
              muster sandbox --faults decline=0.1,delay=0.2
              muster sandbox --webhook-url http://127.0.0.1:8080/v1/store/webhooks/stripe
            """)

    @OptionGroup var options: ProcessOptions

    @Option(help: "The port to listen on; 0 takes any (MUSTER_SANDBOX_PORT; 8090).") var port: Int?
    @Option(help: ArgumentHelp("Where events are posted (MUSTER_SANDBOX_WEBHOOK_URL).", valueName: "url"))
    var webhookURL: String?
    @Option(
        name: .customLong("paypal-webhook-url"),
        help: ArgumentHelp("Where PayPal's events are posted (MUSTER_SANDBOX_PAYPAL_WEBHOOK_URL).", valueName: "url"))
    var payPalWebhookURL: String?
    @Option(help: "Faults at the start, like decline=0.1 (MUSTER_SANDBOX_FAULTS).") var faults: String?

    func run() async throws {
        var flags: [String: String] = [:]
        if let port { flags["MUSTER_SANDBOX_PORT"] = String(port) }
        if let webhookURL { flags["MUSTER_SANDBOX_WEBHOOK_URL"] = webhookURL }
        if let payPalWebhookURL { flags["MUSTER_SANDBOX_PAYPAL_WEBHOOK_URL"] = payPalWebhookURL }
        if let faults { flags["MUSTER_SANDBOX_FAULTS"] = faults }
        try await options.run("sandbox", with: flags) { reader in
            try await SandboxProcess(configuration: SandboxConfiguration(reader: reader)).run()
        }
    }
}
