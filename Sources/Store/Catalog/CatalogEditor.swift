import GameModel

/// Developers' edits: a draft that nobody else sees, until it is published as the next version.
///
/// Every edit names who made it (`by`: a player's id, or `cli:user@host`), and is in the change log with what was
/// before, in the same transaction. What is published is the draft as it is then, whoever edited it last.
public struct CatalogEditor: Sendable {
    public static let noteCharactersMax = 500
    public static let versionsMax = 100

    let repository: CatalogRepository
    let clock: @Sendable () -> Instant

    public func draft() async throws(StoreError) -> CatalogDocument { try await repository.draft() }

    /// Adds or changes a product of the draft; `true` where it is new. One that is the same already changes nothing.
    ///
    /// Throws ``StoreError/invalidField(name:reason:)`` for the first field that is not right, parts that the draft
    /// doesn't have and pictures that were not uploaded included.
    public func save(_ product: Product, by editor: String) async throws(StoreError) -> Bool {
        if let fault = product.faults().first { throw fault.error }
        return try await repository.save(product, by: editor, at: clock())
    }

    /// Adds or changes a promotion of the draft; `true` where it is new. One that is the same already changes nothing.
    ///
    /// Throws ``StoreError/invalidField(name:reason:)`` for the first field that is not right, products that the draft
    /// doesn't have and codes of other promotions included.
    public func save(_ promotion: Promotion, by editor: String) async throws(StoreError) -> Bool {
        if let fault = promotion.faults().first { throw fault.error }
        return try await repository.save(promotion, by: editor, at: clock())
    }

    /// Takes a product out of the draft. Where others name it, ``problems()`` tells of them. Throws
    /// ``StoreError/unknownProduct(_:)``.
    public func remove(product: ProductID, by editor: String) async throws(StoreError) {
        try await repository.remove(product: product, by: editor, at: clock())
    }

    /// Takes a promotion out of the draft. Throws ``StoreError/unknownPromotion(_:)``.
    public func remove(promotion: String, by editor: String) async throws(StoreError) {
        try await repository.remove(promotion: promotion, by: editor, at: clock())
    }

    /// Puts another document in the draft's place (import, revert): all of it, or nothing where something is invalid.
    ///
    /// Throws ``StoreError/invalidDraft(_:)``.
    public func replaceDraft(with document: CatalogDocument, by editor: String) async throws(StoreError) {
        try await repository.replaceDraft(with: document, by: editor, at: clock())
    }

    /// What keeps the draft from being published, a line each; empty where nothing does.
    public func problems() async throws(StoreError) -> [String] { try await repository.problems() }

    /// What publishing the draft would change.
    public func changes() async throws(StoreError) -> [CatalogChange] { try await repository.changes() }

    /// Makes the draft the next version, for everyone, within a second.
    ///
    /// Throws ``StoreError/invalidDraft(_:)``; where the draft is what is published already, that version is answered.
    public func publish(note: String, by editor: String) async throws(StoreError) -> CatalogVersion {
        guard note.count <= Self.noteCharactersMax, StoreRules.isVisible(note) else {
            throw .invalidField(
                name: "note",
                reason: "expected up to \(Self.noteCharactersMax) visible characters, got \(note.count)")
        }
        return try await repository.publish(note: note, by: editor, at: clock())
    }

    /// The published versions, newest first; at most ``versionsMax``.
    public func versions(limit: Int) async throws(StoreError) -> [CatalogVersion] {
        try await repository.versions(limit: min(max(limit, 1), Self.versionsMax))
    }

    /// Throws ``StoreError/unknownVersion(_:)``.
    public func version(_ number: Int) async throws(StoreError) -> CatalogVersion {
        try await repository.version(number)
    }
}
