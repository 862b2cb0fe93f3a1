import ArgumentParser
import Foundation
import Redis
import Store

/// `muster audit`: do the books agree?
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check the books across Redis, SQLite and the payment provider.",
        discussion: """
            Prints each rule with how many things it was held against, and exits with 1 if one is broken. Work that \
            is on its way is not a broken rule; --wait gives it time to arrive first.

            Example:
              muster audit
              muster audit --wait 60 --json
            """)

    @OptionGroup var shared: SharedOptions
    @Flag(help: "Print JSON.") var json = false
    @Option(
        help: ArgumentHelp("Wait up to this long for open orders and results to settle.", valueName: "seconds"))
    var wait = 0
    @Flag(name: .customLong("no-provider"), help: "Leave out the rules that need the payment provider.")
    var withoutProvider = false

    func validate() throws {
        guard (0...3600).contains(wait) else { throw ValidationError("--wait takes 0 to 3600, not \(wait).") }
    }

    func run() async throws {
        try Books.requireFiles(in: shared.dataFolder)
        let books = try Books(
            folder: shared.dataFolder, rules: shared.matchmakingRules(), payments: withoutProvider ? nil : payments())
        let wait = Duration.seconds(wait)
        let report = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            let deadline = ContinuousClock.now + wait
            let open = try await books.settle(redis, within: wait)
            if let open, wait > .zero { FileHandle.note("still open after \(wait): \(open)") }
            return try await books.audit(redis, within: deadline - .now)
        }
        let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        print(json ? try report.json() : report.text(isColored: isatty(STDOUT_FILENO) == 1 && noColor.isEmpty))
        if !report.holds { throw ExitCode.failure }
    }

    /// The providers as they are set, else those of a `muster up` that runs on the data folder.
    private func payments() throws -> PaymentSettings? {
        guard let payments = try shared.payments() else {
            FileHandle.note("no payment provider is known: the rules about charges are left out")
            return nil
        }
        do {
            try payments.validate()
        } catch {
            throw CommandFailure("\(error)", nextStep: "See what is in force with 'muster config'.")
        }
        return payments
    }
}
