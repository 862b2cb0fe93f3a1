import Foundation
import Synchronization

/// Prints the lines of many processes on one standard output, each behind its process's name; in colour on a terminal,
/// unless `NO_COLOR` asks for none (no-color.org).
final class LogPrinter: Sendable {
    private static let colors = [36, 32, 33, 35, 34, 96, 92, 93, 95, 94]

    private let isColored: Bool
    private let width: Int
    private let roles: [String]
    private let output = Mutex(FileHandle.standardOutput)

    init(names: [String], roles: [String]) {
        let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        isColored = isatty(STDOUT_FILENO) == 1 && noColor.isEmpty
        width = names.map(\.count).max() ?? 0
        self.roles = roles
    }

    func print(_ text: String, name: String, role: String) {
        let padded = name.padding(toLength: max(width, name.count), withPad: " ", startingAt: 0)
        guard isColored else { return write("\(padded) | \(text)\n") }
        let color = Self.colors[(roles.firstIndex(of: role) ?? 0) % Self.colors.count]
        write("\u{1B}[\(color)m\(padded) |\u{1B}[0m \(text)\n")
    }

    /// A line of the supervisor itself.
    func say(_ text: String) {
        print(text, name: "up", role: "up")
    }

    private func write(_ text: String) {
        output.withLock { output in
            do {
                try output.write(contentsOf: Data(text.utf8))
            } catch {
                // Nobody reads our output any more; the processes must go on without it.
            }
        }
    }
}
