import APIWorker
import Accounts
import Foundation
import GameData
import GameModel
import Logging
import Records
import TestSupport
import Testing

/// `muster accounts` and `muster keys` as an operator runs them, on a data folder without anything running.
@Suite struct AccountsCommandTests {
    private struct House {
        let folder: TemporaryFolder
        let accounts: AccountService
        let tokens: TokenIssuer

        func muster(_ words: String...) async throws -> MusterUp.Ending {
            try await MusterUp.run(words + ["--data", folder.path])
        }

        func player(_ name: String) async throws -> Session {
            let email = "\(name)@example.com"
            try await accounts.register(email: email, password: "correct horse", displayName: name, client: .unknown)
            return try await accounts.logIn(email: email, password: "correct horse", client: .unknown)
        }
    }

    private func withHouse(_ body: (House) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let data = try RecordsDatabase.open(
            path: folder.file("data.sqlite"), durability: .normal, schemas: GameDataSchema.schemas, logger: quiet)
        try data.close()
        let database = try RecordsDatabase.open(
            path: folder.file("accounts.sqlite"), durability: .normal, schemas: AccountsFile.schemas, logger: quiet)
        let tokens = TokenIssuer(ring: try KeyRing(folder: folder.file("keys")))
        try await body(
            House(
                folder: folder,
                accounts: AccountService(
                    repository: AccountsRepository(database: database),
                    passwords: try PasswordHasher(parameters: ScryptParameters(logN: 4, r: 1, p: 1), threads: 1),
                    tokens: tokens), tokens: tokens))
        try database.close()
    }

    @Test("accounts are found and shown; who is given a role has it, and nobody is asked where nobody can answer")
    func findAndEdit() async throws {
        struct List: Decodable { let accounts: [Account] }
        try await withHouse { house in
            let ada = try await house.player("ada")
            _ = try await house.player("eve")
            let list = try await house.muster("accounts", "ls", "ada@", "--json")
            try #require(list.status == 0, "\(list.errors)")
            let found = try JSONDecoder().decode(List.self, from: Data(list.output.utf8)).accounts
            #expect(found.map(\.playerId) == [ada.playerId])

            let unasked = try await house.muster("accounts", "role", "ADA@example.com", "developer")
            #expect(unasked.status == 1 && unasked.errors.contains("--yes"))
            #expect(try await house.accounts.account(ada.playerId).role == .player)
            let role = try await house.muster("accounts", "role", "ADA@example.com", "developer", "--yes")
            #expect(role.status == 0, "\(role.errors)")
            #expect(try await house.accounts.account(ada.playerId).role == .developer)
            let shown = try await house.muster("accounts", "show", ada.playerId.rawValue)
            #expect(shown.output.contains("account.role") && shown.output.contains("cli:"))
            for (words, wrong) in [
                (["role", "ada@example.com", "worker"], "worker"), (["show", "ad"], "muster accounts ls"),
            ] {
                let refused = try await MusterUp.run(["accounts"] + words + ["--data", house.folder.path])
                #expect(refused.status != 0 && refused.errors.contains(wrong), "\(refused.errors)")
            }
        }
    }

    @Test("a lock and an end of sessions hold at once; an export has no secret, and a deletion leaves no name")
    func sessionsAndData() async throws {
        try await withHouse { house in
            let ada = try await house.player("ada")
            let sessions = try await house.muster("accounts", "sessions", "ada@example.com")
            #expect(sessions.output.contains(ada.sessionId.rawValue))
            let ended = try await house.muster("accounts", "end", "ada@example.com", ada.sessionId.rawValue, "--yes")
            #expect(ended.output.contains("1 sessions of ada"), "\(ended.errors)")
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.accounts.refresh(ada.refreshToken, client: .unknown)
            }
            let locked = try await house.muster("accounts", "lock", ada.playerId.rawValue, "--reason", "fraud", "--yes")
            #expect(locked.status == 0, "\(locked.errors)")
            await #expect(throws: AccountsError.locked(reason: "fraud")) {
                try await house.accounts.logIn(email: "ada@example.com", password: "correct horse", client: .unknown)
            }
            #expect(try await house.muster("accounts", "unlock", "ada@example.com").status == 0)
            _ = try await house.accounts.logIn(email: "ada@example.com", password: "correct horse", client: .unknown)

            let export = try await house.muster("accounts", "export", "ada@example.com")
            #expect(export.output.contains("\"orders\"") && export.output.contains("ada@example.com"))
            #expect(!export.output.contains("scrypt"))
            let deleted = try await house.muster("accounts", "delete", "ada@example.com", "--yes")
            #expect(deleted.status == 0, "\(deleted.errors)")
            let left = try await house.muster("accounts", "ls")
            #expect(left.output.contains(ada.playerId.rawValue) && !left.output.contains("ada@"))
            let audit = try await house.accounts.accounts(matching: "", limit: 10)
            #expect(audit.map(\.displayName) == [Account.deletedName])
        }
    }

    @Test("a key that is rotated in is published, a key with tokens stays, and a folder without keys gets none")
    func keys() async throws {
        struct List: Decodable { let keys: [SigningKeyState] }
        try await withHouse { house in
            let rotated = try await house.muster("keys", "rotate")
            #expect(rotated.output.contains("key 2") && rotated.output.contains("is published"), "\(rotated.errors)")
            let list = try await house.muster("keys", "ls", "--json")
            let keys = try JSONDecoder().decode(List.self, from: Data(list.output.utf8)).keys
            #expect(keys.map(\.state) == [.published, .signing])
            let retired = try await house.muster("keys", "retire", "--yes")
            #expect(retired.output.contains("key 1") && retired.output.contains("it signs"), "\(retired.errors)")
            let revoked = try await house.muster("keys", "revoke", "1", "--yes")
            #expect(revoked.output.contains("key 1 is revoked; key 3"), "\(revoked.errors)")
            let none = try await house.muster("keys", "revoke", "7", "--yes")
            #expect(none.status == 1 && none.errors.contains("expected one of 3, 2, got 7"), "\(none.errors)")
            let nowhere = try await MusterUp.run(["keys", "rotate", "--data", house.folder.file("nowhere")])
            #expect(nowhere.status != 0 && nowhere.errors.contains("no signing keys"))
            #expect(!FileManager.default.fileExists(atPath: house.folder.file("nowhere")))
        }
    }
}
