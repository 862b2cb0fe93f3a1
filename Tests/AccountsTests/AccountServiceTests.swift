import GameModel
import Logging
import Records
import TestSupport
import Testing

@testable import Accounts

@Suite("Accounts and sessions")
struct AccountServiceTests {
    struct House {
        let service: AccountService
        let tokens: TokenIssuer
        let clock: TestClock
        let repository: AccountsRepository
    }

    private func withAccounts<T>(_ body: (House) async throws -> T) async throws -> T {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let clock = TestClock()
        let database = try RecordsDatabase.open(
            path: folder.file("accounts.sqlite"), durability: .full, schemas: [AccountsSchema.schema],
            logger: Logger(label: "test"))
        let tokens = TokenIssuer(
            keys: try SigningKeys.loadOrCreate(folder: folder.file("keys")), clock: { clock.now })
        let repository = AccountsRepository(database: database)
        let service = AccountService(
            repository: repository,
            passwords: try PasswordHasher(parameters: ScryptParameters(logN: 4, r: 1, p: 1), threads: 2),
            tokens: tokens, clock: { clock.now })
        let value = try await body(
            House(service: service, tokens: tokens, clock: clock, repository: repository))
        try database.close()
        return value
    }

    @Test("who registers can log in, and the access token is theirs")
    func registerAndLogIn() async throws {
        try await withAccounts { house in
            try await house.service.register(
                email: " Ada@Example.com", password: "correct horse", displayName: "Ada", client: .unknown)
            let session = try await house.service.logIn(
                email: "ADA@example.com ", password: "correct horse", client: .unknown)
            let account = try await house.service.account(session.playerId)
            #expect(account.email == "ada@example.com" && account.displayName == "Ada" && !account.isGuest)
            #expect(session.expiresIn == .seconds(900))
            #expect(try await house.tokens.verify(session.accessToken).playerId == account.playerId)
            #expect(
                try await house.repository.displayNames(of: [account.playerId, PlayerID("x")])
                    == [account.playerId: "Ada"])
        }
    }

    @Test("an unknown address and a wrong password get the same answer")
    func wrongCredentials() async throws {
        try await withAccounts { house in
            try await house.service.register(
                email: "ada@example.com", password: "correct horse", displayName: "Ada", client: .unknown)
            for (email, password) in [("ada@example.com", "wrong horse"), ("bob@example.com", "correct horse")] {
                await #expect(throws: AccountsError.wrongCredentials) {
                    try await house.service.logIn(email: email, password: password, client: .unknown)
                }
            }
        }
    }

    @Test("a refresh token works once and is followed by another")
    func rotation() async throws {
        try await withAccounts { house in
            var session = try await house.session()
            let player = session.playerId
            for _ in 0..<5 {
                let next = try await house.service.refresh(session.refreshToken, client: .unknown)
                #expect(next.playerId == player && next.refreshToken != session.refreshToken)
                #expect(try await house.tokens.verify(next.accessToken).playerId == player)
                session = next
            }
        }
    }

    @Test("a used refresh token that comes back ends its whole session, and no other")
    func reuse() async throws {
        try await withAccounts { house in
            let stolen = try await house.session()
            let other = try await house.service.logIn(
                email: "ada@example.com", password: "correct horse", client: .unknown)
            let current = try await house.service.refresh(stolen.refreshToken, client: .unknown)
            await #expect(throws: AccountsError.refreshTokenReused) {
                try await house.service.refresh(stolen.refreshToken, client: .unknown)
            }
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.service.refresh(current.refreshToken, client: .unknown)
            }
            _ = try await house.service.refresh(other.refreshToken, client: .unknown)
        }
    }

    @Test("of many who use one refresh token at once, one at most gets a session")
    func concurrentRefresh() async throws {
        try await withAccounts { house in
            let session = try await house.session()
            let service = house.service
            let wins = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            _ = try await service.refresh(session.refreshToken, client: .unknown)
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
        }
    }

    @Test("a refresh token is refused after 30 days, and so is one that never was")
    func refreshExpiry() async throws {
        try await withAccounts { house in
            let session = try await house.session()
            house.clock.advance(.seconds(30 * 24 * 3600))
            for token in [session.refreshToken, "nonsense", ""] {
                await #expect(throws: AccountsError.invalidRefreshToken) {
                    try await house.service.refresh(token, client: .unknown)
                }
            }
        }
    }

    @Test("logging out ends the session, but only one's own")
    func logOut() async throws {
        try await withAccounts { house in
            let session = try await house.session()
            try await house.service.logOut(session.refreshToken, player: PlayerID("another"))
            let next = try await house.service.refresh(session.refreshToken, client: .unknown)
            try await house.service.logOut(next.refreshToken, player: next.playerId)
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.service.refresh(next.refreshToken, client: .unknown)
            }
        }
    }
}

extension AccountServiceTests.House {
    /// The first session of a new account.
    func session() async throws -> Session {
        try await service.register(
            email: "ada@example.com", password: "correct horse", displayName: "Ada", client: .unknown)
        return try await service.logIn(email: "ada@example.com", password: "correct horse", client: .unknown)
    }
}
