import Records
import ServiceLifecycle

/// Closes files when everything that uses them has stopped: it is started first, and so stopped last.
struct RecordsCloser: Service {
    let databases: [RecordsDatabase]

    func run() async throws {
        try await gracefulShutdown()
        for database in databases { try database.close() }
    }
}
