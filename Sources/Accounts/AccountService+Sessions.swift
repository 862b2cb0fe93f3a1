import GameModel

/// Sessions: what follows a log-in, until it is ended.
extension AccountService {
    /// Trades a refresh token for a new one and a new access token; the old one is used up.
    ///
    /// Throws ``AccountsError/invalidRefreshToken``, or ``AccountsError/refreshTokenReused`` when that ended the
    /// session.
    public func refresh(_ refreshToken: String, client: ClientDetails) async throws(AccountsError) -> Session {
        let (secret, now) = (try Secret.random(), clock())
        let rotation = try await repository.rotate(
            hash: Secret.digest(refreshToken), to: Secret.digest(secret), at: now,
            expiresAt: now + Self.refreshLifetime, client: client)
        switch rotation {
        case .rotated(let account, let id): return try await session(id, of: account, refreshToken: secret)
        case .unknown: throw .invalidRefreshToken
        case .reused: throw .refreshTokenReused
        }
    }

    /// Ends the session that a refresh token belongs to; one that is unknown, or another player's, is left alone.
    public func logOut(_ refreshToken: String, player: PlayerID) async throws(AccountsError) {
        try await repository.close(hash: Secret.digest(refreshToken), of: player)
    }

    /// The player's open sessions, the last used first.
    public func sessions(of player: PlayerID) async throws(AccountsError) -> [OpenSession] {
        try await repository.sessions(of: player, at: clock())
    }

    /// Ends one of the player's sessions; one that is unknown, or another player's, is left alone.
    ///
    /// - Parameter editor: who does it to the player, for the log of changes; `nil`: the player.
    public func end(
        _ session: SessionID, of player: PlayerID, by editor: String? = nil
    ) async throws(AccountsError) {
        try await repository.close(session, of: player, by: editor, at: clock())
    }

    /// Ends all of the player's sessions: logs out everywhere. Answers how many there were.
    ///
    /// The devices of an account with a password log in no more; a guest keeps theirs, the only way in.
    /// - Parameter editor: who does it to the player, for the log of changes; `nil`: the player.
    @discardableResult
    public func endAll(of player: PlayerID, by editor: String? = nil) async throws(AccountsError) -> Int {
        try await repository.closeAll(of: player, by: editor, at: clock())
    }

    /// A session to be opened, and the secret that refreshes it.
    func newSession(
        _ client: ClientDetails, lifetime: Duration = Self.refreshLifetime
    ) throws(AccountsError) -> (secret: String, session: AccountsRepository.NewSession) {
        let (secret, now) = (try Secret.random(), clock())
        return (
            secret,
            .init(
                id: SessionID(ULID().description), tokenHash: Secret.digest(secret), openedAt: now,
                expiresAt: now + lifetime, client: client, sessionsMax: max(1, limits.sessions))
        )
    }

    /// What a log-in hands out, or why it does not.
    func session(
        of logIn: AccountsRepository.LogIn, opening: AccountsRepository.NewSession, secret: String
    ) async throws(AccountsError) -> Session {
        switch logIn {
        case .opened(let account): return try await session(opening.id, of: account, refreshToken: secret)
        case .wrong: throw .wrongCredentials
        case .wait(let wait): throw .tooManyAttempts(retryAfter: wait)
        case .locked(let reason): throw .locked(reason: reason)
        }
    }

    private func session(
        _ id: SessionID, of account: Account, refreshToken: String
    ) async throws(AccountsError) -> Session {
        let access = try await tokens.access(
            subject: account.playerId.rawValue, role: account.role, session: id, lifetime: accessLifetime)
        return Session(
            playerId: account.playerId, sessionId: id, accessToken: access, expiresIn: accessLifetime,
            refreshToken: refreshToken)
    }
}
