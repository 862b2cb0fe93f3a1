import GRDB
import GameModel

/// Failed log-ins, and accounts made: counted here, so that every process of the API counts together.
extension AccountsRepository {
    /// Counters removed per one that is written once they say nothing any more, so that the table stays as small as
    /// what happened lately.
    static let countersRemovedMax = 10

    /// A log-in under way: what it is counted under if it fails, by which rules.
    struct Attempt: Sendable {
        struct Key: Sendable {
            let name: String
            let backoff: AccountLimits.Backoff
            /// Whether it may lock; counted either way, so that the work is the same.
            var isEnforced = true
        }
        /// The e-mail address, from wherever.
        let account: Key
        /// The e-mail address from this network: in place of ``account`` where the account was in use there lately, so
        /// that a stranger who keeps failing locks its owner out of nowhere but new places.
        let familiar: Key
        let address: Key
        let email: String
        /// The client's network; `nil` where it says nothing of who that is, and so is never familiar.
        let network: String?
        let familiarFor: Duration
    }

    /// An account that is to be made: what it is counted under, and how many may be.
    struct Creation: Sendable {
        let key: String
        let limit: Int
        let window: Duration
        var isEnforced = true
    }

    /// How long to wait before the attempt may be made; `nil`: it may be made now.
    func wait(before attempt: Attempt, at now: Instant) async throws(AccountsError) -> Duration? {
        try await read { db in try Self.wait(before: attempt, at: now, in: db) }
    }

    static func wait(before attempt: Attempt, at now: Instant, in db: Database) throws -> Duration? {
        try keys(of: attempt, at: now, in: db).filter(\.isEnforced)
            .compactMap { key in try counter(key.name, at: now, in: db).wait(at: now) }.max()
    }

    /// Counts the failure of an attempt.
    static func fail(_ attempt: Attempt, at now: Instant, in db: Database) throws {
        try removeSpentCounters(at: now, in: db)
        for key in try keys(of: attempt, at: now, in: db) {
            var counter = try counter(key.name, at: now, in: db)
            counter.fail(at: now, key.backoff)
            try store(counter, under: key.name, expiresAt: counter.expiresAt(key.backoff), in: db)
        }
    }

    /// What an attempt is counted under. A session of the account tells where it was in use.
    private static func keys(of attempt: Attempt, at now: Instant, in db: Database) throws -> [Attempt.Key] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT s.address FROM accounts a JOIN sessions s ON s.player_id = a.player_id
                WHERE a.email = ? AND s.last_used_at > ?
                """)
        let since = now - attempt.familiarFor
        let addresses = try String.fetchAll(statement, arguments: [attempt.email, since.milliseconds])
        let isFamiliar = addresses.contains { ClientNetwork.name(of: $0) == attempt.network }
        return [isFamiliar ? attempt.familiar : attempt.account, attempt.address]
    }

    /// Forgets the failures of an e-mail address, from wherever they came.
    static func forget(email: String, in db: Database) throws {
        // The keys with a network go on with a blank, and nothing lies between that and "!".
        try db.execute(
            sql: "DELETE FROM attempts WHERE key >= ?1 AND key < ?1 || '!'",
            arguments: [AttemptKey.account(email: email)])
    }

    /// Counts an account that is about to be made; answers how long to wait where there were too many already.
    static func count(_ creation: Creation, at now: Instant, in db: Database) throws -> Duration? {
        try removeSpentCounters(at: now, in: db)
        var counter = try counter(creation.key, at: now, in: db)
        let end = counter.countedAt + creation.window
        if counter.count == 0 || now >= end { counter = AttemptCounter(countedAt: now) }
        if creation.isEnforced, counter.count >= creation.limit { return end - now }
        counter.count += 1
        try store(counter, under: creation.key, expiresAt: counter.countedAt + creation.window, in: db)
        return nil
    }

    private static func counter(_ name: String, at now: Instant, in db: Database) throws -> AttemptCounter {
        let statement = try db.cachedStatement(
            sql: "SELECT count, counted_at, locked_until FROM attempts WHERE key = ?")
        guard let row = try Row.fetchOne(statement, arguments: [name]) else { return AttemptCounter(countedAt: now) }
        return AttemptCounter(
            count: row["count"], countedAt: Instant(milliseconds: row["counted_at"]),
            lockedUntil: Instant(milliseconds: row["locked_until"]))
    }

    private static func store(
        _ counter: AttemptCounter, under name: String, expiresAt: Instant, in db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO attempts (key, count, counted_at, locked_until, expires_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET count = excluded.count, counted_at = excluded.counted_at,
                    locked_until = excluded.locked_until, expires_at = excluded.expires_at
                """
        ).execute(arguments: [
            name, counter.count, counter.countedAt.milliseconds, counter.lockedUntil.milliseconds,
            expiresAt.milliseconds,
        ])
    }

    private static func removeSpentCounters(at now: Instant, in db: Database) throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM attempts WHERE key IN
                    (SELECT key FROM attempts WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
                """
        ).execute(arguments: [now.milliseconds, countersRemovedMax])
    }
}
