import Foundation
import GameModel
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Matchmaking

/// Notes what is logged.
private final class Notes: LogHandler {
    let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.level): \(event.message)") } }

    func has(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }
}

@Suite struct RulesFollowingTests {
    private static func yaml(window: String) -> String {
        "modes:\n  duel:\n    teams: {size: 1}\n    rating: {window: \(window)}\n"
    }

    @Test("a file that changes changes the rules in force; one with errors, or gone, leaves them and is told of once")
    func following() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.file("rules.yaml")
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }
        try write(Self.yaml(window: "50"))
        let notes = Notes()
        let file = try RulesFile(
            path: path, every: .milliseconds(5), logger: Logger(label: "test.rules", factory: { _ in notes }))
        let book = file.book
        func window() -> Double? { book.current.modes[Mode("duel")]?.window }
        #expect(window() == 50)
        try await withServices([file]) {
            try write(Self.yaml(window: "70"))
            try await eventually("the new window holds") { window() == 70 }
            try await eventually("the change is told") {
                notes.has("notice: rules: modes.duel.rating.window: 50 → 70")
            }
            let version = book.current.version

            try write(Self.yaml(window: "wide") + "    party: {max: 2}\n")
            try await eventually("the errors are told") {
                notes.has("the rules in force stay those of version \(version)")
            }
            #expect(
                notes.has("refused: 4:22: modes.duel.rating.window: 'wide' does not fit here; give 0 to 10000 points"))
            #expect(notes.has("refused: 5:18: modes.duel.party.max: 2 players don't fit into a team of 1"))
            #expect(book.current.version == version)

            try FileManager.default.removeItem(atPath: path)
            try await eventually("that it is gone is told") { notes.has("refused: the file can't be read") }
            #expect(window() == 70)
            try write(Self.yaml(window: "90") + "  trio: {teams: {size: 3}}\n")
            try await eventually("the window of the file that is back holds") { window() == 90 }
            #expect(book.current.modes[Mode("trio")] != nil)
            try write(Self.yaml(window: "90"))
            try await eventually("the mode that was taken out is gone") { book.current.modes[Mode("trio")] == nil }
        }
        let gone = notes.lines.withLock { $0.count { $0.contains("the file can't be read") } }
        #expect(gone == 1)
    }

    @Test("a process does not start with rules that have errors, and has the built-in ones without a file")
    func starting() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.file("rules.yaml")
        #expect(throws: RulesFileError.self) { try RulesFile.follow(path, logger: testLogger) }
        try Data(Self.yaml(window: "wide").utf8).write(to: URL(filePath: path))
        #expect(throws: RulesFileError.self) { try RulesFile.follow(path, logger: testLogger) }
        let standard = try RulesFile.follow(nil, logger: testLogger)
        #expect(standard.book.current == .standard)
        #expect(standard.services.isEmpty)
    }
}
