import Foundation
import GRDB

/// Who changed what by hand: one row per edit, written in the transaction of the edit itself. Append-only.
public enum ChangeLog {
    /// One edit.
    public struct Change: Sendable, Hashable, Codable {
        /// The order of writing; 0 before it is stored.
        public let sequence: Int64
        /// Unix ms.
        public let at: Int64
        /// A player's id, or `cli:user@host`.
        public let by: String
        /// `product.save`, `catalog.publish`, `order.refund`, `account.role`.
        public let action: String
        /// What was changed: `product skin-ember-knight`.
        public let subject: String
        /// As JSON, or in words; `nil` where there was nothing. Never holds a secret.
        public let before: String?
        public let after: String?

        public init(
            at: Int64, by: String, action: String, subject: String, before: String? = nil, after: String? = nil,
            sequence: Int64 = 0
        ) {
            self.sequence = sequence
            self.at = at
            self.by = by
            self.action = action
            self.subject = subject
            self.before = before
            self.after = after
        }
    }

    public static let schema = RecordsSchema(
        name: "changes",
        migrations: [
            (
                id: "1-changes",
                body: { db in
                    try db.execute(
                        sql: """
                            CREATE TABLE changes (
                                seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                                at_ms BIGINT NOT NULL,
                                editor TEXT NOT NULL,
                                action TEXT NOT NULL,
                                subject TEXT NOT NULL,
                                before_text TEXT,
                                after_text TEXT
                            );
                            CREATE INDEX changes_by_subject ON changes (subject, seq);
                            """)
                }
            )
        ])

    /// Writes an edit down, in the transaction that makes it.
    public static func append(_ change: Change, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO changes (at_ms, editor, action, subject, before_text, after_text)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [change.at, change.by, change.action, change.subject, change.before, change.after])
    }

    /// Edits, newest first.
    ///
    /// - Parameters:
    ///   - subject: only edits of this; `nil`: of anything.
    ///   - kinds: only edits of subjects that begin with one of these words: `product`; `nil`: of any.
    ///   - before: only those written before this one; `nil`: the newest.
    public static func changes(
        subject: String? = nil, kinds: [String]? = nil, before: Int64? = nil, limit: Int, in db: Database
    ) throws -> [Change] {
        let ofKind = kinds.map { kinds in
            "AND SUBSTR(subject, 1, INSTR(subject || ' ', ' ') - 1) IN (\(databaseQuestionMarks(count: kinds.count)))"
        }
        return try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM changes WHERE (? IS NULL OR subject = ?) AND (? IS NULL OR seq < ?) \(ofKind ?? "")
                ORDER BY seq DESC LIMIT ?
                """,
            arguments: [subject, subject, before, before] + StatementArguments(kinds ?? []) + [limit]
        ).map { row in
            Change(
                at: row["at_ms"], by: row["editor"], action: row["action"], subject: row["subject"],
                before: row["before_text"], after: row["after_text"], sequence: row["seq"])
        }
    }
}
