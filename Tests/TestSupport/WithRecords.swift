import Logging
import Records

/// Runs the body with a SQLite file of its own, migrated to the schemas; closes and removes it afterwards.
public func withRecords<T>(
    schemas: [RecordsSchema], durability: RecordsDatabase.Durability = .normal,
    isolation: isolated (any Actor)? = #isolation, _ body: (RecordsDatabase) async throws -> T
) async throws -> T {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let database = try RecordsDatabase.open(
        path: folder.file("test.sqlite"), durability: durability, schemas: schemas,
        logger: Logger(label: "test.records"))
    do {
        let result = try await body(database)
        try database.close()
        return result
    } catch {
        // The body's own error is the one to see; the file is removed in any case.
        do { try database.close() } catch let closing { print("closing the test database failed: \(closing)") }
        throw error
    }
}
