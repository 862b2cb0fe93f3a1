import Foundation
import Glibc

/// A picture that is drawn over itself on a terminal, and one after another where the output is no terminal.
///
/// On a terminal it uses the alternate screen, and gives the first one back at the end, also after ^C.
final class Screen: Sendable {
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    init() {
        guard isTerminal else { return }
        Self.write("\u{1B}[?1049h\u{1B}[?25l")
        for number in [SIGINT, SIGTERM] {
            // In a signal's handler only the plainest calls are allowed: write and _exit are, most of Swift is not.
            signal(number) { number in
                let text: StaticString = "\u{1B}[?25h\u{1B}[?1049l"
                _ = Glibc.write(STDOUT_FILENO, text.utf8Start, text.utf8CodeUnitCount)
                _exit(number == SIGINT ? 0 : 128 + number)
            }
        }
    }

    /// How many lines the terminal has now; `nil` where the output is none. It may change at any time.
    static var linesMax: Int? {
        size.map { Int($0.ws_row) }
    }

    private static var size: winsize? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0,
            size.ws_col > 0
        else { return nil }
        return size
    }

    func draw(_ text: String) {
        guard isTerminal else { return Self.write(text + "\n\n") }
        // Home, each line cleared to its end, then everything below: no flicker of an empty screen.
        // What does not fit is cut: a line that wraps would push the first ones out of sight.
        let columns = Self.size.map { Int($0.ws_col) } ?? .max
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(Self.linesMax ?? .max)
        Self.write("\u{1B}[H\(lines.map { $0.prefix(columns) }.joined(separator: "\u{1B}[K\r\n"))\u{1B}[K\u{1B}[J")
    }

    func leave() {
        if isTerminal { Self.write(Self.leaving) }
    }

    private static let leaving = "\u{1B}[?25h\u{1B}[?1049l"

    private static func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            exit(0)  // The terminal or the pipe is gone: there is nobody left to draw for.
        }
    }
}
