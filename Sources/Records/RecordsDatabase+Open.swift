import Foundation
import GRDB
import Logging

extension RecordsDatabase {
    /// The most connections that read at once.
    static let readersMax = 4
    /// How often opening looks again whether another process is done with opening.
    private static let openingNap = Duration.milliseconds(5)

    /// Opens a file, making it and its folder where they are missing, and brings its tables up to date.
    ///
    /// Safe when several processes open one new file at once: they take turns by a lock on `<path>-lock`, so that each
    /// migration runs once. Blocks the calling thread; meant for the start of a process.
    /// - Parameters:
    ///   - path: the file, whose folder is made (mode 0700) where it is missing.
    ///   - schemas: the tables that must be there; one that is given twice counts once.
    ///   - busyTimeout: how long a transaction, and opening itself, waits for other processes.
    /// - Throws: ``RecordsError``, and `DatabaseError` where a migration's SQL is wrong.
    public static func open(
        path: String, durability: Durability, schemas: [RecordsSchema], logger: Logger,
        busyTimeout: Duration = .seconds(10)
    ) throws -> RecordsDatabase {
        let migrator = try RecordsSchema.migrator(for: schemas)
        try makeFolder(of: path)
        let deadline = ContinuousClock.now + busyTimeout
        let lock = try OpeningLock(path: path + "-lock")
        while try !lock.take() {
            guard ContinuousClock.now < deadline else { throw RecordsError.busy }
            BusyWait.block(for: openingNap)
        }
        defer { lock.release() }
        while true {
            do {
                let pool = try openPool(path: path, durability: durability, busyTimeout: busyTimeout)
                try migrator.migrate(pool)
                logger.debug("opened records", metadata: ["path": "\(path)", "durability": "\(durability)"])
                return RecordsDatabase(path: path, pool: pool, logger: logger)
            } catch {
                // Switching to WAL and recovering a WAL take locks that SQLite does not always wait for.
                let error = RecordsError.mapped(error)
                guard case RecordsError.busy = error, ContinuousClock.now < deadline else { throw error }
                logger.debug("records are busy while opening, trying again", metadata: ["path": "\(path)"])
                BusyWait.block(for: openingNap)
            }
        }
    }

    private static func openPool(path: String, durability: Durability, busyTimeout: Duration) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = path.lastPathComponent
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = readersMax
        configuration.busyMode = BusyWait(limit: busyTimeout).mode
        // The writer ends its transactions itself; one whose roll-back failed is rolled back before the next begins.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cache_size = -16000")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        // After opening, because GRDB sets NORMAL when it switches a file to WAL.
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
            try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        return pool
    }

    private static func makeFolder(of path: String) throws(RecordsError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .cannotOpen("\(folder): \(error.localizedDescription)")
        }
    }
}

/// An advisory lock between processes, which ends with the process that holds it.
private struct OpeningLock {
    private let descriptor: Int32

    init(path: String) throws(RecordsError) {
        descriptor = Foundation.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen("\(path): \(String(cString: strerror(errno)))") }
    }

    /// Takes the lock if it is free.
    func take() throws(RecordsError) -> Bool {
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else {
            throw .cannotOpen("can't lock: \(String(cString: strerror(errno)))")
        }
        return false
    }

    func release() {
        Foundation.close(descriptor)
    }
}
