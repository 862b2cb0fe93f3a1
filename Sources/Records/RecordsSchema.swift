import GRDB

/// The tables of one domain, as the ordered steps that make them.
///
/// A step runs once per file, in a transaction of its own, and is remembered in the file by `name/id`: never change or
/// reorder a step that was released, add one.
public struct RecordsSchema: Sendable {
    public typealias Migration = (id: String, body: @Sendable (Database) throws -> Void)

    public let name: String
    public let migrations: [Migration]

    public init(name: String, migrations: [Migration]) {
        self.name = name
        self.migrations = migrations
    }

    /// All steps of several schemas, in order. A schema that is named twice counts once.
    /// - Throws: ``RecordsError/invalidSchema(_:)`` where two steps of one schema share a name.
    static func migrator(for schemas: [RecordsSchema]) throws(RecordsError) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        var names: Set<String> = []
        for schema in schemas where names.insert(schema.name).inserted {
            var ids: Set<String> = []
            for migration in schema.migrations {
                guard ids.insert(migration.id).inserted else {
                    throw .invalidSchema("\(schema.name) has two migrations named \(migration.id)")
                }
                migrator.registerMigration("\(schema.name)/\(migration.id)", migrate: migration.body)
            }
        }
        return migrator
    }
}
