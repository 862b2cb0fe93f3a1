import APIWorker
import ArgumentParser
import Configuration
import Foundation
import GameModel
import Logging
import Records
import Store
import VerifierWorker

/// `muster store reconcile`: do the provider's charges and our orders tell the same?
struct StoreReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compare the payment providers' charges with the orders.",
        discussion: """
            Prints what differs, with what to do, and exits with 1 if anything does. The report is kept. Verifiers \
            make the same comparison once a day. With --settle, a job is owed for each difference that asking the \
            provider again can settle; a running verifier takes them up within seconds.

            Example:
              muster store reconcile
              muster store reconcile --since 30 --settle
              muster store reconcile --provider stripe --json
            """)

    @OptionGroup var shared: SharedOptions
    @Option(help: ArgumentHelp("Compare charges and orders of so many days.", valueName: "days"))
    var since = 7
    @Option(help: ArgumentHelp("Ask this provider only.", valueName: "name"))
    var provider: String?
    @Flag(help: "Have differences settled where asking the provider again can.") var settle = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...3_660).contains(since) else { throw ValidationError("--since takes 1 to 3660 days, not \(since).") }
    }

    func run() async throws {
        let folder = shared.dataFolder
        guard FileManager.default.fileExists(atPath: "\(folder)/accounts.sqlite") else {
            throw CommandFailure(
                "There is no accounts.sqlite in \(folder).", nextStep: "Name the data folder: --data FOLDER.")
        }
        let settings = try verifierSettings()
        let logger = Logger(label: "reconcile", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas, logger: logger)
        let providers = PaymentProviders(settings.payments)
        let reports: Result<[ReconciliationReport], any Error>
        do {
            reports = .success(try await compare(providers, database, timeOut: settings.orderTimeOut))
        } catch {
            reports = .failure(error)
        }
        try await providers.shutdown()
        try database.close()
        try Self.show(try reports.get(), json: json, isSettling: settle)
    }

    private func compare(
        _ providers: PaymentProviders, _ database: RecordsDatabase, timeOut: Duration
    ) async throws -> [ReconciliationReport] {
        let chosen = providers.all.filter { provider == nil || $0.name == provider }
        guard !chosen.isEmpty else {
            throw CommandFailure(
                "No provider named '\(provider ?? "")' is configured.",
                nextStep: "There are: \(providers.names.joined(separator: ", ")).")
        }
        let reconciler = Reconciler(repository: StoreRepository(database: database), orderTimeOut: timeOut)
        let moment = Instant.now - .seconds(since * 86_400)
        var reports: [ReconciliationReport] = []
        for provider in chosen {
            do {
                reports.append(try await reconciler.run(with: provider, since: moment, settling: settle))
            } catch let error as PaymentError {
                throw CommandFailure(
                    "The charges of \(provider.name) can't be read: \(error)",
                    nextStep: "See where it is expected with 'muster config', and try again.")
            }
        }
        return reports
    }

    /// The provider as it is set, else that of a `muster up` that runs on the data folder.
    private func verifierSettings() throws -> VerifierConfiguration {
        let reader = shared.reader()
        var settings = VerifierConfiguration(reader: reader)
        if reader.string(forKey: "muster.payments.url") == nil, let sandbox = try shared.sandboxPayments() {
            settings.payments = sandbox
        }
        do {
            try settings.validate()
        } catch {
            throw CommandFailure("\(error)", nextStep: "See what is in force with 'muster config'.")
        }
        return settings
    }

    // MARK: The report

    private static func show(_ reports: [ReconciliationReport], json: Bool, isSettling: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(reports), as: UTF8.self))
        } else {
            for report in reports { print(text(report)) }
        }
        guard reports.contains(where: { $0.found > 0 }) else { return }
        if isSettling { FileHandle.note("what can be settled is owed to the verifiers; compare again in a minute") }
        throw ExitCode.failure
    }

    private static func text(_ report: ReconciliationReport) -> String {
        let head =
            "\(report.provider) since \(report.since): \(report.charges) charges, \(report.orders) orders, "
            + "\(report.found) differences"
        guard report.found > 0 else { return head }
        var table = TextTable(["difference", "order", "charge", "in words"])
        for difference in report.differences {
            table.add([
                difference.kind.rawValue, difference.orderId?.rawValue ?? "—", difference.reference ?? "—",
                difference.detail,
            ])
        }
        let rest = report.found - report.differences.count
        let more = rest > 0 ? ["… and \(rest) more"] : []
        return ([head, table.text] + more).joined(separator: "\n")
    }
}
