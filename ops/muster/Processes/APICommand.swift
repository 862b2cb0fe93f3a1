import APIWorker
import ArgumentParser

/// `muster api`.
struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api",
        abstract: "Answer the HTTP API.",
        discussion: """
            Run several behind a load balancer, each on a port of its own; they share the data folder and Redis. The \
            routes are described at /openapi.yaml, the process's health at /healthz, /readyz and /metrics.

            Example:
              muster api --port 8080
              muster api --host 0.0.0.0 --port 8081 --redis redis://10.0.0.5:6379
            """)

    @OptionGroup var options: ProcessOptions

    @Option(help: "The address to listen on (MUSTER_API_HOST; 127.0.0.1).") var host: String?
    @Option(help: "The port to listen on; 0 takes any (MUSTER_API_PORT; 8080).") var port: Int?

    func run() async throws {
        var flags: [String: String] = [:]
        if let host { flags["MUSTER_API_HOST"] = host }
        if let port { flags["MUSTER_API_PORT"] = String(port) }
        try await options.run("api", with: flags) { reader in
            try await APIProcess(configuration: APIConfiguration(reader: reader)).run()
        }
    }
}
