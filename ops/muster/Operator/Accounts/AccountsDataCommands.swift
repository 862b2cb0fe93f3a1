import API
import Accounts
import ArgumentParser

/// `muster accounts export`.
struct AccountsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print everything held about a person as JSON, for that person.",
        discussion: """
            The same as GET /v1/accounts/me/export: account, sessions, devices, edits, orders, entitlements and \
            wallet with their newest 500 events, standing and matches. Never a secret: no hash of a password, no \
            means of payment.

            Example:
              muster accounts export ada@example.com > ada.json
            """)

    @OptionGroup var access: AccountsAccess
    @Argument(help: "The player's id or e-mail address.") var account: String
    @Flag(help: "Print JSON, which is all that it does.") var json = false

    func run() async throws {
        let export = try await access.with { desk in
            try await desk.personal.export(of: try await desk.accounts.account(named: account).playerId)
        }
        try JobJSON.print(export)
    }
}

/// `muster accounts delete`.
struct AccountsDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a person's data: e-mail address, name, password, devices, sessions.",
        discussion: """
            Cannot be undone. Orders, matches and the player's id stay, without the person. A deletion that was cut \
            short is carried through by asking again.

            Example:
              muster accounts delete ada@example.com
            """)

    @OptionGroup var access: AccountsAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The player's id or e-mail address.") var account: String

    func run() async throws {
        let player = try await access.with { desk in
            let found = try await desk.accounts.account(named: account)
            if found.deletedAt == nil {
                try confirmation.require("Delete the data of \(AccountText.name(found)) for good?")
            }
            try await desk.personal.delete(found.playerId, by: AccountsAccess.editor)
            return found.playerId
        }
        print("the data of \(player) are deleted")
    }
}
