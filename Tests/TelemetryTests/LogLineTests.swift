import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

/// Keeps the lines it is given.
private final class KeptLines: LogSink {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    func write(_ line: String) { kept.withLock { $0.append(line) } }
}

@Suite("Log lines")
struct LogLineTests {
    private static let noon = Date(timeIntervalSince1970: 1_767_268_800.125)

    private func lines(_ format: Log.Format, level: Logger.Level = .info, _ body: (inout Logger) -> Void) -> [String] {
        let sink = KeptLines()
        var logger = Logger(label: "test.part") { label in
            LineLogHandler(
                label: label, role: "ranker", format: format, level: level, sink: sink, now: { Self.noon })
        }
        body(&logger)
        return sink.lines
    }

    @Test("text has time, level, role, message and values, keys in order")
    func text() {
        let lines = lines(.text) { logger in
            logger[metadataKey: "pool"] = "duel:eu"
            logger.warning("late", metadata: ["ms": "12", "cause": "two words", "empty": ""])
        }
        #expect(
            lines == [
                "2026-01-01T12:00:00.125Z warning ranker late cause=\"two words\" empty=\"\" ms=12 pool=duel:eu\n"
            ])
    }

    @Test("JSON parses, with the metadata beside the fixed fields and its nesting kept")
    func json() throws {
        let lines = lines(.json) { logger in
            logger.info(
                "a \"quoted\"\nline\u{0}", metadata: ["level": "mine", "list": ["a", "b"], "map": ["key": "\\"]])
        }
        let line = try #require(lines.first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "2026-01-01T12:00:00.125Z")
        #expect(object["level"] as? String == "info")
        #expect(object["role"] as? String == "ranker")
        #expect(object["label"] as? String == "test.part")
        #expect(object["message"] as? String == "a \"quoted\"\nline\u{0}")
        #expect(object["_level"] as? String == "mine")
        #expect(object["list"] as? [String] == ["a", "b"])
        #expect(object["map"] as? [String: String] == ["key": "\\"])
    }

    @Test("what a message or value holds can't start a line of its own", arguments: Log.Format.allCases)
    func oneLineEach(format: Log.Format) throws {
        let lines = lines(format) { logger in
            logger.info("first\nsecond\r\u{2028}\u{1B}[31m", metadata: ["k\ney": "v\nalue"])
        }
        let line = try #require(lines.first)
        #expect(lines.count == 1)
        #expect(line.hasSuffix("\n"))
        #expect(!line.dropLast().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x2028 })
    }

    @Test("an event below the level is not written; an event's own value wins over the logger's")
    func levelsAndMetadata() {
        let lines = lines(.text, level: .warning) { logger in
            logger[metadataKey: "key"] = "old"
            logger.info("quiet")
            logger.error("loud", metadata: ["key": "new"])
        }
        #expect(lines == ["2026-01-01T12:00:00.125Z error   ranker loud key=new\n"])
    }
}
