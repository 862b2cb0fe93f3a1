import GRDB

/// What can go wrong with the records, told by what a caller can do about it.
///
/// Constraint violations and mistakes in SQL are not among these: they reach the caller as GRDB's `DatabaseError`,
/// because only the repository that wrote the statement knows what they mean.
public enum RecordsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another process held the file for longer than the wait allowed. Nothing was written; trying again is safe.
    case busy
    /// Too many writes of this process are waiting already. Nothing was written; try again later.
    case overloaded(waiting: Int)
    /// The disk is full, or the file reached its limit. Nothing was written.
    case diskFull
    /// The file is damaged or no SQLite file. Stop, and restore it.
    case corrupt(String)
    /// The file, its folder or its file system can't be written to.
    case readOnly(String)
    /// The disk or the file system failed. Whether the last commit is durable is unknown.
    case inputOutput(String)
    /// The file can't be opened or its folder can't be made.
    case cannotOpen(String)
    /// The file was closed by this process.
    case closed
    /// The transaction that this write shared was rolled back by SQLite because of another fault. Trying again is safe.
    case rolledBack(String)
    /// Two migrations have one name, so that the file's history would be ambiguous.
    case invalidSchema(String)
    /// A later attempt of the job already claimed it: this one lost its lease, and may not write.
    case staleToken(jobId: String, token: UInt64, claimed: UInt64)

    /// The error that stands for a failure of SQLite's; `nil` for one that only the repository can judge.
    public init?(_ error: DatabaseError) {
        let words = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
        case .SQLITE_FULL: self = .diskFull
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(words)
        case .SQLITE_READONLY, .SQLITE_PERM: self = .readOnly(words)
        case .SQLITE_IOERR: self = .inputOutput(words)
        case .SQLITE_CANTOPEN: self = .cannotOpen(words)
        default: return nil
        }
    }

    /// The same error, in the words of this type where it has some.
    static func mapped(_ error: any Error) -> any Error {
        guard let error = error as? DatabaseError, let known = RecordsError(error) else { return error }
        return known
    }

    public var description: String {
        switch self {
        case .busy: "the file is busy: another process held it for too long"
        case .overloaded(let waiting): "too many writes are waiting (\(waiting))"
        case .diskFull: "the disk is full"
        case .corrupt(let words): "the file is damaged: \(words)"
        case .readOnly(let words): "the file can't be written to: \(words)"
        case .inputOutput(let words): "the disk failed: \(words)"
        case .cannotOpen(let words): "the file can't be opened: \(words)"
        case .closed: "the file was closed"
        case .rolledBack(let words): "the shared transaction was rolled back: \(words)"
        case .invalidSchema(let words): "the schema is not valid: \(words)"
        case .staleToken(let jobId, let token, let claimed):
            "job \(jobId) was claimed with token \(claimed); token \(token) is too old to write"
        }
    }
}
