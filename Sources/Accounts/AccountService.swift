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
    private let accessLifetime: Duration
    private let clock: @Sendable () -> Instant

    public init(
        repository: AccountsRepository, passwords: PasswordHasher, tokens: TokenIssuer,
        accessLifetime: Duration = Self.accessLifetime, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.passwords = passwords
        self.tokens = tokens
        self.accessLifetime = accessLifetime
        self.clock = clock
    }

    /// Makes an account for a player.
    ///
    /// Throws ``AccountsError/invalidField(name:reason:)``, ``AccountsError/emailTaken`` or
    /// ``AccountsError/overloaded``.
    public func register(email: String, password: String, displayName: String) async throws(AccountsError) -> Account {
        let account = Account(
            playerId: PlayerID(ULID().description), email: try AccountRules.email(email),
            displayName: try AccountRules.displayName(displayName), role: .player, createdAt: clock())
        let hash = try await passwords.hash(try AccountRules.password(password))
        guard try await repository.insert(account, passwordHash: hash) else { throw .emailTaken }
        return account
    }

    /// Opens a session.
    ///
    /// Throws ``AccountsError/wrongCredentials`` for an unknown address and a wrong password alike.
    public func logIn(email: String, password: String) async throws(AccountsError) -> Session {
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
    public func refresh(_ refreshToken: String) async throws(AccountsError) -> Session {
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

    private func session(of account: Account, refreshToken: String) async throws(AccountsError) -> Session {
        let access = try await tokens.access(
            subject: account.playerId.rawValue, role: account.role, lifetime: accessLifetime)
        return Session(
            playerId: account.playerId, accessToken: access, expiresIn: accessLifetime, refreshToken: refreshToken)
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
