import Foundation
import TestSupport

/// A terminal of 80 columns and 24 lines, as commands see it that a person runs by hand.
enum Terminal {
    /// Runs a command in it to its end; what it wrote, line by line, without the last line's empty rest.
    ///
    /// - Parameter typed: what the person types.
    static func run(_ executable: String, _ arguments: [String], typed: String = "") async throws -> [String] {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let words = ([executable] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let command = Process()
        command.executableURL = URL(filePath: "/usr/bin/script")
        command.arguments = ["-q", "-e", "-c", "stty rows 24 cols 80; \(words)", "/dev/null"]
        try Data(typed.utf8).write(to: URL(filePath: folder.file("typed")))
        command.standardInput = try FileHandle(forReadingFrom: URL(filePath: folder.file("typed")))
        try Data().write(to: URL(filePath: folder.file("screen")))
        command.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.file("screen")))
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            command.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try command.run()
            } catch {
                command.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        let screen = FileManager.default.contents(atPath: folder.file("screen")) ?? Data()
        let text = String(decoding: screen, as: UTF8.self)
        guard status == 0 else { throw TestSupportError("\(words) ended with \(status): \(text)") }
        // A terminal's line ends are CR LF, one character to Swift.
        let lines = text.trimmingCharacters(in: .newlines)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines.map(String.init)
    }
}
