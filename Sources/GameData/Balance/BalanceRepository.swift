import Foundation
import GRDB
import GameModel
import Records
import Synchronization

/// The balance in `data.sqlite`: published patches, which never change, and the draft of the next one.
///
/// A match is played to its end with the patch it was placed with. Every edit is in the change log with who made it and
/// what was before, in the transaction that makes it.
public struct BalanceRepository: Sendable {
    let database: RecordsDatabase
    private let cache = PatchCache()

    public init(database: RecordsDatabase) { self.database = database }

    /// The patch that new matches are played with.
    public func current() async throws -> Patch {
        try await database.read { [cache] db in
            let version = try Self.currentVersion(in: db)
            return try cache.patch(version) { try Self.known(version, in: db) }
        }
    }

    /// A patch by number; `nil` where there is none.
    public func patch(_ version: PatchVersion) async throws -> Patch? {
        if let patch = cache[version] { return patch }
        return try await database.read { [cache] db in
            guard let patch = try Self.patch(version, in: db) else { return nil }
            cache.keep(patch)
            return patch
        }
    }

    public static let patchesMax = 100

    /// The newest patches, newest first.
    /// - Parameter limit: 1 to ``patchesMax``; more is cut to that.
    public func patches(limit: Int) async throws -> [Patch] {
        let limit = min(max(limit, 1), Self.patchesMax)
        return try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM patches ORDER BY patch DESC LIMIT ?", arguments: [limit])
                .map(Self.patch)
        }
    }

    // MARK: Publishing

    /// Makes the draft the next patch, for matches placed from now on. A draft that is what is published already
    /// changes nothing: the current patch is the answer.
    /// - Parameters:
    ///   - note: why, up to 500 characters.
    ///   - editor: a player's id, or `cli:user@host`.
    /// - Throws: `GameDataError.invalidBalance` with what keeps the draft from it; `.invalid` naming `note`.
    @discardableResult
    public func publish(note: String, by editor: String, at instant: Instant = .now) async throws -> BalanceEdit {
        try Self.validate(note: note)
        return try await database.write { db in
            let current = try Self.current(in: db)
            let document = try Self.draftDocument(in: db) ?? current.document
            guard document != current.document else { return BalanceEdit(patch: current, isNew: false) }
            guard document.faults.isEmpty else { throw GameDataError.invalidBalance(document.faults) }
            let next = Patch(
                patch: PatchVersion(current.patch.number + 1), publishedAt: instant, publishedBy: editor, note: note,
                document: document)
            try Self.insert(next, after: current, action: "balance.publish", subject: "patch \(next.patch)", in: db)
            try db.execute(sql: "DELETE FROM balance_draft")
            return BalanceEdit(patch: next, isNew: true)
        }
    }

    /// Publishes what an earlier patch was as a new patch. What was published since stays in the list, and the draft
    /// keeps its own edits. Where the current patch is just that already, nothing is written.
    /// - Throws: `GameDataError.unknownPatch`; `.invalid` naming `note`.
    @discardableResult
    public func rollBack(
        to version: PatchVersion, note: String, by editor: String, at instant: Instant = .now
    ) async throws -> BalanceEdit {
        try Self.validate(note: note)
        return try await database.write { db in
            let current = try Self.current(in: db)
            let old = try Self.known(version, in: db)
            guard old.document != current.document else { return BalanceEdit(patch: current, isNew: false) }
            let next = Patch(
                patch: PatchVersion(current.patch.number + 1), publishedAt: instant, publishedBy: editor, note: note,
                rolledBackTo: version, document: old.document)
            try Self.insert(next, after: current, action: "balance.rollback", subject: "patch \(next.patch)", in: db)
            try Self.rebaseDraft(from: current, onto: next, in: db)
            return BalanceEdit(patch: next, isNew: true)
        }
    }

    /// Publishes the current patch with one character changed, past the draft, which takes it over where it has not
    /// changed the same itself. Where the values are those it has already, nothing is written and the current patch is
    /// the answer.
    /// - Parameter editor: a player's id, or `cli:user@host`.
    /// - Throws: `GameDataError.unknownCharacter`; `.invalid` naming `health` (1 to 10,000) or `damage` (0 to 1,000).
    @discardableResult
    public func editCharacter(
        _ id: String, health: Int? = nil, damage: Int? = nil, by editor: String, at instant: Instant = .now
    ) async throws -> BalanceEdit {
        try await database.write { db in
            let current = try Self.current(in: db)
            let next = try current.edited(character: id, health: health, damage: damage, by: editor, at: instant)
            guard next.document != current.document else { return BalanceEdit(patch: current, isNew: false) }
            try Self.insert(next, after: current, action: "balance.edit", subject: "character \(id)", in: db)
            try Self.rebaseDraft(from: current, onto: next, in: db)
            return BalanceEdit(patch: next, isNew: true)
        }
    }

    private static func validate(note: String) throws(GameDataError) {
        let isVisible = note.isEmpty || BalanceReader.isVisible(note)
        guard note.count <= Patch.noteCharactersMax, isVisible else {
            throw .invalid(
                field: "note",
                detail: "expected up to \(Patch.noteCharactersMax) visible characters, got \(note.count)")
        }
    }

    // MARK: Rows

    static func currentVersion(in db: Database) throws -> PatchVersion {
        // Migration 2 wrote patch 1 and nothing deletes a patch.
        PatchVersion(try Int.fetchOne(db, sql: "SELECT MAX(patch) FROM patches") ?? 1)
    }

    static func current(in db: Database) throws -> Patch { try known(try currentVersion(in: db), in: db) }

    static func patch(_ version: PatchVersion, in db: Database) throws -> Patch? {
        try Row.fetchOne(db, sql: "SELECT * FROM patches WHERE patch = ?", arguments: [version.number]).map(patch)
    }

    private static func known(_ version: PatchVersion, in db: Database) throws -> Patch {
        guard let patch = try patch(version, in: db) else { throw GameDataError.unknownPatch(version) }
        return patch
    }

    private static func patch(_ row: Row) throws -> Patch {
        Patch(
            patch: PatchVersion(row["patch"]), publishedAt: Instant(milliseconds: row["published_at"]),
            publishedBy: row["published_by"], note: row["note"],
            rolledBackTo: (row["rolled_back_to"] as Int?).map { PatchVersion($0) },
            document: try document(of: row["document"]))
    }

    private static func insert(
        _ next: Patch, after current: Patch, action: String, subject: String, in db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO patches (patch, published_at, published_by, note, rolled_back_to, document)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                next.patch.number, next.publishedAt.milliseconds, next.publishedBy, next.note,
                next.rolledBackTo?.number, try text(of: next.document),
            ])
        let changes = BalanceChange.between(current.document, next.document)
        try ChangeLog.append(
            ChangeLog.Change(
                at: next.publishedAt.milliseconds, by: next.publishedBy, action: action, subject: subject,
                before: "patch \(current.patch)",
                after: words("patch \(next.patch)", of: next.rolledBackTo, next.note, changes)), in: db)
    }

    private static func words(
        _ patch: String, of old: PatchVersion?, _ note: String, _ changes: [BalanceChange]
    ) -> String {
        let origin = old.map { ", that is patch \($0) again" } ?? ""
        let why = note.isEmpty ? "" : " (\(note))"
        return "\(patch)\(origin)\(why): \(changes.map(\.words).joined(separator: "; "))"
    }

    static func text(of document: BalanceDocument) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    /// Of what was judged when it was written: fields that are younger than the text have what they are left out for.
    static func document(of text: String) throws -> BalanceDocument {
        try BalanceDocument(tree: try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)))
    }
}

