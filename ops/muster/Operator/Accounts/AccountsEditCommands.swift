import Accounts
import ArgumentParser
import GameModel

/// `muster accounts role`.
struct AccountsRoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role",
        abstract: "Make an account a player's, a developer's or an operator's.",
        discussion: """
            Holds from the next token on: access tokens that are out keep the old role for up to 15 minutes.

            Example:
              muster accounts role ada@example.com developer
            """)

    @OptionGroup var access: AccountsAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Argument(help: "player, developer or operator.") var role: String

    func validate() throws {
        guard let role = Role(rawValue: role), !role.isService else {
            throw ValidationError("The role is player, developer or operator, not '\(role)'.")
        }
    }

    func run() async throws {
        guard let role = Role(rawValue: role) else { throw ValidationError("The role is not right.") }
        let changed = try await access.with { desk in
            let found = try await desk.accounts.account(named: account)
            if found.role != role {
                try confirmation.require(
                    "Make \(AccountText.name(found)) \(role.rawValue), now \(found.role.rawValue)?")
            }
            return try await desk.accounts.setRole(role, of: found.playerId, by: AccountsAccess.editor)
        }
        print("\(AccountText.name(changed)) has the role \(changed.role.rawValue)")
    }
}

/// `muster accounts lock`.
struct AccountsLockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "End an account's sessions and refuse its log-ins until it is unlocked.",
        discussion: """
            The reason is shown to the account's owner. Access tokens that are out stay good for up to 15 minutes.

            Example:
              muster accounts lock ada@example.com --reason "stolen card"
            """)

    @OptionGroup var access: AccountsAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Option(help: "Why, 1 to 200 characters.") var reason: String

    func run() async throws {
        let locked = try await access.with { desk in
            let found = try await desk.accounts.account(named: account)
            try confirmation.require("Lock \(AccountText.name(found)) and end its sessions?")
            return try await desk.accounts.lock(found.playerId, reason: reason, by: AccountsAccess.editor)
        }
        print("\(AccountText.name(locked)) is locked: \(reason)")
    }
}

/// `muster accounts unlock`.
struct AccountsUnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Let an account log in again.",
        discussion: """
            Example:
              muster accounts unlock ada@example.com
            """)

    @OptionGroup var access: AccountsAccess
    @Argument(help: "The player's id or e-mail address.") var account: String

    func run() async throws {
        let unlocked = try await access.with { desk in
            try await desk.accounts.unlock(
                try await desk.accounts.account(named: account).playerId, by: AccountsAccess.editor)
        }
        print("\(AccountText.name(unlocked)) may log in")
    }
}

/// `muster accounts end`.
struct AccountsEndCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End one session of an account, or all of them.",
        discussion: """
            Access tokens that are out stay good for up to 15 minutes. With --all, an account with a password also \
            forgets its devices; a guest keeps theirs, the only way in.

            Example:
              muster accounts end ada@example.com 01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster accounts end ada@example.com --all
            """)

    @OptionGroup var access: AccountsAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Argument(help: "The session, as 'muster accounts sessions' lists it.") var session: String?
    @Flag(help: "All sessions.") var all = false

    func validate() throws {
        guard (session != nil) != all else { throw ValidationError("Name a session, or give --all.") }
    }

    func run() async throws {
        let (owner, count) = try await access.with { desk in
            let found = try await desk.accounts.account(named: account)
            let open = try await desk.accounts.sessions(of: found.playerId)
            let ending = all ? open : open.filter { $0.id.rawValue == session }
            // All of them takes devices along, also where no session is open.
            guard !ending.isEmpty || (all && !found.isGuest && found.deletedAt == nil) else {
                throw CommandFailure(
                    all ? "No session is open." : "The account has no open session \(session ?? "").",
                    nextStep: "See which there are: muster accounts sessions \(found.playerId).")
            }
            try confirmation.require("End \(ending.count) of \(open.count) sessions of \(AccountText.name(found))?")
            if all { return (found, try await desk.accounts.endAll(of: found.playerId, by: AccountsAccess.editor)) }
            for session in ending {
                try await desk.accounts.end(session.id, of: found.playerId, by: AccountsAccess.editor)
            }
            return (found, ending.count)
        }
        print("\(count) sessions of \(AccountText.name(owner)) were ended")
    }
}
