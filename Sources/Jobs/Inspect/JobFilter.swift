import Foundation
import GameModel

/// Which jobs are meant: those for which everything that is set holds. An empty filter means all.
public struct JobFilter: Sendable, Hashable {
    public var kind: String?
    /// A `ReasonCode`, or one of a newer version.
    public var reason: String?
    /// Part of what the last failed attempt said; upper or lower case is all one.
    public var error: String?
    /// Part of the id or of the key.
    public var match: String?
    /// Age counts from the burial of a dead letter, from the completion of a completed job, and from the enqueue of all
    /// others.
    public var olderThan: Duration?
    public var youngerThan: Duration?
    public var ids: Set<JobID>?

    public init(
        kind: String? = nil, reason: String? = nil, error: String? = nil, match: String? = nil,
        olderThan: Duration? = nil, youngerThan: Duration? = nil, ids: Set<JobID>? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.error = error
        self.match = match
        self.olderThan = olderThan
        self.youngerThan = youngerThan
        self.ids = ids
    }

    /// - Parameter now: by the clock of Redis.
    func matches(_ record: JobRecord, at now: Instant) -> Bool {
        if let kind, record.kind != kind { return false }
        if let reason, record.reason != reason { return false }
        if let ids, !ids.contains(record.id) { return false }
        if let error, record.error?.range(of: error, options: .caseInsensitive) == nil { return false }
        if let match, !record.id.rawValue.contains(match), record.key?.contains(match) != true { return false }
        if olderThan == nil && youngerThan == nil { return true }
        guard let since = record.since else { return false }
        let age = now - since
        if let olderThan, age < olderThan { return false }
        if let youngerThan, age >= youngerThan { return false }
        return true
    }
}
