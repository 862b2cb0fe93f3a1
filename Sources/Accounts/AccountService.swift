import Foundation
import GameModel

/// Registers people, logs them and their devices in, and keeps their sessions going.
///
/// Promises: one account per mailbox, and nobody learns from an answer, or from the work it took, whether a mailbox has
/// one; failures lock for longer and longer; a refresh token works once, and one that comes back a second time ends the
/// session it was stolen from. Access tokens that are out stay valid until they expire, whatever happens to a session.
public struct AccountService: Sendable {
    public static let refreshLifetime: Duration = .seconds(30 * 24 * 3600)
    /// How long an access token lasts unless the process is configured otherwise.
    public static let accessLifetime: Duration = .seconds(15 * 60)

    let repository: AccountsRepository
    let passwords: PasswordHasher
    let tokens: TokenIssuer
    let limits: AccountLimits
    let accessLifetime: Duration
    let clock: @Sendable () -> Instant

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

    /// Makes an account for a player, unless the e-mail address has one: that one stays as it is, and the answer and
    /// the work are the same. Who it was learns it by logging in.
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
        let wait = try await repository.register(account, passwordHash: hash, creation: creation(client))
        if let wait { throw .tooManyAttempts(retryAfter: wait) }
    }

    /// Opens a session by e-mail address and password.
    ///
    /// Throws ``AccountsError/wrongCredentials`` for an unknown address and a wrong password alike,
    /// ``AccountsError/tooManyAttempts(retryAfter:)`` after too many of either, and ``AccountsError/locked(reason:)``
    /// only to who knows the password.
    /// - Parameter lifetime: how long the session lasts where it is never refreshed.
    public func logIn(
        email: String, password: String, client: ClientDetails, lifetime: Duration = Self.refreshLifetime
    ) async throws(AccountsError) -> Session {
        let (email, password) = (try AccountRules.email(email), try AccountRules.password(password))
        let attempt = attempt(email: email, client: client)
        if let wait = try await repository.wait(before: attempt, at: clock()) {
            throw .tooManyAttempts(retryAfter: wait)
        }
        let found = try await repository.credentials(email: email)
        let isRight = try await passwords.verify(password, against: found?.passwordHash)
        let (secret, opening) = try newSession(client, lifetime: lifetime)
        let logIn = try await repository.settle(
            attempt, player: isRight ? found?.account.playerId : nil, opening: opening)
        let session = try await session(of: logIn, opening: opening, secret: secret)
        if let hash = found?.passwordHash { try await renewHash(hash, of: session.playerId, password: password) }
        return session
    }

    /// Opens a session by a device's secret; a device that is seen for the first time gets a guest account.
    ///
    /// A device belongs to one account: there is no way to add a second one to an account, so that nobody can be
    /// tricked into sharing theirs. Throws like ``logIn(email:password:client:lifetime:)``.
    /// - Parameters:
    ///   - device: at least 128 random bits that the device made and keeps: a UUID, hex or base64url.
    ///   - displayName: the guest's name; not looked at where the device is known.
    public func logIn(
        device: String, displayName: String, client: ClientDetails
    ) async throws(AccountsError) -> Session {
        let hash = Secret.digest(try AccountRules.device(device))
        let (secret, opening) = try newSession(client)
        let guest = Account(
            playerId: PlayerID(ULID().description), email: nil,
            displayName: try AccountRules.displayName(displayName), role: .player, createdAt: opening.openedAt)
        let logIn = try await repository.logIn(
            device: hash, guest: guest, creation: creation(client), opening: opening)
        return try await session(of: logIn, opening: opening, secret: secret)
    }

    /// Gives a guest an e-mail address and a password; nothing changes where the address has an account, and the answer
    /// is the same. The player id and the device stay.
    ///
    /// Throws ``AccountsError/notGuest`` where the account has them already, and what
    /// ``register(email:password:displayName:client:)`` throws.
    public func upgrade(
        _ player: PlayerID, email: String, password: String, client: ClientDetails
    ) async throws(AccountsError) {
        let email = try AccountRules.email(email)
        let account = try await account(player)
        guard account.deletedAt == nil else { throw .unknownAccount }
        guard account.isGuest else { throw .notGuest }
        let hash = try await passwords.hash(try AccountRules.password(password))
        switch try await repository.upgrade(
            player, email: email, passwordHash: hash, creation: creation(client), at: clock())
        {
        case .done: return
        case .wait(let wait): throw .tooManyAttempts(retryAfter: wait)
        case .unknown: throw .unknownAccount
        case .notGuest: throw .notGuest
        case .locked(let reason): throw .locked(reason: reason)
        }
    }

    /// Gives an account another password, and ends its other sessions: who knew the old one is out, but for access
    /// tokens, until they expire. Devices stay; ``endAll(of:by:)`` drops them.
    ///
    /// Throws ``AccountsError/wrongCredentials`` where the old password is wrong, counted like a failed log-in, and
    /// ``AccountsError/invalidField(name:reason:)``.
    /// - Parameter session: the one that stays, which asks.
    public func changePassword(
        of player: PlayerID, from old: String, to new: String, keeping session: SessionID?, client: ClientDetails
    ) async throws(AccountsError) {
        let bytes = try AccountRules.password(new, field: "newPassword")
        guard let found = try await repository.credentials(of: player) else { throw .unknownAccount }
        guard let hash = found.passwordHash, let email = found.account.email else {
            throw .invalidField(name: "password", reason: "a guest has none: give the account its credentials first")
        }
        try await check(old, against: hash, attempt: attempt(email: email, client: client))
        let changed = try await passwords.hash(bytes)
        guard
            try await repository.changePassword(hash, to: changed, of: player, keeping: session, at: clock())
        else { throw .unavailable("the password was changed meanwhile") }
    }

    /// An account as it is; a deleted one says so. Throws ``AccountsError/unknownAccount`` for one that never was.
    public func account(_ id: PlayerID) async throws(AccountsError) -> Account {
        guard let account = try await repository.account(id) else { throw .unknownAccount }
        return account
    }

    /// Everything held about the player. Throws ``AccountsError/unknownAccount``.
    public func export(_ player: PlayerID) async throws(AccountsError) -> AccountExport {
        guard let export = try await repository.export(player, at: clock()) else { throw .unknownAccount }
        return export
    }

    /// Deletes the person's data: address, name, password, devices, sessions; the id stays as a pseudonym.
    ///
    /// - Parameters:
    ///   - password: needed where the account has one; ``AccountsError/wrongCredentials`` where it is wrong, counted
    ///     like a failed log-in.
    public func delete(
        _ player: PlayerID, password: String?, client: ClientDetails = .unknown
    ) async throws(AccountsError) {
        try await confirmDeletion(of: player, password: password, client: client)
        guard try await repository.erase(player, by: player.rawValue, at: clock()) else { throw .unknownAccount }
    }

    /// Throws what ``delete(_:password:client:)`` would for this password, and deletes nothing.
    public func confirmDeletion(
        of player: PlayerID, password: String?, client: ClientDetails
    ) async throws(AccountsError) {
        guard let found = try await repository.credentials(of: player) else { throw .unknownAccount }
        guard let hash = found.passwordHash, let email = found.account.email else { return }
        guard let password else {
            throw .invalidField(name: "password", reason: "needed to delete an account that has one")
        }
        try await check(password, against: hash, attempt: attempt(email: email, client: client))
    }

    // MARK: Parts of these

    /// A password that opens no session: a failure counts, and a lock holds, as at a log-in.
    private func check(
        _ password: String, against hash: String, attempt: AccountsRepository.Attempt
    ) async throws(AccountsError) {
        let password = try AccountRules.password(password)
        if let wait = try await repository.wait(before: attempt, at: clock()) {
            throw .tooManyAttempts(retryAfter: wait)
        }
        let isRight = try await passwords.verify(password, against: hash)
        if let wait = try await repository.settle(attempt, isRight: isRight, at: clock()) {
            throw .tooManyAttempts(retryAfter: wait)
        }
        guard isRight else { throw .wrongCredentials }
    }

    /// Stores the password under the parameters in force, where the hash that it was checked against has others.
    private func renewHash(
        _ old: String, of player: PlayerID, password: [UInt8]
    ) async throws(AccountsError) {
        guard passwords.isOutdated(old) else { return }
        do {
            let new = try await passwords.hash(password)
            try await repository.replaceHash(old, by: new, of: player)
        } catch {
            switch error {
            // The log-in stands without it; the next one tries again.
            case .overloaded, .unavailable: return
            default: throw error
            }
        }
    }

    private func attempt(email: String, client: ClientDetails) -> AccountsRepository.Attempt {
        let isLocal = ClientNetwork.isLocal(client.address)
        return .init(
            account: .init(name: AttemptKey.account(email: email), backoff: limits.account),
            familiar: .init(name: AttemptKey.account(email: email, from: client), backoff: limits.account),
            address: .init(name: AttemptKey.logIns(from: client), backoff: limits.address, isEnforced: !isLocal),
            email: email, network: isLocal ? nil : ClientNetwork.name(of: client.address),
            familiarFor: limits.familiarFor)
    }

    private func creation(_ client: ClientDetails) -> AccountsRepository.Creation {
        .init(
            key: AttemptKey.creations(from: client), limit: limits.creations, window: limits.creationsWindow,
            isEnforced: !ClientNetwork.isLocal(client.address))
    }
}
