import Accounts
import ArgumentParser
import Foundation
import Records

/// `muster accounts`: who plays, and who may do what.
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts",
        abstract: "Find accounts, give roles, lock, end sessions, export and delete.",
        discussion: """
            Works on the data folder, beside a running API. Every edit is in the log of changes.

            Example:
              muster accounts ls ada@
              muster accounts role ada@example.com developer
              muster accounts lock 01K0Z7QK3T8V5M2B9X4C6D1E0F --reason "stolen card"
            """,
        subcommands: [
            AccountsListCommand.self, AccountsShowCommand.self, AccountsRoleCommand.self, AccountsLockCommand.self,
            AccountsUnlockCommand.self, AccountsSessionsCommand.self, AccountsEndCommand.self,
            AccountsExportCommand.self, AccountsDeleteCommand.self,
        ])
}

/// `muster accounts ls`.
struct AccountsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List accounts whose id, e-mail address or name hold a text, newest first.",
        discussion: """
            Example:
              muster accounts ls
              muster accounts ls ada@ --json | jq -r '.accounts[].playerId'
            """)

    @OptionGroup var access: AccountsAccess
    @Argument(help: "What to look for; nothing: the newest.") var text = ""
    @Option(help: "At most so many, 1 to \(AccountService.accountsMax).") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...AccountService.accountsMax).contains(limit) else {
            throw ValidationError("--limit takes 1 to \(AccountService.accountsMax), not \(limit).")
        }
    }

    func run() async throws {
        let accounts = try await access.with { try await $0.accounts.accounts(matching: text, limit: limit) }
        if json { return try JobJSON.print(["accounts": accounts]) }
        if accounts.isEmpty { FileHandle.note(text.isEmpty ? "there is no account yet" : "no account holds '\(text)'") }
        print(AccountText.table(accounts))
    }
}

/// `muster accounts show`.
struct AccountsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an account with its sessions, devices and the edits made to it.",
        discussion: """
            Example:
              muster accounts show ada@example.com
              muster accounts show 01K0Z7QK3T8V5M2B9X4C6D1E0F --json
            """)

    @OptionGroup var access: AccountsAccess
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let (found, export) = try await access.with { desk in
            let found = try await desk.accounts.account(named: account)
            // Of a deleted account nothing else is left.
            return (
                found, found.deletedAt == nil ? try await desk.accounts.export(found.playerId) : nil
            )
        }
        if json {
            if let export { return try JobJSON.print(export) }
            return try JobJSON.print(["account": found])
        }
        print(AccountText.table([found]))
        guard let export else { return }
        let devices = export.devices.map { "last used \($0.lastUsedAt)" }.joined(separator: ", ")
        print("\ndevices: \(devices.isEmpty ? "none" : devices)")
        if !export.sessions.isEmpty { print("\n\(AccountText.table(export.sessions))") }
        if !export.changes.isEmpty {
            var table = TextTable(["when", "by", "what", "before", "after"])
            for change in export.changes {
                table.add([
                    Date(timeIntervalSince1970: Double(change.at) / 1000).formatted(.iso8601), change.by,
                    change.action, change.before ?? "—", change.after ?? "—",
                ])
            }
            print("\n\(table.text)")
        }
    }
}

/// `muster accounts sessions`.
struct AccountsSessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List an account's open sessions, the last used first.",
        discussion: """
            Example:
              muster accounts sessions ada@example.com
            """)

    @OptionGroup var access: AccountsAccess
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let sessions = try await access.with { desk in
            try await desk.accounts.sessions(of: try await desk.accounts.account(named: account).playerId)
        }
        if json { return try JobJSON.print(["sessions": sessions]) }
        if sessions.isEmpty { FileHandle.note("no session is open") }
        print(AccountText.table(sessions))
    }
}
