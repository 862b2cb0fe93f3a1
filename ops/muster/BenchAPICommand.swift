import APIWorker
import ArgumentParser
import Bench
import Foundation

/// `muster bench api`: how fast the HTTP API answers, and orders are paid.
struct BenchAPICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api",
        abstract: "Measure log-in, catalog, order and status, beside a bare Hummingbird server.",
        discussion: """
            Starts the backend with a Redis and a payment sandbox of its own in a temporary folder, and a server that \
            only says hello, and asks both over HTTP from this process; then has orders paid with and without group \
            commit. Takes a minute; other work on the machine spoils the figures.

            Example:
              muster bench api
              muster bench api --seconds 2 --orders 2000 --json
            """)

    @Option(help: "Connections at once.") var connections = 32
    @Option(help: "Seconds per timed figure.") var seconds = 5.0
    @Option(help: "Orders of the store's figures.") var orders = 10_000
    @Flag(help: "Print JSON in place of the table.") var json = false

    func validate() throws {
        guard (1...1_000).contains(connections) else { throw ValidationError("--connections is 1 to 1000.") }
        guard seconds >= 0.1 else { throw ValidationError("--seconds is 0.1 or more.") }
        guard orders >= 100 else { throw ValidationError("--orders is 100 or more.") }
    }

    func run() async throws {
        var benchmark = APIBenchmark(executable: ThisProgram.path)
        benchmark.connections = connections
        benchmark.seconds = seconds
        benchmark.orders = orders
        benchmark.json = json
        try await benchmark.run()
    }
}

/// `muster bench hello`: the server that the API is measured against.
struct BenchHelloCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hello",
        abstract: "Answer GET /hello with a bare Hummingbird server; prints its port and process id.",
        discussion: """
            Example:
              muster bench hello --port 8099
            """, shouldDisplay: false)

    @Option(help: "The port; 0 takes a free one.") var port = 0

    func run() async throws {
        try await HelloServer(host: "127.0.0.1", port: port).run { port in
            print("\(port) \(getpid())")
            fflush(nil)
        }
    }
}
