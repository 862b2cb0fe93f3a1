import GameModel
import Records

/// Checks the books of `data.sqlite`: every result is there once, was applied once, and nothing else changed a rating.
public struct GameDataAudit: Sendable {
    private let repository: AuditRepository

    public init(database: RecordsDatabase) { repository = AuditRepository(database: database) }

    /// Holds every rule against one snapshot of the file, in the order that a table should show them.
    public func findings() async throws -> [AuditFinding] { try await repository.findings() }
}
