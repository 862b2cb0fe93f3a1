import GameModel

/// Developers' edits: a draft that nobody else sees, until it is published as the next version.
///
/// Every edit names who made it (`by`: a player's id, or `cli:user@host`), and is in the change log with what was
/// before, in the same transaction.
public struct CatalogEditor: Sendable {
    let repository: CatalogRepository
    let clock: @Sendable () -> Instant

    public func draft() async throws(StoreError) -> CatalogDocument {
        throw .unavailable("not built yet")
    }

    /// Adds or changes a product of the draft; `true` where it is new.
    public func save(_ product: Product, by editor: String) async throws(StoreError) -> Bool {
        throw .unavailable("not built yet")
    }

    /// Adds or changes a promotion of the draft; `true` where it is new.
    public func save(_ promotion: Promotion, by editor: String) async throws(StoreError) -> Bool {
        throw .unavailable("not built yet")
    }

    public func remove(product: ProductID, by editor: String) async throws(StoreError) {
        throw .unavailable("not built yet")
    }

    public func remove(promotion: String, by editor: String) async throws(StoreError) {
        throw .unavailable("not built yet")
    }

    /// Puts another document in the draft's place (import, revert): all of it, or nothing where something is invalid.
    public func replaceDraft(with document: CatalogDocument, by editor: String)
        async throws(StoreError)
    {
        throw .unavailable("not built yet")
    }

    /// What keeps the draft from being published, a line each; empty where nothing does.
    public func problems() async throws(StoreError) -> [String] {
        throw .unavailable("not built yet")
    }

    /// What publishing the draft would change.
    public func changes() async throws(StoreError) -> [CatalogChange] {
        throw .unavailable("not built yet")
    }

    /// Makes the draft the next version, for everyone, within a second.
    ///
    /// Throws ``StoreError/invalidDraft(_:)``; where the draft is what is published already, that version is answered.
    public func publish(note: String, by editor: String) async throws(StoreError) -> CatalogVersion {
        throw .unavailable("not built yet")
    }

    /// The published versions, newest first.
    public func versions(limit: Int) async throws(StoreError) -> [CatalogVersion] {
        throw .unavailable("not built yet")
    }

    /// Throws ``StoreError/unknownVersion(_:)``.
    public func version(_ number: Int) async throws(StoreError) -> CatalogVersion {
        throw .unavailable("not built yet")
    }
}
