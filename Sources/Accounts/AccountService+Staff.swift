import Foundation
import GameModel

/// What operators do with accounts. Each edit is written to the log of changes, in its transaction.
extension AccountService {
    /// Most accounts in one answer.
    public static let accountsMax = 1000

    /// Accounts whose id, e-mail address or name hold the text, newest first; empty text: all. Deleted ones too.
    public func accounts(matching text: String, limit: Int) async throws(AccountsError) -> [Account] {
        try await repository.accounts(matching: text, limit: min(max(limit, 0), Self.accountsMax))
    }

    /// The account with this id or e-mail address, as an operator types it; a deleted one too, by its id.
    ///
    /// Throws ``AccountsError/unknownAccount``.
    public func account(named text: String) async throws(AccountsError) -> Account {
        if let player = PlayerID(rawValue: text), let account = try await repository.account(player) { return account }
        let email = text.precomposedStringWithCanonicalMapping.lowercased()
        guard let found = try await repository.credentials(email: email) else { throw .unknownAccount }
        return found.account
    }

    /// Changes what an account may do; tokens that are out keep the old role until they expire.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)`` for a role of services, and
    /// ``AccountsError/unknownAccount``.
    public func setRole(_ role: Role, of player: PlayerID, by editor: String) async throws(AccountsError) -> Account {
        guard !role.isService else {
            let right = Role.ofPeople.map(\.rawValue).joined(separator: ", ")
            throw .invalidField(name: "role", reason: "an account takes \(right), not '\(role.rawValue)'")
        }
        let account = try await repository.setRole(role, of: player, by: editor, at: clock())
        guard let account else { throw .unknownAccount }
        return account
    }

    /// Ends all sessions and refuses log-ins until it is unlocked.
    ///
    /// - Parameter reason: 1 to 200 characters, shown to the account's owner.
    public func lock(_ player: PlayerID, reason: String, by editor: String) async throws(AccountsError) -> Account {
        guard AccountRules.lockReasonCharacters.contains(reason.count) else {
            throw .invalidField(name: "reason", reason: "expected 1 to 200 characters, got \(reason.count)")
        }
        let account = try await repository.setLock(reason, of: player, by: editor, at: clock())
        guard let account else { throw .unknownAccount }
        return account
    }

    /// Lets an account log in again. Throws ``AccountsError/unknownAccount``.
    public func unlock(_ player: PlayerID, by editor: String) async throws(AccountsError) -> Account {
        let account = try await repository.setLock(nil, of: player, by: editor, at: clock())
        guard let account else { throw .unknownAccount }
        return account
    }

    /// Deletes a person's data on their behalf, as ``delete(_:password:client:)`` does. Throws
    /// ``AccountsError/unknownAccount``.
    public func delete(_ player: PlayerID, by editor: String) async throws(AccountsError) {
        guard try await repository.erase(player, by: editor, at: clock()) else { throw .unknownAccount }
    }
}
