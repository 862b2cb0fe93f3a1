import GRDB
import GameModel
import Logging
import Records
import Synchronization
import TestSupport

@testable import Accounts

/// A clock that the test moves.
final class TestClock: Sendable {
    private let time = Mutex(Instant(milliseconds: 1_900_000_000_000))
    var now: Instant { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Accounts in a file of their own, with a clock that the test moves and passwords that cost next to nothing.
struct AccountsHouse: Sendable {
    static let password = "correct horse"

    let service: AccountService
    let tokens: TokenIssuer
    let clock: TestClock
    let repository: AccountsRepository
    let database: RecordsDatabase
    let passwords: PasswordHasher

    /// Registers and logs in.
    func session(
        _ email: String = "ada@example.com", name: String = "Ada", client: ClientDetails = .unknown
    ) async throws -> Session {
        try await service.register(email: email, password: Self.password, displayName: name, client: client)
        return try await service.logIn(email: email, password: Self.password, client: client)
    }

    /// How a log-in ended; `nil`: well.
    func outcome(
        _ email: String, _ password: String = AccountsHouse.password, client: ClientDetails = .unknown
    ) async -> AccountsError? {
        do {
            _ = try await service.logIn(email: email, password: password, client: client)
            return nil
        } catch {
            return error
        }
    }

    func count(_ sql: String) async throws -> Int {
        try await database.read { db in try Int.fetchOne(db, sql: sql) ?? 0 }
    }

    /// How many passwords were hashed meanwhile.
    func derivations(_ body: () async throws -> Void) async rethrows -> Int {
        let before = passwords.derivations.load(ordering: .relaxed)
        try await body()
        return passwords.derivations.load(ordering: .relaxed) - before
    }
}

/// A secret as a device would make it.
func deviceSecret(_ number: Int = 1) -> String {
    let digits = String(number, radix: 16)
    return "9f86d081884c7d65" + String(repeating: "0", count: 16 - digits.count) + digits
}

func withAccounts<T>(
    limits: AccountLimits = AccountLimits(), parameters: ScryptParameters = ScryptParameters(logN: 4, r: 1, p: 1),
    _ body: (AccountsHouse) async throws -> T
) async throws -> T {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let clock = TestClock()
    let ring = try KeyRing(folder: folder.file("keys"), clock: { clock.now })
    return try await withRecords(schemas: AccountsSchema.schemas) { database in
        let tokens = TokenIssuer(ring: ring, clock: { clock.now })
        let repository = AccountsRepository(database: database)
        let passwords = try PasswordHasher(parameters: parameters, threads: 2)
        let service = AccountService(
            repository: repository, passwords: passwords, tokens: tokens, limits: limits, clock: { clock.now })
        return try await body(
            AccountsHouse(
                service: service, tokens: tokens, clock: clock, repository: repository, database: database,
                passwords: passwords))
    }
}
