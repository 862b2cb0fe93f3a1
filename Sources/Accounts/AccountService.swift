import Crypto
import Foundation
import GameModel

/// Registers people, logs them in and keeps their sessions going.
///
/// Promises: one account per mailbox; a wrong password and an unknown address get the same answer for the same work; a
/// refresh token works once, and one that comes back a second time ends the session it was stolen from.
public struct AccountService: Sendable {
    public static let refreshLifetime: Duration = .seconds(30 * 24 * 3600)
    /// How long an access token lasts unless the process is configured otherwise.
    public static let accessLifetime: Duration = .seconds(15 * 60)

    private let repository: AccountsRepository
    private let passwords: PasswordHasher
    private let tokens: TokenIssuer
    private let limits: AccountLimits
    private let accessLifetime: Duration
    private let clock: @Sendable () -> Instant

    public init(
        repository: AccountsRepository, passwords: PasswordHasher, tokens: TokenIssuer,
        limits: AccountLimits = AccountLimits(), accessLifetime: Duration = Self.accessLifetime,
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.passwords = passwords
        self.tokens = tokens
        self.limits = limits
        self.accessLifetime = accessLifetime
        self.clock = clock
    }

    /// Makes an account for a player, unless the e-mail address has one; the answer and the work are the same.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)``, ``AccountsError/tooManyAttempts(retryAfter:)`` or
    /// ``AccountsError/overloaded``.
    public func register(
        email: String, password: String, displayName: String, client: ClientDetails
    ) async throws(AccountsError) {
        let account = Account(
            playerId: PlayerID(ULID().description), email: try AccountRules.email(email),
            displayName: try AccountRules.displayName(displayName), role: .player, createdAt: clock())
        let hash = try await passwords.hash(try AccountRules.password(password))
        _ = try await repository.insert(account, passwordHash: hash)
    }

    /// Opens a session.
    ///
    /// Throws ``AccountsError/wrongCredentials`` for an unknown address and a wrong password alike.
    public func logIn(
        email: String, password: String, client: ClientDetails
    ) async throws(AccountsError) -> Session {
        let (email, password) = (try AccountRules.email(email), try AccountRules.password(password))
        let found = try await repository.account(email: email)
        let isRight = try await passwords.verify(password, against: found?.passwordHash)
        guard let found, isRight else { throw .wrongCredentials }
        let (secret, token) = try newToken(family: ULID().description)
        try await repository.open(token, of: found.account.playerId)
        return try await session(of: found.account, refreshToken: secret)
    }

    /// Trades a refresh token for a new session; the old one is used up.
    ///
    /// Throws ``AccountsError/invalidRefreshToken``, or ``AccountsError/refreshTokenReused`` when that ended the
    /// session.
    public func refresh(_ refreshToken: String, client: ClientDetails) async throws(AccountsError) -> Session {
        let (secret, token) = try newToken(family: "")
        let rotation = try await repository.rotate(
            hash: Self.hash(refreshToken),
            to: { family in
                .init(hash: token.hash, family: family, issuedAt: token.issuedAt, expiresAt: token.expiresAt)
            }, at: token.issuedAt)
        switch rotation {
        case .rotated(let account): return try await session(of: account, refreshToken: secret)
        case .unknown: throw .invalidRefreshToken
        case .reused: throw .refreshTokenReused
        }
    }

    /// Ends the session that a refresh token belongs to; one that is unknown, or another player's, is left alone.
    public func logOut(_ refreshToken: String, player: PlayerID) async throws(AccountsError) {
        try await repository.close(hash: Self.hash(refreshToken), of: player)
    }

    /// Throws ``AccountsError/unknownAccount``.
    public func account(_ id: PlayerID) async throws(AccountsError) -> Account {
        guard let account = try await repository.account(id) else { throw .unknownAccount }
        return account
    }

    /// Opens a session by a device's secret; a device that is seen for the first time gets a guest account.
    ///
    /// - Parameter device: at least 128 random bits that the device made and keeps: a UUID, hex or base64url.
    public func logIn(
        device: String, displayName: String, client: ClientDetails
    ) async throws(AccountsError) -> Session {
        throw .unavailable("not built yet")
    }

    /// Gives a guest an e-mail address and a password; nothing changes where the address has an account, and the answer
    /// is the same.
    ///
    /// Throws ``AccountsError/notGuest`` where the account has them already.
    public func upgrade(
        _ player: PlayerID, email: String, password: String, client: ClientDetails
    ) async throws(AccountsError) {
        throw .unavailable("not built yet")
    }

    /// The player's open sessions, the last used first.
    public func sessions(of player: PlayerID) async throws(AccountsError) -> [OpenSession] {
        throw .unavailable("not built yet")
    }

    /// Ends one of the player's sessions; one that is unknown, or another player's, is left alone.
    public func end(_ session: SessionID, of player: PlayerID) async throws(AccountsError) {
        throw .unavailable("not built yet")
    }

    /// Ends all of the player's sessions: logs out everywhere.
    public func endAll(of player: PlayerID) async throws(AccountsError) {
        throw .unavailable("not built yet")
    }

    /// Everything held about the player. Throws ``AccountsError/unknownAccount``.
    public func export(_ player: PlayerID) async throws(AccountsError) -> AccountExport {
        throw .unavailable("not built yet")
    }

    /// Deletes the person's data: address, name, password, devices, sessions; the id stays as a pseudonym.
    ///
    /// - Parameter password: needed where the account has one; ``AccountsError/wrongCredentials`` where it is wrong.
    public func delete(_ player: PlayerID, password: String?) async throws(AccountsError) {
        throw .unavailable("not built yet")
    }

    // MARK: Staff

    /// Accounts whose id, e-mail address or name hold the text, newest first; empty text: all. Deleted ones too.
    public func accounts(matching text: String, limit: Int) async throws(AccountsError) -> [Account] {
        throw .unavailable("not built yet")
    }

    /// Changes what an account may do; tokens that are out keep the old role until they expire.
    public func setRole(_ role: Role, of player: PlayerID, by editor: String) async throws(AccountsError) -> Account {
        throw .unavailable("not built yet")
    }

    /// Ends all sessions and refuses log-ins until it is unlocked.
    public func lock(_ player: PlayerID, reason: String, by editor: String) async throws(AccountsError) -> Account {
        throw .unavailable("not built yet")
    }

    /// Lets an account log in again.
    public func unlock(_ player: PlayerID, by editor: String) async throws(AccountsError) -> Account {
        throw .unavailable("not built yet")
    }

    private func session(of account: Account, refreshToken: String) async throws(AccountsError) -> Session {
        let access = try await tokens.access(
            subject: account.playerId.rawValue, role: account.role, lifetime: accessLifetime)
        return Session(
            playerId: account.playerId, sessionId: SessionID(""), accessToken: access, expiresIn: accessLifetime,
            refreshToken: refreshToken)
    }

    private func newToken(
        family: String
    ) throws(AccountsError) -> (secret: String, token: AccountsRepository.RefreshToken) {
        let secret = Base64URL.encode(try Scrypt.randomBytes(32))
        let now = clock()
        return (
            secret,
            .init(hash: Self.hash(secret), family: family, issuedAt: now, expiresAt: now + Self.refreshLifetime)
        )
    }

    /// The secret is 256 random bits, so one round of SHA-256 is enough to keep a stolen table useless.
    private static func hash(_ secret: String) -> String {
        Base64URL.encode(SHA256.hash(data: Data(secret.utf8)))
    }
}
