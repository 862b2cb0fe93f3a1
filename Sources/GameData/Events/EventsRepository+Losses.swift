import GRDB
import GameModel
import Records

/// What became of the entries of one shard that were not stored. Each number is "at least so many": what is on its way
/// while it is counted is taken for stored.
///
/// Redis counts entries, of one event or hundreds each; how many events were in one that is gone, nobody knows.
public struct EventLosses: Sendable, Hashable, Codable {
    public var shard: Int
    /// Stored, over all lives of the stream.
    public var stored = 0
    /// The events that those entries held, less those that could not be read.
    public var storedEvents = 0
    /// Dropped by the stream's cap before anyone stored them.
    public var trimmed = 0
    /// In a stream, or added to it, when Redis lost it.
    public var wiped = 0
    /// Taken back by a Redis that began again from an older copy of itself. Some of them were stored by then.
    public var rewound = 0
    /// How often the stream was lost.
    public var lives = 0

    public var lost: Int { trimmed + wiped }

    /// About how many events were lost, if the entries that are gone held as many each as those that are stored; `nil`
    /// where none is stored to go by.
    public var lostEventsAbout: Int? {
        if lost == 0 { return 0 }
        return stored > 0 ? Int((Double(lost) * Double(storedEvents) / Double(stored)).rounded()) : nil
    }
}

extension EventsRepository {
    /// Counts what was lost of a stream, from what Redis says of it: every entry that was ever added is in the stream,
    /// or stored, or lost.
    ///
    /// Redis must have been asked before the totals were copied: what is stored in between is then counted twice, as
    /// waiting and as stored, and a loss is told later and never where there is none. Nothing is kept in memory, so
    /// that it goes on where the last process ended. An account that is older than the one noted last changes nothing:
    /// two processes that ask one after the other may note the other way round.
    /// - Parameter isWhole: whether the totals of all days were copied after Redis was asked. Where they were not, what
    ///   looks dropped by the cap may be stored in a file that nobody copied yet, and is not noted.
    @discardableResult
    public func noteLosses(
        _ account: StreamAccount, at instant: Instant = .now, isWhole: Bool = true
    ) async throws -> EventLosses {
        try await totals.write { db in
            let lives = try Self.lives(of: account.shard, in: db)
            guard let noted = try Self.life(lives, after: account, isWhole: isWhole, in: db) else { return }
            try db.execute(
                sql: """
                    INSERT INTO event_losses
                        (shard, life, added, trimmed, rewound, first_seen_at, seen_at, number, told_us)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (shard, life) DO UPDATE SET
                        added = excluded.added, trimmed = excluded.trimmed, rewound = excluded.rewound,
                        seen_at = excluded.seen_at, number = excluded.number, told_us = excluded.told_us
                    """,
                arguments: [
                    account.shard, noted.life.name, noted.added, noted.trimmed, noted.rewound, instant.milliseconds,
                    instant.milliseconds, noted.number, noted.toldUs,
                ])
        }
        return try await losses(of: account.shard)
    }

    /// What is known to be lost of a shard.
    /// - Parameter account: what Redis says of it now, counted as ``noteLosses(_:at:isWhole:)`` would, and not noted:
    ///   for who only reads.
    public func losses(of shard: Int, with account: StreamAccount? = nil) async throws -> EventLosses {
        try await totals.read { db in
            let lives = try Self.lives(of: shard, with: account, in: db)
            var losses = EventLosses(shard: shard)
            (losses.stored, losses.storedEvents) = try Self.stored(shard, nil, in: db)
            losses.lives = lives.count
            for (index, life) in lives.enumerated() {
                losses.trimmed += life.trimmed
                losses.rewound += life.rewound
                // A life that another followed is over: what was added and not stored went with it.
                guard index < lives.count - 1 else { continue }
                let stored = try Self.stored(shard, life.life, in: db).entries
                losses.wiped += max(0, life.added - life.life.addedBefore - stored - life.trimmed)
            }
            return losses
        }
    }

    /// How many entries of an account's life are stored or counted as dropped by its cap, less those that Redis took
    /// back.
    func countedEntries(_ account: StreamAccount) async throws -> Int {
        try await totals.read { db in
            guard let life = account.life else { return 0 }
            let noted = try Self.lives(of: account.shard, with: account, in: db).first { $0.life == life }
            let stored = try Self.stored(account.shard, life, in: db).entries
            return stored + (noted?.trimmed ?? 0) - (noted?.rewound ?? 0)
        }
    }

    /// What is noted of a life of a stream.
    private struct Life {
        var life: StreamLife
        var added = 0
        var trimmed = 0
        var rewound = 0
        /// The lives of a stream count up: what a host's clock says of them is no order.
        var number: Int
        /// When Redis said so, Unix µs by its clock; 0 for what was noted before this was kept.
        var toldUs = 0
    }

    /// How much older than the last an account may be and still be one that came late. Beyond that Redis's clock was
    /// set back.
    private static let lateUs = 1..<3_600_000_000

    /// What is noted of a shard's lives, the newest last.
    private static func lives(
        of shard: Int, with account: StreamAccount? = nil, in db: Database
    ) throws -> [Life] {
        var lives = try Row.fetchAll(
            db, sql: "SELECT * FROM event_losses WHERE shard = ? ORDER BY number", arguments: [shard]
        ).map { row in
            Life(
                life: StreamLife(row["life"]), added: row["added"], trimmed: row["trimmed"], rewound: row["rewound"],
                number: row["number"], toldUs: row["told_us"])
        }
        if let account, let noted = try life(lives, after: account, isWhole: true, in: db) {
            lives.removeAll { $0.life == noted.life }
            lives.append(noted)
        }
        return lives
    }

    /// What is to be noted of the life that an account is of; `nil` where it came late, or is of no life.
    private static func life(
        _ lives: [Life], after account: StreamAccount, isWhole: Bool, in db: Database
    ) throws -> Life? {
        guard let name = account.life else { return nil }
        if let last = lives.last, lateUs.contains(last.toldUs - account.toldUs) { return nil }
        // The life that is now is the last, one that came back from an old copy of Redis's memory among them.
        let next = (lives.last?.number ?? 0) + 1
        var life = lives.first { $0.life == name } ?? Life(life: name, number: next)
        if life.number != lives.last?.number { life.number = next }
        if isWhole {
            let stored = try Self.stored(account.shard, name, in: db).entries
            // What the cap took while a consumer held it may be stored yet: it counts once nobody holds it.
            let open = account.length + account.pel
            life.trimmed = max(life.trimmed, account.added - name.addedBefore - open - stored)
        }
        life.rewound += max(0, life.added - account.added)
        life.added = account.added
        life.toldUs = account.toldUs
        return life
    }

    /// Entries that are stored or in quarantine, of one life or of all, and the events that are stored of them.
    private static func stored(
        _ shard: Int, _ life: StreamLife?, in db: Database
    ) throws -> (entries: Int, events: Int) {
        let sql = """
            SELECT COALESCE(SUM(entries), 0) AS entries, COALESCE(SUM(events), 0) AS events FROM stream_days
            WHERE shard = ? AND (life = ? OR ? IS NULL)
            """
        let row = try Row.fetchOne(db, sql: sql, arguments: [shard, life?.name, life?.name])
        return (row?["entries"] ?? 0, row?["events"] ?? 0)
    }
}
