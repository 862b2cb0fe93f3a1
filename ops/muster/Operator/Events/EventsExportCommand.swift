import ArgumentParser
import Foundation
import GameData

/// `muster events export`.
struct EventsExportCommand: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, jsonl }

    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write stored events to a file, whatever their number: CSV (RFC 4180) or JSON lines.",
        discussion: """
            They are ordered by day, then stream, then the order in which they came. The file appears whole, or not at \
            all; - writes to the terminal. In CSV, text that a spreadsheet would take for a formula begins with an \
            apostrophe.

            Example:
              muster events export --format jsonl --from 2026-11-25 --to 2026-11-26 yesterday.jsonl
              muster events export --format csv --kind player_finished --from 7d - | head
            """)

    @OptionGroup var shared: SharedOptions
    @OptionGroup var filter: EventFilterOptions
    @OptionGroup var time: EventTimeOptions
    @Option(help: "csv or jsonl.") var format: Format = .jsonl
    @Argument(help: "The file to write; - for the terminal.") var file: String

    func run() async throws {
        var query = filter.query
        try time.apply(to: &query)
        let isFile = file != "-"
        let partial = file + ".partial"
        if isFile, !FileManager.default.createFile(atPath: partial, contents: nil) {
            throw CommandFailure(
                "\(partial) can't be written.", nextStep: "Name a file in a folder that you may write to.")
        }
        let output = isFile ? try FileHandle(forWritingTo: URL(filePath: partial)) : FileHandle.standardOutput
        var count = 0
        do {
            if format == .csv { try output.write(contentsOf: Data((EventText.csvHead + "\r\n").utf8)) }
            try await EventsCommand.with(shared.dataFolder) { events in
                try await events.export(query) { page in
                    var text = ""
                    for event in page.map({ EventText($0) }) {
                        text += format == .csv ? try event.csv() + "\r\n" : try event.json() + "\n"
                    }
                    try output.write(contentsOf: Data(text.utf8))
                    count += page.count
                }
            }
        } catch {
            if isFile { try FileManager.default.removeItem(atPath: partial) }
            throw error
        }
        guard isFile else { return }
        try output.close()
        guard rename(partial, file) == 0 else {
            throw CommandFailure(
                "\(file) can't be replaced: \(String(cString: strerror(errno))).",
                nextStep: "The events are in \(partial).")
        }
        FileHandle.note("\(count) events in \(file)")
    }
}
