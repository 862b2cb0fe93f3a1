import Accounts
import GameData
import GameModel
import HTTPTypes
import Hummingbird

/// Registering, logging in and out, and the keys that every other service verifies tokens with.
struct AccountsRoutes: Sendable {
    let accounts: AccountService
    let tokens: TokenIssuer
    /// Learns a new player's name, which matches and leaderboards show.
    let players: PlayersRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/accounts", use: register)
        router.get("/v1/accounts/me", use: ownAccount)
        router.post("/v1/sessions", use: logIn)
        router.post("/v1/sessions/refresh", use: refresh)
        router.delete("/v1/sessions/current", use: logOut)
        router.get("/.well-known/jwks.json", use: keys)
    }

    @Sendable func register(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(Registration.self, context: context)
        try await accounts.register(
            email: body.email, password: body.password, displayName: body.displayName, client: .unknown)
        return try .json(Accepted(), status: .accepted)
    }

    @Sendable func ownAccount(_ request: Request, _ context: APIContext) async throws -> Response {
        let account = try await accounts.account(try context.requirePlayer())
        return try .json(OwnAccount(account))
    }

    @Sendable func logIn(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(Credentials.self, context: context)
        let session = try await accounts.logIn(email: body.email, password: body.password, client: .unknown)
        // Registering says nothing of the account, so its player is noted here.
        if try await players.profile(session.playerId) == nil {
            let account = try await accounts.account(session.playerId)
            try await players.upsert(account.playerId, displayName: account.displayName, at: account.createdAt)
        }
        return try .json(SessionReply(session), status: .created, headers: Self.uncached)
    }

    @Sendable func refresh(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(RefreshToken.self, context: context)
        return try .json(SessionReply(try await accounts.refresh(body.refreshToken, client: .unknown)), headers: Self.uncached)
    }

    @Sendable func logOut(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let body = try await request.decodeBody(RefreshToken.self, context: context)
        try await accounts.logOut(body.refreshToken, player: player)
        return .empty()
    }

    @Sendable func keys(_ request: Request, _ context: APIContext) async throws -> Response {
        .text(tokens.jwks, contentType: "application/json")
    }

    /// Tokens must not stay in a cache (RFC 6749, 5.1).
    private static let uncached: HTTPFields = [.cacheControl: "no-store"]
}

// MARK: Bodies

private struct Registration: Decodable {
    var email: String
    var password: String
    var displayName: String
}

private struct Credentials: Decodable {
    var email: String
    var password: String
}

private struct RefreshToken: Decodable {
    var refreshToken: String
}

private struct Accepted: Encodable {
    var status = "accepted"
}

private struct OwnAccount: Encodable {
    var playerId: PlayerID
    var email: String?
    var displayName: String
    var createdAt: Instant

    init(_ account: Account) {
        playerId = account.playerId
        email = account.email
        displayName = account.displayName
        createdAt = account.createdAt
    }
}

private struct SessionReply: Encodable {
    var playerId: PlayerID
    var accessToken: String
    var tokenType = "Bearer"
    /// Seconds.
    var expiresIn: Int64
    var refreshToken: String

    init(_ session: Session) {
        playerId = session.playerId
        accessToken = session.accessToken
        expiresIn = session.expiresIn.milliseconds / 1000
        refreshToken = session.refreshToken
    }
}
