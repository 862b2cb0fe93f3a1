import Foundation

/// Prints figures as they are measured, or all of them as JSON at the end.
struct BenchReport {
    let json: Bool
    private var figures: [BenchFigure] = []

    /// - Parameter header: under which conditions it is measured.
    init(json: Bool, header: String) {
        self.json = json
        if !json { Self.say(header + "\n") }
    }

    mutating func add(_ more: [BenchFigure]) {
        figures += more
        if !json { for figure in more { Self.say(figure.line) } }
    }

    /// The last line: how many targets were met, or the whole as JSON.
    func finish(_ server: BenchHeader) throws {
        guard json else {
            let judged = figures.filter { $0.met != nil }
            return Self.say("\n\(judged.count { $0.met == true }) of \(judged.count) targets met")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Self.say(String(decoding: try encoder.encode(Whole(server: server, figures: figures)), as: UTF8.self))
    }

    private struct Whole: Encodable {
        let server: BenchHeader
        let figures: [BenchFigure]
    }

    /// Output to a pipe is kept back until there is much of it; a reader wants each part as it comes.
    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
