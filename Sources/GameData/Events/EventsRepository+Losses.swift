import GRDB
import GameModel
import Records

/// What became of the events of one shard that were not stored. Each number is "at least so many": what is on its way
/// while it is counted is taken for stored.
public struct EventLosses: Sendable, Hashable, Codable {
    public var shard: Int
    /// Stored, over all lives of the stream.
    public var stored = 0
    /// Dropped by the stream's cap before anyone stored them.
    public var trimmed = 0
    /// In a stream, or added to it, when Redis lost it.
    public var wiped = 0
    /// Taken back by a Redis that began again from an older copy of itself. Some of them were stored by then.
    public var rewound = 0
    /// How often the stream was lost.
    public var lives = 0

    public var lost: Int { trimmed + wiped }
}

extension EventsRepository {
    /// Counts what was lost of a stream, from what Redis says of it: every entry that was ever added is in the stream,
    /// or stored, or lost.
    ///
    /// Redis must have been asked before: what is stored in between is then counted twice, as waiting and as stored,
    /// and a loss is told later and never where there is none. Nothing is kept in memory, so that it goes on where the
    /// last process ended.
    public func noteLosses(_ account: StreamAccount, at instant: Instant = .now) async throws -> EventLosses {
        if let life = account.life {
            try await totals.write { db in
                let stored = try Self.storedEntries(account.shard, life, in: db)
                let trimmed = max(0, account.added - life.addedBefore - account.length - stored)
                let seen = try Int.fetchOne(
                    db, sql: "SELECT added FROM event_losses WHERE shard = ? AND life = ?",
                    arguments: [account.shard, life.name])
                let rewound = max(0, (seen ?? 0) - account.added)
                try db.execute(
                    sql: """
                        INSERT INTO event_losses (shard, life, added, trimmed, rewound, first_seen_at, seen_at)
                        VALUES (?, ?, ?, ?, 0, ?, ?) ON CONFLICT (shard, life) DO UPDATE SET
                            added = excluded.added, trimmed = MAX(event_losses.trimmed, excluded.trimmed),
                            rewound = event_losses.rewound + ?, seen_at = excluded.seen_at
                        """,
                    arguments: [
                        account.shard, life.name, account.added, trimmed, instant.milliseconds, instant.milliseconds,
                        rewound,
                    ])
            }
        }
        return try await losses(of: account.shard)
    }

    /// What is known to be lost of a shard.
    public func losses(of shard: Int) async throws -> EventLosses {
        try await totals.read { db in
            var losses = EventLosses(shard: shard)
            losses.stored = try Self.storedEntries(shard, nil, in: db)
            let lives = try Row.fetchAll(
                db, sql: "SELECT * FROM event_losses WHERE shard = ? ORDER BY first_seen_at, life", arguments: [shard])
            losses.lives = lives.count
            for (index, row) in lives.enumerated() {
                let trimmed: Int = row["trimmed"]
                losses.trimmed += trimmed
                losses.rewound += row["rewound"]
                // A life that another followed is over: what was added and not stored went with it.
                guard index < lives.count - 1 else { continue }
                let life = StreamLife(row["life"])
                let stored = try Self.storedEntries(shard, life, in: db)
                losses.wiped += max(0, row["added"] as Int - life.addedBefore - stored - trimmed)
            }
            return losses
        }
    }

    /// How many entries of a stream's life are stored or counted as dropped by its cap, less those that Redis took
    /// back.
    func countedEntries(_ shard: Int, _ life: StreamLife) async throws -> Int {
        try await totals.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT trimmed, rewound FROM event_losses WHERE shard = ? AND life = ?",
                arguments: [shard, life.name])
            let (trimmed, rewound): (Int, Int) = (row?["trimmed"] ?? 0, row?["rewound"] ?? 0)
            return try Self.storedEntries(shard, life, in: db) + trimmed - rewound
        }
    }

    /// Entries that are stored or in quarantine, of one life or of all.
    private static func storedEntries(_ shard: Int, _ life: StreamLife?, in db: Database) throws -> Int {
        let sql = "SELECT COALESCE(SUM(entries), 0) FROM stream_days WHERE shard = ?"
        guard let life else { return try Int.fetchOne(db, sql: sql, arguments: [shard]) ?? 0 }
        return try Int.fetchOne(db, sql: sql + " AND life = ?", arguments: [shard, life.name]) ?? 0
    }
}
