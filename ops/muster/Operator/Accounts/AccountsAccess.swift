import API
import APIWorker
import Accounts
import ArgumentParser
import Foundation
import GameData
import GameModel
import Logging
import Records
import Store

/// The accounts of a data folder, and what else is known of their people, as the commands see them.
struct AccountsDesk: Sendable {
    let accounts: AccountService
    let personal: PersonalData
}

/// How the commands about accounts get at the data folder.
struct AccountsAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    /// Who edits, for the change log: `cli:ada@build-1`.
    static var editor: String { "cli:\(NSUserName())@\(ProcessInfo.processInfo.hostName)" }

    /// Runs the body on the accounts of the data folder; a folder without its files is refused, not filled with empty
    /// ones. What the accounts refuse becomes the command's failure.
    func with<Value>(_ body: (AccountsDesk) async throws -> Value) async throws -> Value {
        let folder = shared.dataFolder
        try Books.requireFiles(in: folder)
        let quiet = Logger(label: "accounts", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas, logger: quiet)
        let data = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: quiet)
        let value: Result<Value, any Error>
        do {
            let accounts = AccountService(
                repository: AccountsRepository(database: database), passwords: try PasswordHasher(threads: 1),
                tokens: TokenIssuer(ring: try KeyRing(folder: "\(folder)/keys", isMaking: false)))
            value = .success(
                try await body(
                    AccountsDesk(
                        accounts: accounts,
                        personal: PersonalData(
                            accounts: accounts, store: StoreService(repository: StoreRepository(database: database)),
                            players: PlayersRepository(database: data),
                            matches: MatchesRepository(database: data)))))
        } catch {
            value = .failure(error)
        }
        try database.close()
        try data.close()
        do {
            return try value.get()
        } catch let error as AccountsError {
            throw CommandFailure(error)
        }
    }
}

extension CommandFailure {
    /// What the accounts refused, and what to do about it.
    init(_ error: AccountsError) {
        let next =
            switch error {
            case .unknownAccount: "Give a player's id or an e-mail address: muster accounts ls TEXT finds them."
            case .unavailable: "Try again; another process may be writing."
            case .corrupt:
                "Look at the folder of the keys: the first 'muster api' or 'muster up' on the data folder makes it."
            default: "See the command's --help."
            }
        self.init("\(error)".prefix(1).uppercased() + "\(error)".dropFirst() + ".", nextStep: next)
    }
}

/// Accounts as the commands print them.
enum AccountText {
    static func table(_ accounts: [Account]) -> String {
        var table = TextTable(["player", "e-mail", "name", "role", "state", "created"])
        for account in accounts {
            table.add([
                account.playerId.rawValue, account.email ?? "—", account.displayName, account.role.rawValue,
                state(account), account.createdAt.description,
            ])
        }
        return table.text
    }

    static func state(_ account: Account) -> String {
        if let deletedAt = account.deletedAt { return "deleted \(deletedAt)" }
        if let reason = account.lockedReason { return "locked: \(reason)" }
        return account.isGuest ? "guest" : "open"
    }

    static func table(_ sessions: [OpenSession]) -> String {
        var table = TextTable(["session", "opened", "last used", "ends", "address", "agent"])
        for session in sessions {
            table.add([
                session.id.rawValue, session.createdAt.description, session.lastUsedAt.description,
                session.expiresAt.description, session.address.isEmpty ? "—" : session.address, session.agent ?? "—",
            ])
        }
        return table.text
    }

    /// A name for questions: `Ada (01K…, ada@example.com)`.
    static func name(_ account: Account) -> String {
        "\(account.displayName) (\(account.playerId)\(account.email.map { ", \($0)" } ?? ""))"
    }
}
