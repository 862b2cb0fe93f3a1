import Foundation
import Logging
import Metrics
import ServiceLifecycle

/// Keeps the rules in force those of a file: reads it again when it changed, and replaces the book's rules for everyone
/// who follows them.
///
/// A file with errors, or one that is gone, leaves the rules as they are; each error is logged once. A change is taken
/// up within a second: once the file has stayed the same for one look, so that one that is being written is not read.
public struct RulesFile: Service {
    public let path: String
    public let book: RulesBook
    private let every: Duration
    private let logger: Logger
    /// What the file was when the book's rules were read.
    private let seen: Fingerprint?

    /// Reads the file.
    ///
    /// - Parameter every: how often it is looked at.
    /// - Throws: ``RulesFileError`` with all that is wrong: a process does not start with rules that it can't read.
    public init(path: String, every: Duration = .milliseconds(500), logger: Logger) throws(RulesFileError) {
        self.path = path
        self.every = every
        self.logger = logger
        seen = Fingerprint(path)
        book = RulesBook(try MatchmakingRules.read(file: path))
    }

    /// What a process follows that may be told of a file: the rules in force, and the service that keeps them so.
    ///
    /// - Parameter path: without one, ``MatchmakingRules/standard`` stays in force.
    public static func follow(_ path: String?, logger: Logger) throws(RulesFileError) -> FollowedRules {
        guard let path else { return FollowedRules(book: RulesBook(.standard), services: []) }
        let file = try RulesFile(path: path, logger: logger)
        return FollowedRules(book: file.book, services: [file])
    }

    /// Looks at the file until graceful shutdown.
    public func run() async throws {
        let metrics = RulesMetrics()
        metrics.isInForce(book.current.version)
        logger.info("rules \(book.current.version) of \(path) are in force")
        await cancelWhenGracefulShutdown { await self.follow(metrics) }
    }

    private func follow(_ metrics: RulesMetrics) async {
        var taken = seen
        var before = seen
        while true {
            do {
                try await Task.sleep(for: every)
            } catch {
                return  // Stopping.
            }
            let now = Fingerprint(path)
            // Twice the same, and not the one that was read: it is whole.
            if now == before, now != taken {
                taken = now
                read(metrics)
            }
            before = now
        }
    }

    private func read(_ metrics: RulesMetrics) {
        let rules: MatchmakingRules
        do {
            rules = try MatchmakingRules.read(file: path)
        } catch {
            for problem in error.problems { logger.error("rules of \(path) refused: \(problem)") }
            logger.error("the rules in force stay those of version \(book.current.version)")
            metrics.rejected.increment()
            return
        }
        let old = book.current
        guard rules.version != old.version else { return logger.info("the rules of \(path) say what they said") }
        book.replace(with: rules)
        metrics.replaced.increment()
        metrics.isInForce(rules.version, before: old.version)
        logger.notice("rules \(rules.version) are in force, in place of \(old.version)")
        for change in old.changes(to: rules) { logger.notice("rules: \(change)") }
    }
}

/// The rules that a process follows.
public struct FollowedRules: Sendable {
    public let book: RulesBook
    /// Run with the process's others.
    public let services: [any Service]
}

/// What the metrics say of the rules. The version is a label of one series at a time that is 1: that of the rules in
/// force; how many there were before is bounded by how often designers save.
private struct RulesMetrics {
    let rejected = Counter(label: "matchmaking_rules_rejected_total")
    let replaced = Counter(label: "matchmaking_rules_replaced_total")

    func isInForce(_ version: String, before old: String? = nil) {
        if let old { Gauge(label: "matchmaking_rules_info", dimensions: [("version", old)]).destroy() }
        Gauge(label: "matchmaking_rules_info", dimensions: [("version", version)]).record(1)
    }
}

/// What tells one state of a file from another without reading it.
private struct Fingerprint: Hashable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let seconds: Int
    let nanoseconds: Int

    /// `nil` where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int(status.st_mtim.tv_sec)
        nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}
