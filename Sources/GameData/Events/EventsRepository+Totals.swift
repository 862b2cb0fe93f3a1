import GRDB
import GameModel
import Records
import Synchronization

extension EventsRepository {
    /// Adds what a batch adds to the totals of the day, in the batch's own transaction.
    static func add(_ totals: EventTotals, batch: Int, in db: Database) throws {
        let characters = try BatchStatement(addToCharacter, in: db)
        let places = try BatchStatement(addToPlace, in: db)
        defer {
            characters.end()
            places.end()
        }
        for (key, sum) in totals.characters {
            characters.bind(1, key.patch)
            characters.bind(2, key.mode)
            characters.bind(3, key.character)
            let sums = [
                sum.picks, sum.wins, sum.draws, sum.leaves, sum.kills, sum.deaths, sum.damage, sum.durationMs, batch,
            ]
            for (index, sum) in sums.enumerated() { characters.bind(Int32(4 + index), sum) }
            try characters.step()
        }
        for (key, sum) in totals.places {
            places.bind(1, key.player)
            places.bind(2, key.region)
            places.bind(3, sum.matches)
            places.bind(4, sum.leaves)
            places.bind(5, sum.latencyMs)
            places.bind(6, sum.latencies)
            places.bind(7, batch)
            try places.step()
        }
    }

    private static let addToCharacter = """
        INSERT INTO character_totals (patch, mode, character, picks, wins, draws, leaves, kills, deaths, damage,
            duration_ms, batch)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (patch, mode, character) DO UPDATE SET
            \(sums(["picks", "wins", "draws", "leaves", "kills", "deaths", "damage", "duration_ms"])),
            batch = excluded.batch
        """

    private static let addToPlace = """
        INSERT INTO player_totals (player_id, region, matches, leaves, latency_ms, latencies, batch)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (player_id, region) DO UPDATE SET
            \(sums(["matches", "leaves", "latency_ms", "latencies"])), batch = excluded.batch
        """

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
            TotalsTable(day: "stream_totals", copy: "stream_days", key: ["life"], sums: ["entries", "events"]),
        ]

        /// The values of the columns, row after row.
        func values(after batch: Int, in db: Database) throws -> [DatabaseValue] {
            let rows = try Row.fetchCursor(
                db, sql: "SELECT \(columns.joined(separator: ", ")) FROM \(day) WHERE batch > ?",
                arguments: [batch])
            var values: [DatabaseValue] = []
            while let row = try rows.next() { for index in columns.indices { values.append(row[index]) } }
            return values
        }

        func write(_ values: [DatabaseValue], _ file: EventFile, in db: Database) throws {
            let marks = Array(repeating: "?", count: columns.count + 2).joined(separator: ", ")
            let changes = (sums + ["batch"]).map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
            // For nearly each event of a player whose match ended there is a row to copy: the way must be short.
            let statement = try BatchStatement(
                """
                INSERT INTO \(copy) (\(columns.joined(separator: ", ")), day, shard) VALUES (\(marks))
                ON CONFLICT (\(key.joined(separator: ", ")), day, shard) DO UPDATE SET \(changes)
                WHERE excluded.batch > \(copy).batch
                """, in: db)
            defer { statement.end() }
            let width = columns.count
            for start in stride(from: 0, to: values.count, by: width) {
                for column in 0..<width { statement.bind(Int32(column + 1), values[start + column]) }
                statement.bind(Int32(width + 1), file.day.number)
                statement.bind(Int32(width + 2), file.shard)
                try statement.step()
            }
        }
    }

    /// What changed in a day's totals after a batch.
    private struct Change: Sendable {
        let batch: Int
        /// Of each of the tables.
        let values: [[DatabaseValue]]

        init(after copied: Int, in db: Database) throws {
            batch = try Int.fetchOne(db, sql: "SELECT number FROM batches") ?? 0
            values = try TotalsTable.all.map { try $0.values(after: copied, in: db) }
        }

        func write(_ file: EventFile, in db: Database) throws {
            for (table, values) in zip(TotalsTable.all, values) { try table.write(values, file, in: db) }
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
