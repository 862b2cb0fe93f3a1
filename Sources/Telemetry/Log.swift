import Logging
import Synchronization

/// The log of a process: one line an event, on standard error, with the process's role on every line.
public enum Log {
    /// How a line is written.
    public enum Format: String, Sendable, CaseIterable {
        /// `2026-01-31T12:00:00.123Z info  ranker what happened key=value`
        case text
        /// One JSON object a line.
        case json
    }

    private static let isInstalled = Mutex(false)

    /// Makes every logger of this process write here. The first call decides; later ones do nothing.
    /// - Parameter role: what kind of process this is: `api`, `ranker`.
    public static func bootstrap(level: Logger.Level, role: String, format: Format = .text) {
        let isFirst = isInstalled.withLock { installed in
            defer { installed = true }
            return !installed
        }
        guard isFirst else { return }
        LoggingSystem.bootstrap(
            { label, provider in
                LineLogHandler(
                    label: label, role: role, format: format, level: level, metadataProvider: provider,
                    sink: StandardErrorSink())
            }, metadataProvider: nil)
    }

    /// A logger named after the part of the process that speaks.
    public static func logger(_ label: String) -> Logger { Logger(label: label) }
}
