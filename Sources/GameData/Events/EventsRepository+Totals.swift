import GRDB
import GameModel
import Records
import Synchronization

extension EventsRepository {
    /// Adds what a batch adds to the totals of the day, in the batch's own transaction.
    static func add(_ totals: EventTotals, batch: Int, in db: Database) throws {
        for (key, sum) in totals.characters {
            try db.cachedStatement(
                sql: """
                    INSERT INTO character_totals (patch, mode, character, picks, wins, draws, leaves, kills, deaths,
                        damage, duration_ms, batch)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (patch, mode, character) DO UPDATE SET
                        \(Self.sums(["picks", "wins", "draws", "leaves", "kills", "deaths", "damage", "duration_ms"])),
                        batch = excluded.batch
                    """
            ).execute(arguments: [
                key.patch, key.mode, key.character, sum.picks, sum.wins, sum.draws, sum.leaves, sum.kills, sum.deaths,
                sum.damage, sum.durationMs, batch,
            ])
        }
        for (key, sum) in totals.places {
            try db.cachedStatement(
                sql: """
                    INSERT INTO player_totals (player_id, region, matches, leaves, latency_ms, latencies, batch)
                    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (player_id, region) DO UPDATE SET
                        \(Self.sums(["matches", "leaves", "latency_ms", "latencies"])), batch = excluded.batch
                    """
            ).execute(arguments: [
                key.player, key.region, sum.matches, sum.leaves, sum.latencyMs, sum.latencies, batch,
            ])
        }
    }

    /// Assignments that add to each column and stop at the most that a total may be: past that SQLite would make the
    /// number a fraction, and then refuse to sum it.
    private static func sums(_ columns: [String]) -> String {
        columns.map { "\($0) = MIN(\($0) + excluded.\($0), \(Int.totalMax))" }.joined(separator: ", ")
    }

    /// Copies what changed in the totals of a day's file to `events.sqlite`.
    ///
    /// Copies are of whole sums, not of differences, and an older one never replaces a newer: so any number of
    /// processes may copy, each as often as it likes, and one that dies in between has done no harm.
    public func copyTotals(of file: EventFile) async throws {
        guard let database = try files.existing(file) else { return }
        let copied = try await totals.read { db in
            try Int.fetchOne(
                db, sql: "SELECT batch FROM copied_days WHERE day = ? AND shard = ?",
                arguments: [file.day.number, file.shard]) ?? 0
        }
        let change = try await database.read { db in try Change(after: copied, in: db) }
        guard change.batch > copied else { return }
        try await totals.write { db in try change.write(file, in: db) }
    }

    /// Copies the totals of all days of a shard, whoever stored them: what a process does when it begins, for who ended
    /// before, and now and then.
    public func copyTotals(shard: Int) async throws {
        let files = files.all().filter { $0.shard == shard }
        touched.withLock { touched in touched.subtract(files) }
        try await copyTotals(of: files)
    }

    /// Copies the totals of a shard's days in which this process has stored something since they were copied last,
    /// however old the days are.
    public func copyTouchedTotals(shard: Int) async throws {
        let files = touched.withLock { touched in
            let files = touched.filter { $0.shard == shard }
            touched.subtract(files)
            return files
        }
        try await copyTotals(of: files.sorted())
    }

    /// Where a copy fails, the files that were not reached are to be copied yet.
    private func copyTotals(of files: [EventFile]) async throws {
        for (index, file) in files.enumerated() {
            do {
                try await copyTotals(of: file)
            } catch {
                touched.withLock { $0.formUnion(files[index...]) }
                throw error
            }
        }
    }

    /// A table of totals in a day's file, and the one that its rows are copied to.
    private struct TotalsTable: Sendable {
        let day: String
        let copy: String
        let key: [String]
        let sums: [String]

        var columns: [String] { key + sums + ["batch"] }

        static let all = [
            TotalsTable(
                day: "character_totals", copy: "character_days", key: ["patch", "mode", "character"],
                sums: ["picks", "wins", "draws", "leaves", "kills", "deaths", "damage", "duration_ms"]),
            TotalsTable(
                day: "player_totals", copy: "player_days", key: ["player_id", "region"],
                sums: ["matches", "leaves", "latency_ms", "latencies"]),
            TotalsTable(day: "stream_totals", copy: "stream_days", key: ["life"], sums: ["entries"]),
        ]

        func rows(after batch: Int, in db: Database) throws -> [[DatabaseValue]] {
            try Row.fetchAll(
                db, sql: "SELECT \(columns.joined(separator: ", ")) FROM \(day) WHERE batch > ?", arguments: [batch]
            ).map { Array($0.databaseValues) }
        }

        func write(_ rows: [[DatabaseValue]], _ file: EventFile, in db: Database) throws {
            let marks = Array(repeating: "?", count: columns.count + 2).joined(separator: ", ")
            let changes = (sums + ["batch"]).map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO \(copy) (\(columns.joined(separator: ", ")), day, shard) VALUES (\(marks))
                    ON CONFLICT (\(key.joined(separator: ", ")), day, shard) DO UPDATE SET \(changes)
                    WHERE excluded.batch > \(copy).batch
                    """)
            for row in rows {
                let place = [file.day.number.databaseValue, file.shard.databaseValue]
                try statement.execute(arguments: StatementArguments(row + place))
            }
        }
    }

    /// What changed in a day's totals after a batch.
    private struct Change: Sendable {
        let batch: Int
        let rows: [[[DatabaseValue]]]

        init(after copied: Int, in db: Database) throws {
            batch = try Int.fetchOne(db, sql: "SELECT number FROM batches") ?? 0
            rows = try TotalsTable.all.map { try $0.rows(after: copied, in: db) }
        }

        func write(_ file: EventFile, in db: Database) throws {
            for (table, rows) in zip(TotalsTable.all, rows) { try table.write(rows, file, in: db) }
            try db.execute(
                sql: """
                    INSERT INTO copied_days (day, shard, batch) VALUES (?, ?, ?)
                    ON CONFLICT (day, shard) DO UPDATE SET batch = MAX(batch, excluded.batch)
                    """, arguments: [file.day.number, file.shard, batch])
        }
    }

    // MARK: Retention

    /// Removes the files of the oldest day where more than `days` days have files: one day at a time, and never today's
    /// or yesterday's. The totals stay, but those of players.
    ///
    /// Days are counted by the files that there are and not by a clock: clocks that are wrong, Redis's and this host's
    /// alike, cost no more than a day for each day that they make up.
    /// - Returns: what was removed.
    @discardableResult
    public func removeOldestDay(keeping days: Int, today: EventDay) async throws -> [EventFile] {
        let all = files.all()
        guard let oldest = all.first?.day, Set(all.map(\.day)).count > days, oldest.number < today.number - 1 else {
            return []
        }
        let old = all.filter { $0.day == oldest }
        for file in old {
            try await copyTotals(of: file)
            try files.remove(file)
        }
        try await totals.write { db in
            try db.execute(sql: "DELETE FROM player_days WHERE day <= ?", arguments: [oldest.number])
        }
        return old
    }
}
