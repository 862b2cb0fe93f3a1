import Foundation
import Logging

/// Where finished lines go.
protocol LogSink: Sendable {
    /// Writes one line, which ends with a newline, whole.
    func write(_ line: String)
}

/// Standard error: a line is one `write`, so that lines of several threads and processes don't mix.
struct StandardErrorSink: LogSink {
    func write(_ line: String) {
        let bytes = Array(line.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Foundation.write(2, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // Nobody can be told that the log can't be written.
            guard count > 0 else { return }
            written += count
        }
    }
}

/// Turns log events into lines, by ``LogLine``.
struct LineLogHandler: LogHandler {
    let label: String
    let role: String
    let format: Log.Format
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let sink: any LogSink
    private let now: @Sendable () -> Date

    init(
        label: String, role: String, format: Log.Format, level: Logger.Level,
        metadataProvider: Logger.MetadataProvider? = nil, sink: any LogSink,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.label = label
        self.role = role
        self.format = format
        self.logLevel = level
        self.metadataProvider = metadataProvider
        self.sink = sink
        self.now = now
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { _, new in new } }
        if let own = event.metadata { merged.merge(own) { _, new in new } }
        if let error = event.error { merged["error"] = "\(error)" }
        let line = LogLine(
            date: now(), level: event.level, role: role, label: label, message: event.message.description,
            metadata: merged)
        sink.write(format == .text ? line.text : line.json)
    }
}