/// The patches that were read last. A patch never changes, so that what is kept is never old.
private final class PatchCache: Sendable {
    private static let patchesMax = 16
    private let patches = Mutex<[PatchVersion: Patch]>([:])

    subscript(version: PatchVersion) -> Patch? { patches.withLock { $0[version] } }

    func keep(_ patch: Patch) {
        patches.withLock { patches in
            if patches.count >= Self.patchesMax, let oldest = patches.keys.min() { patches[oldest] = nil }
            patches[patch.patch] = patch
        }
    }

    func patch(_ version: PatchVersion, read: () throws -> Patch) rethrows -> Patch {
        if let patch = self[version] { return patch }
        let patch = try read()
        keep(patch)
        return patch
    }
}

extension Patch {
    /// A copy as the next patch would be, with one character changed.
    /// - Throws: `GameDataError.unknownCharacter`; `.invalid` naming `health` or `damage`.
    func edited(
        character id: String, health: Int?, damage: Int?, by editor: String, at instant: Instant
    ) throws(GameDataError) -> Patch {
        guard health != nil || damage != nil else {
            throw .invalid(field: "health", detail: "give health, damage or both")
        }
        if let health, !Self.healthRange.contains(health) {
            throw .invalid(field: "health", detail: "\(health) is not in 1 to 10000")
        }
        if let damage, !Self.damageRange.contains(damage) {
            throw .invalid(field: "damage", detail: "\(damage) is not in 0 to 1000")
        }
        guard let index = characters.firstIndex(where: { $0.id == id }) else { throw .unknownCharacter(id) }
        var next = Patch(
            patch: PatchVersion(patch.number + 1), publishedAt: instant, publishedBy: editor, document: document)
        if let health { next.document.characters[index].health = health }
        if let damage { next.document.characters[index].damage = damage }
        return next
    }
}
