import GRDB
import GameModel
import Logging
import Records
import TestSupport
import Testing

@testable import Accounts

@Suite("The audit of accounts, and their tables")
struct AccountsAuditTests {
    @Test("every rule holds after each kind of traffic, and was held against something")
    func holds() async throws {
        try await withAccounts { house in
            let ada = try await house.session()
            _ = try await house.service.refresh(ada.refreshToken, client: .unknown)
            _ = try await house.service.logIn(device: deviceSecret(), displayName: "Guest", client: .unknown)
            let gone = try await house.session("gone@example.com")
            try await house.service.delete(gone.playerId, password: AccountsHouse.password)
            let locked = try await house.session("locked@example.com")
            _ = try await house.service.lock(locked.playerId, reason: "cheating", by: "test")
            let findings = try await AccountsAudit(repository: house.repository).run()
            #expect(findings.count == 6)
            for finding in findings { #expect(finding.holds && finding.checked > 0, "\(finding)") }
        }
    }

    @Test(
        "each rule fails where its books are broken, and names what is wrong",
        arguments: [
            ("neither locked nor deleted", "UPDATE accounts SET locked_reason = 'x' WHERE email = 'ada@example.com'"),
            (
                "not used, its last",
                "INSERT INTO refresh_tokens SELECT 'x', session_id, 9, issued_at, NULL FROM refresh_tokens"
            ),
            ("not used, its last", "UPDATE refresh_tokens SET used_at = 1"),
            (
                "no e-mail address",
                """
                INSERT INTO devices SELECT 'x', player_id, 1, 1 FROM accounts WHERE deleted_at IS NOT NULL
                """
            ),
            ("can be logged in to", "UPDATE accounts SET email = NULL, password_hash = NULL WHERE email LIKE 'ada%'"),
            ("role of services", "UPDATE accounts SET role = 'instance'"),
        ])
    func fails(rule: String, breaking: String) async throws {
        try await withAccounts { house in
            _ = try await house.session()
            let gone = try await house.session("gone@example.com")
            try await house.service.delete(gone.playerId, password: AccountsHouse.password)
            try await house.database.write { db in try db.execute(sql: breaking) }
            let findings = try await AccountsAudit(repository: house.repository).run()
            let broken = try #require(findings.first { $0.rule.contains(rule) })
            #expect(!broken.holds && !broken.examples.isEmpty)
        }
    }

    @Test("a file of the first release keeps its accounts, passwords and sessions")
    func migration() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let hash = try PasswordHash(
            password: Array(AccountsHouse.password.utf8), parameters: ScryptParameters(logN: 4, r: 1, p: 1))
        let first = RecordsSchema(name: "accounts", migrations: [AccountsSchema.schema.migrations[0]])
        let path = folder.file("accounts.sqlite")
        let old = try RecordsDatabase.open(
            path: path, durability: .full, schemas: [first], logger: .init(label: "test"))
        let clock = TestClock()
        let now = clock.now.milliseconds
        try await old.write { db in
            try db.execute(
                sql: "INSERT INTO accounts VALUES ('p', 'ada@example.com', 'Ada', ?, 'developer', 7)",
                arguments: [hash.description])
            for (token, family, used) in [("a", "f", 1), ("b", "f", nil), ("c", "g", nil)] as [(String, String, Int?)] {
                try db.execute(
                    sql: "INSERT INTO refresh_sessions VALUES (?, ?, 'p', ?, ?, ?)",
                    arguments: [Secret.digest(token), family, now, now + 1000, used])
            }
        }
        try old.close()

        let database = try RecordsDatabase.open(
            path: path, durability: .full, schemas: AccountsSchema.schemas, logger: .init(label: "test"))
        let service = AccountService(
            repository: AccountsRepository(database: database),
            passwords: try PasswordHasher(parameters: hash.parameters, threads: 1),
            tokens: TokenIssuer(ring: try KeyRing(folder: folder.file("keys"))), clock: { clock.now })
        let account = try await service.account(PlayerID("p"))
        #expect(account.email == "ada@example.com" && account.role == .developer)
        #expect(account.createdAt == Instant(milliseconds: 7))
        #expect(Set(try await service.sessions(of: account.playerId).map(\.id.rawValue)) == ["f", "g"])
        _ = try await service.refresh("b", client: .unknown)
        await #expect(throws: AccountsError.refreshTokenReused) { try await service.refresh("a", client: .unknown) }
        _ = try await service.refresh("c", client: .unknown)
        _ = try await service.logIn(email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
        let findings = try await AccountsAudit(repository: AccountsRepository(database: database)).run()
        for finding in findings { #expect(finding.holds, "\(finding)") }
        try database.close()
    }
}

extension AccountsHouse {
    /// Everything in a table, as text.
    static func dump(_ table: String, in db: Database) throws -> String {
        try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\($0)" }.joined(separator: "\n")
    }
}
