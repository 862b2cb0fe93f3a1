import Foundation
import GRDB
import GameModel
import Records

/// The draft of the next patch: one for all developers, edited field by field, seen by no match until it is published.
extension BalanceRepository {
    /// The draft, what publishing it would change, and what keeps it from that.
    public func draft() async throws -> BalanceDraft { try await database.read { db in try Self.draft(in: db) } }

    /// Sets fields of the draft and takes things out of it: all of it, or nothing where something is not right.
    /// - Parameters:
    ///   - allowsNew: whether a thing that is not there is made.
    ///   - editor: a player's id, or `cli:user@host`.
    /// - Throws: `GameDataError.unknownThing`; `.invalidBalance` with every value that is not right. What it names and
    ///   does not have is no error yet: see `BalanceDraft.faults`.
    @discardableResult
    public func edit(
        _ assignments: [BalanceAssignment], removing paths: [BalancePath] = [], allowsNew: Bool = false,
        by editor: String, at instant: Instant = .now
    ) async throws -> BalanceDraft {
        try await database.write { db in
            let before = try Self.draft(in: db)
            var tree = BalanceTree(before.document)
            try tree.apply(assignments, removing: paths, allowsNew: allowsNew)
            return try Self.put(try tree.document(), after: before, by: editor, at: instant, in: db)
        }
    }

    /// Puts another document in the draft's place.
    @discardableResult
    public func replaceDraft(
        with document: BalanceDocument, by editor: String, at instant: Instant = .now
    ) async throws -> BalanceDraft {
        // A document made in code is judged here; one that was read has been.
        let judged = try BalanceTree(document).document()
        return try await database.write { db in
            try Self.put(judged, after: try Self.draft(in: db), by: editor, at: instant, in: db)
        }
    }

    /// Makes the draft what the current patch is.
    @discardableResult
    public func discardDraft(by editor: String, at instant: Instant = .now) async throws -> BalanceDraft {
        try await database.write { db in
            let document = try Self.current(in: db).document
            return try Self.put(document, after: try Self.draft(in: db), by: editor, at: instant, in: db)
        }
    }

    // MARK: Rows

    static func draftDocument(in db: Database) throws -> BalanceDocument? {
        try String.fetchOne(db, sql: "SELECT document FROM balance_draft").map { try document(of: $0) }
    }

    private static func draft(in db: Database) throws -> BalanceDraft {
        let current = try current(in: db)
        let row = try Row.fetchOne(db, sql: "SELECT * FROM balance_draft")
        let document = try row.map { try Self.document(of: $0["document"]) } ?? current.document
        return BalanceDraft(
            document: document, current: current.patch, editedBy: row?["edited_by"],
            editedAt: (row?["edited_at"] as Int64?).map { Instant(milliseconds: $0) },
            changes: BalanceChange.between(current.document, document), faults: document.faults)
    }

    private static func put(
        _ document: BalanceDocument, after before: BalanceDraft, by editor: String, at instant: Instant,
        in db: Database
    ) throws -> BalanceDraft {
        let edits = BalanceChange.between(before.document, document)
        guard !edits.isEmpty else { return before }
        try store(document, by: editor, at: instant, in: db)
        try ChangeLog.append(
            ChangeLog.Change(
                at: instant.milliseconds, by: editor, action: "balance.draft", subject: "balance draft",
                before: "patch \(before.current)", after: edits.map(\.words).joined(separator: "; ")), in: db)
        return try draft(in: db)
    }

    private static func store(
        _ document: BalanceDocument, by editor: String, at instant: Instant, in db: Database
    ) throws {
        let current = try current(in: db)
        guard document != current.document else {
            try db.execute(sql: "DELETE FROM balance_draft")
            return
        }
        try db.execute(
            sql: """
                INSERT INTO balance_draft (draft, patch, document, edited_by, edited_at) VALUES (1, ?, ?, ?, ?)
                ON CONFLICT (draft) DO UPDATE SET patch = excluded.patch, document = excluded.document,
                    edited_by = excluded.edited_by, edited_at = excluded.edited_at
                """,
            arguments: [current.patch.number, try text(of: document), editor, instant.milliseconds])
    }

    /// After a patch was published past the draft: what the draft did itself stays, all else is as published.
    static func rebaseDraft(from base: Patch, onto next: Patch, in db: Database) throws {
        let row = try Row.fetchOne(db, sql: "SELECT * FROM balance_draft")
        guard let row else { return }
        let draft = try document(of: row["document"])
        let rebased = try BalanceMerge.rebased(draft, from: base.document, onto: next.document)
        try store(
            rebased, by: row["edited_by"], at: Instant(milliseconds: row["edited_at"]), in: db)
    }
}
