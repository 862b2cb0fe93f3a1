import GameModel
import Records

/// Everything that the accounts hold about one person, for that person.
public struct AccountExport: Sendable, Codable {
    /// A device that logs in without a password. Its secret is not kept, so it can't be shown.
    public struct Device: Sendable, Hashable, Codable {
        public let createdAt: Instant
        public let lastUsedAt: Instant
    }

    public let account: Account
    public let sessions: [OpenSession]
    public let devices: [Device]
    /// What staff and the person changed about the account, newest first.
    public let changes: [ChangeLog.Change]
}
