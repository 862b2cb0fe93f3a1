import Foundation
import GameModel

/// One line on standard error that says where the players are; drawn anew twice a second on a terminal, and printed
/// every ten seconds elsewhere, so that a log stays readable.
struct ProgressLine: Sendable {
    let recorder: StepRecorder
    let configuration: LoadConfiguration
    let start: ContinuousClock.Instant
    /// Of the terminal; it is taken to stay as wide as it is at the start.
    var columns = ProgressLine.terminalColumns()

    static func terminalColumns() -> Int {
        var size = winsize()
        return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    func draw() async {
        let isTerminal = isatty(2) == 1
        let pause: Duration = isTerminal ? .milliseconds(500) : .seconds(10)
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: pause)
            } catch {
                break  // The run is over.
            }
            write((isTerminal ? "\r\u{1B}[K" : "") + line() + (isTerminal ? "" : "\n"))
        }
        if isTerminal { write("\r\u{1B}[K") }
    }

    func line() -> String {
        let population = recorder.population
        let elapsed = Int((ContinuousClock.now - start).inSeconds)
        let ended = population.finished + population.gaveUp
        let share = Double(ended) / Double(configuration.players)
        let width = 20
        let filled = Int(share * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return fitted(
            "\(bar) \(ended)/\(configuration.players)",
            [
                "\(elapsed) s", "queue \(population.inQueue)", "playing \(population.playing)",
                "\(recorder.recentRate) steps/s", "arrived \(population.arrived)",
            ])
    }

    /// The parts that fit into the terminal's width, the last column left free; a line that wraps can't be drawn over.
    private func fitted(_ first: String, _ parts: [String]) -> String {
        parts.reduce(first) { $0.count + $1.count + 2 < columns ? "\($0)  \($1)" : $0 }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
