import Foundation

/// Why a command did not do what it was asked, and what to do next; printed to stderr, exit code 1.
struct CommandFailure: Error, CustomStringConvertible {
    let message: String
    let nextStep: String

    init(_ message: String, nextStep: String) {
        self.message = message
        self.nextStep = nextStep
    }

    var description: String { "\(message)\n\(nextStep)" }
}

extension FileHandle {
    /// Writes a line to standard error, for what is said beside a command's output.
    static func note(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
