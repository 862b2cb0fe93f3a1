import APIWorker
import Accounts
import ArgumentParser
import Foundation
import GameModel
import Logging
import Records
import Store

/// The store of a data folder, as its commands see it.
struct StoreDesk: Sendable {
    let service: StoreService
    let repository: StoreRepository
    let changes: ChangeLogRepository
    let accounts: AccountsRepository

    /// A player who exists: a slip of the pen is not to give anything to nobody.
    func player(_ text: String) async throws -> PlayerID {
        guard let player = PlayerID(rawValue: text), try await !accounts.displayNames(of: [player]).isEmpty else {
            throw CommandFailure(
                "There is no account \(text).", nextStep: "Give the player's id, as in 'muster store orders ls'.")
        }
        return player
    }

    /// A player who can be given something: nobody is left to have what a deleted account is given.
    func recipient(_ text: String) async throws -> PlayerID {
        let player = try await player(text)
        guard try await accounts.account(player)?.deletedAt == nil else {
            throw CommandFailure(
                "The account \(player) is deleted.",
                nextStep: "Give the id of a player who is there: muster accounts ls.")
        }
        return player
    }
}

/// How the store's commands get at the data folder.
struct StoreAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    /// Who edits, for the change log: `cli:ada@build-1`.
    static var editor: String { "cli:\(NSUserName())@\(ProcessInfo.processInfo.hostName)" }

    /// Runs the body on the store of the data folder; a folder without its file is refused, not filled with an empty
    /// one. What the store refuses becomes the command's failure.
    func with<Value>(_ body: (StoreDesk) async throws -> Value) async throws -> Value {
        let folder = shared.dataFolder
        guard FileManager.default.fileExists(atPath: "\(folder)/accounts.sqlite") else {
            throw CommandFailure(
                "There is no accounts.sqlite in \(folder).", nextStep: "Name the data folder: --data FOLDER.")
        }
        let quiet = Logger(label: "store", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas, logger: quiet)
        let repository = StoreRepository(database: database)
        let desk = StoreDesk(
            service: StoreService(repository: repository), repository: repository,
            changes: ChangeLogRepository(database: database), accounts: AccountsRepository(database: database))
        let value: Value
        do {
            value = try await body(desk)
        } catch {
            try database.close()
            guard let error = error as? StoreError else { throw error }
            throw CommandFailure(error)
        }
        try database.close()
        return value
    }
}

extension CommandFailure {
    /// What the store refused, and what to do about it.
    init(_ error: StoreError) {
        let next =
            switch error {
            case .unknownProduct: "See which there are: muster store products ls."
            case .unknownPromotion: "See which there are: muster store promotions ls."
            case .unknownVersion: "See which there are: muster store versions ls."
            case .unknownOrder: "See which there are: muster store orders ls."
            case .unknownPicture: "Add it first: muster store pictures add FILE."
            case .orderState(let order, _, _): "Look at it: muster store orders show \(order)."
            case .invalidDraft: "Mend what is named, and look again: muster store draft."
            case .unavailable: "Try again; another process may be writing."
            default: "See the command's --help."
            }
        let message =
            switch error {
            case .invalidDraft(let problems):
                "The draft can't be published:" + problems.map { "\n  \($0)" }.joined()
            // Begins with the path of the field, which stays as it is written.
            case .invalidField: "\(error)."
            default: "\(error)".prefix(1).uppercased() + "\(error)".dropFirst() + "."
            }
        self.init(message, nextStep: next)
    }
}
