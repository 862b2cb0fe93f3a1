import Accounts
import GameData
import GameModel
import HTTPTypes
import Hummingbird

/// Logging in by password or device, keeping a session going, and ending it: here, elsewhere, or everywhere.
struct SessionsRoutes: Sendable {
    let accounts: AccountService
    /// Learns a new player's name, which matches and leaderboards show.
    let players: PlayersRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/sessions", use: logIn)
        router.post("/v1/sessions/device", use: logInDevice)
        router.post("/v1/sessions/refresh", use: refresh)
        router.get("/v1/sessions", use: list)
        router.delete("/v1/sessions", use: endAll)
        router.delete("/v1/sessions/current", use: logOut)
        router.delete("/v1/sessions/{id}", use: end)
    }

    @Sendable func logIn(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(Credentials.self, context: context)
        return try await opened(
            try await accounts.logIn(email: body.email, password: body.password, client: context.client(request)))
    }

    @Sendable func logInDevice(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(DeviceLogIn.self, context: context)
        return try await opened(
            try await accounts.logIn(
                device: body.device, displayName: body.displayName ?? "Guest", client: context.client(request)))
    }

    private func opened(_ session: Session) async throws -> Response {
        // Registering tells nobody about the account, so its player is noted here.
        if try await players.displayNames([session.playerId]).isEmpty {
            let account = try await accounts.account(session.playerId)
            try await players.upsert(account.playerId, displayName: account.displayName, at: account.createdAt)
        }
        return try .json(SessionReply(session), status: .created, headers: Self.uncached)
    }

    @Sendable func refresh(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(RefreshToken.self, context: context)
        let session = try await accounts.refresh(body.refreshToken, client: context.client(request))
        return try .json(SessionReply(session), headers: Self.uncached)
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        let sessions = try await accounts.sessions(of: player)
        let current = context.identity?.sessionId
        return try .json(SessionsReply(sessions: sessions.map { .init($0, isCurrent: $0.id == current) }))
    }

    /// The session of the refresh token in the body; without a body, the one that the access token belongs to.
    @Sendable func logOut(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        if let body = try await request.decodeBodyIfPresent(RefreshToken.self, context: context) {
            try await accounts.logOut(body.refreshToken, player: player)
        } else if let session = context.identity?.sessionId {
            try await accounts.end(session, of: player)
        } else {
            throw Problem.invalidField("refreshToken", "This field is missing.")
        }
        return .empty()
    }

    /// Ended twice, or another's: the answer is the same, and nothing happens.
    @Sendable func end(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        try await accounts.end(try context.parameter("id", as: SessionID.self), of: player)
        return .empty()
    }

    @Sendable func endAll(_ request: Request, _ context: APIContext) async throws -> Response {
        try await accounts.endAll(of: try context.requireAccount())
        return .empty()
    }

    /// Tokens must not stay in a cache (RFC 6749, 5.1).
    private static let uncached: HTTPFields = [.cacheControl: "no-store"]
}

// MARK: Bodies

private struct DeviceLogIn: Decodable {
    /// The device's secret.
    var device: String
    /// What a guest that is made by this is called.
    var displayName: String?
}

private struct RefreshToken: Decodable {
    var refreshToken: String
}

private struct SessionReply: Encodable {
    var playerId: PlayerID
    var sessionId: SessionID
    var accessToken: String
    var tokenType = "Bearer"
    /// Seconds.
    var expiresIn: Int64
    var refreshToken: String

    init(_ session: Session) {
        playerId = session.playerId
        sessionId = session.sessionId
        accessToken = session.accessToken
        expiresIn = session.expiresIn.milliseconds / 1000
        refreshToken = session.refreshToken
    }
}

private struct SessionsReply: Encodable {
    struct Item: Encodable {
        var sessionId: SessionID
        var createdAt: Instant
        var lastUsedAt: Instant
        var expiresAt: Instant
        /// Where it was last used from; absent where that is not known.
        var address: String?
        var agent: String?
        /// Whether it is the one that asks.
        var isCurrent: Bool

        init(_ session: OpenSession, isCurrent: Bool) {
            sessionId = session.id
            createdAt = session.createdAt
            lastUsedAt = session.lastUsedAt
            expiresAt = session.expiresAt
            address = session.address.isEmpty ? nil : session.address
            agent = session.agent
            self.isCurrent = isCurrent
        }
    }

    var sessions: [Item]
}
