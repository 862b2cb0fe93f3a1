import Glibc

/// The steps at which a process can be made to end, as `kill -9` would end it: to see what becomes of work that was
/// done to just there.
///
/// In debug builds only, and only where `MUSTER_FAILPOINTS` names a folder: a file with a step's name in that folder
/// ends the process that comes to the step first, and is gone then. A release build has none of this.
public enum Failpoint: String, Sendable, CaseIterable {
    // MARK: The allocator

    /// It has the job of a match, and has done nothing yet.
    case allocatorLeased = "allocator.leased"
    /// The match holds a slot in Redis, and no book knows of it.
    case allocatorAllocated = "allocator.allocated"
    /// The roster is in the book, and the players are not told.
    case allocatorRecorded = "allocator.recorded"
    /// The players are told, and the job is not done.
    case allocatorTold = "allocator.told"
    /// A lost match is abandoned in the book, and its players are not told.
    case allocatorAbandoned = "allocator.abandoned"
    /// The players of a lost match are told, and its slot is not free.
    case allocatorFreed = "allocator.freed"
    /// It has the right to start an instance, and has not.
    case allocatorStarting = "allocator.starting"
    /// It has started an instance that nobody has heard of.
    case allocatorStarted = "allocator.started"

    // MARK: The instance

    /// It listens, and the fleet does not know it.
    case instanceListening = "instance.listening"
    /// A player came, and it has no roster.
    case instanceOpened = "instance.opened"
    /// It waits for the other players.
    case instanceGathering = "instance.gathering"
    case instanceFighting = "instance.fighting"
    /// The fight is decided, and the result is nowhere but in memory.
    case instanceDecided = "instance.decided"
    /// The result is kept on disk, and was not sent.
    case instanceKept = "instance.kept"
    /// The API has the result, and it is still kept on disk.
    case instancePosted = "instance.posted"

    // MARK: The API and ingest

    /// The result is in the book, and the instance is not told.
    case resultStored = "result.stored"
    /// The ratings are changed, and the match goes on in Redis.
    case resultApplied = "result.applied"
    /// The match is over in Redis too, and the job is not done.
    case resultEnded = "result.ended"
    /// Events are taken from the stream, and not stored.
    case eventsRead = "events.read"
    /// Events are stored, and still in the stream.
    case eventsStored = "events.stored"

    /// Ends the process where a test wants it here.
    @inlinable
    public func pass() {
        #if DEBUG
            endIfWished()
        #endif
    }

    #if DEBUG
        private static let folder: String? = getenv("MUSTER_FAILPOINTS").map { String(cString: $0) }

        @usableFromInline
        func endIfWished() {
            // Of several that come here only one can take the file away.
            guard let folder = Self.folder, unlink("\(folder)/\(rawValue)") == 0 else { return }
            kill(getpid(), SIGKILL)
            // The signal is on its way, and nothing more may be done.
            while true { pause() }
        }
    #endif
}
