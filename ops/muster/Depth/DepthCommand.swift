import ArgumentParser
import Foundation
import Redis

/// `muster depth`: what waits where.
struct DepthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "depth",
        abstract: "Show every queue, pool, event stream and fleet: what waits, how long, how fast.",
        discussion: """
            Rates are from two samples, one --interval apart. Dashes stand for what does not exist or is not counted. \
            In a window with too few lines, the allocation queues become one row, and rows in which nothing is go \
            last; --json always has all.

            Example:
              muster depth --watch
              muster depth --json | jq '.rows[] | select(.waiting > 0)'
            """)

    @OptionGroup var shared: SharedOptions
    @Flag(help: "Draw anew each interval, until ^C.") var watch = false
    @Flag(help: "Print JSON, one object a line.") var json = false
    @Option(help: ArgumentHelp("Seconds between two samples.", valueName: "seconds")) var interval = 1.0

    func validate() throws {
        guard interval >= 0.1, interval <= 3600 else { throw ValidationError("--interval takes 0.1 to 3600.") }
    }

    func run() async throws {
        let reader = DepthReader(rules: try shared.matchmakingRules())
        let pause = Duration.seconds(interval)
        let screen = watch && !json ? Screen() : nil
        try await RedisConnection.with(url: try shared.redisURL()) { redis in
            var earlier = try await reader.sample(redis)
            repeat {
                try await Task.sleep(for: pause)
                let sample: DepthSample
                do {
                    sample = try await reader.sample(redis)
                } catch {
                    guard watch, RedisConnection.isOutage(error) else { throw error }
                    if json {
                        FileHandle.note("Redis is away: \(error)")
                    } else {
                        show(screen, "Redis is away; looking again every \(interval) s.\n\(error)")
                    }
                    continue
                }
                let rated = sample.rated(since: earlier)
                show(screen, json ? try Self.line(rated) : Self.titled(rated, isWatching: watch))
                earlier = sample
            } while watch && !Task.isCancelled
        }
        screen?.leave()
    }

    private func show(_ screen: Screen?, _ text: String) {
        guard let screen else { return print(text) }
        screen.draw(text)
    }

    private static func titled(_ sample: DepthSample, isWatching: Bool) -> String {
        // One line for the title, or for the prompt that follows.
        let table = DepthTable.text(sample, linesMax: Screen.linesMax.map { $0 - 1 } ?? .max)
        guard isWatching else { return table }
        let time = Date(timeIntervalSince1970: Double(sample.at) / 1000).formatted(.iso8601)
        return "muster depth  \(time)  ^C ends\n\(table)"
    }

    private static func line(_ sample: DepthSample) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(sample), as: UTF8.self)
    }
}
