import ArgumentParser
import Foundation
import GameData
import GameModel

/// `muster report balance`.
struct ReportBalanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balance",
        abstract: "Report how often each character of a patch was picked, how often it won, and its damage.",
        discussion: """
            The numbers are the totals that ingest makes of events: they outlive the events themselves, and lack what \
            was lost ('muster events lag').

            Example:
              muster report balance --patch 3
              muster report balance --patch 3 --mode duel --html balance.html
              muster report balance --patch 3 --json | jq '.modes[].characters[] | [.character, .winRate]'
            """)

    @OptionGroup var shared: SharedOptions
    @Option(help: ArgumentHelp("The patch: 1, 2, 3 and so on.", valueName: "number")) var patch: Int
    @Option(help: ArgumentHelp("Only this mode.", valueName: "mode")) var mode: String?
    @Option(help: ArgumentHelp("Also write a page with plots.", valueName: "file")) var html: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard patch >= 1 else { throw ValidationError("--patch takes 1 or more, not \(patch).") }
        if let mode, Mode(rawValue: mode) == nil { throw ValidationError("'\(mode)' is no mode.") }
    }

    func run() async throws {
        let wanted = PatchVersion(patch)
        let mode = mode.map { Mode($0) }
        let (rows, known) = try await EventsCommand.with(shared.dataFolder) { events in
            for shard in 0..<GameDataKeys.shardCount { try await events.copyTotals(shard: shard) }
            let totals = EventTotalsRepository(events)
            return (try await totals.characters(patch: wanted, mode: mode), try await totals.patches())
        }
        guard !rows.isEmpty else {
            let there = known.map { "\($0.patch) (\($0.picks) picks)" }.joined(separator: ", ")
            throw CommandFailure(
                "No match of patch \(patch)\(self.mode.map { " and mode \($0)" } ?? "") was told.",
                nextStep: there.isEmpty ? "Play some first: muster load." : "There are: \(there).")
        }
        let report = BalanceReport(patch: wanted, rows)
        if let html {
            do {
                try Data(BalanceReportPage(report: report).html().utf8).write(to: URL(filePath: html), options: .atomic)
            } catch {
                throw CommandFailure(
                    "\(html) can't be written: \(error.localizedDescription)",
                    nextStep: "Name a file in a folder that you may write to.")
            }
            FileHandle.note("plots are in \(html)")
        }
        if json { return try JobJSON.print(report) }
        for (index, table) in report.modes.enumerated() {
            var text = TextTable(BalanceReportText.head, right: Set(1..<BalanceReportText.head.count))
            for row in table.characters { text.add(BalanceReportText.cells(row)) }
            print("\(index > 0 ? "\n" : "")\(table.mode), patch \(patch): \(table.picks) picks\n\(text.text)")
        }
    }
}
