import Accounts
import GameModel
import HTTPTypes
import Hummingbird

/// Making an account, what its owner sees of it, and the keys that every other service verifies tokens with.
struct AccountsRoutes: Sendable {
    let accounts: AccountService
    let tokens: TokenIssuer

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/accounts", use: register)
        router.get("/v1/accounts/me", use: ownAccount)
        router.put("/v1/accounts/me/credentials", use: upgrade)
        router.put("/v1/accounts/me/password", use: changePassword)
        router.get("/.well-known/jwks.json", use: keys)
    }

    /// The answer is the same whether the address has an account already: who asks learns nothing about it.
    @Sendable func register(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.decodeBody(Registration.self, context: context)
        try await accounts.register(
            email: body.email, password: body.password, displayName: body.displayName,
            client: context.client(request))
        return try .json(Accepted(), status: .accepted)
    }

    @Sendable func ownAccount(_ request: Request, _ context: APIContext) async throws -> Response {
        let account = try await accounts.account(try context.requireAccount())
        return try .json(OwnAccount(account))
    }

    /// A guest gets an e-mail address and a password. As above, the answer doesn't tell whether the address was free.
    @Sendable func upgrade(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        let body = try await request.decodeBody(Credentials.self, context: context)
        try await accounts.upgrade(
            player, email: body.email, password: body.password, client: context.client(request))
        return try .json(Accepted(), status: .accepted)
    }

    /// A wrong old password is no 401: the access token that asks is good.
    @Sendable func changePassword(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        let body = try await request.decodeBody(PasswordChange.self, context: context)
        do {
            try await accounts.changePassword(
                of: player, from: body.password, to: body.newPassword, keeping: context.identity?.sessionId,
                client: context.client(request))
        } catch {
            guard case .wrongCredentials = error else { throw error }
            throw Problem(.forbidden, "The password is wrong.", field: "password")
        }
        return .empty()
    }

    @Sendable func keys(_ request: Request, _ context: APIContext) async throws -> Response {
        var response = Response.text(tokens.jwks, contentType: "application/json")
        // A key is published for longer than that before it signs.
        response.headers[.cacheControl] = "public, max-age=60"
        return response
    }
}

extension APIContext {
    /// Whose account it is about: any person's who has one, developers and operators included. 401 without a valid
    /// token, 403 for one that belongs to no account.
    func requireAccount() throws(Problem) -> PlayerID {
        let identity = try requireIdentity(roles: Role.ofPeople)
        guard let player = identity.playerId else { throw .forbidden("This needs the token of somebody's log-in.") }
        return player
    }
}

// MARK: Bodies

private struct Registration: Decodable {
    var email: String
    var password: String
    var displayName: String
}

struct Credentials: Decodable {
    var email: String
    var password: String
}

private struct PasswordChange: Decodable {
    var password: String
    var newPassword: String
}

private struct Accepted: Encodable {
    var status = "accepted"
}

private struct OwnAccount: Encodable {
    var playerId: PlayerID
    var email: String?
    var displayName: String
    var role: Role
    var isGuest: Bool
    var createdAt: Instant

    init(_ account: Account) {
        playerId = account.playerId
        email = account.email
        displayName = account.displayName
        role = account.role
        isGuest = account.isGuest
        createdAt = account.createdAt
    }
}
