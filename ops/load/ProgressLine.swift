import Foundation
import GameModel

/// One line on standard error that says where the players are; drawn anew twice a second on a terminal, and printed
/// every ten seconds elsewhere, so that a log stays readable.
struct ProgressLine: Sendable {
    let recorder: StepRecorder
    let configuration: LoadConfiguration
    let start: ContinuousClock.Instant

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
        return "\(bar) \(ended)/\(configuration.players)  \(elapsed) s  arrived \(population.arrived)"
            + "  queue \(population.inQueue)  playing \(population.playing)  \(recorder.recentRate) steps/s"
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
