import Accounts
import GameModel
import HTTPTypes
import Hummingbird
import Logging

/// Everything that is held about a person, to take away or to have deleted: from the accounts, the store and the game.
struct OwnDataRoutes: Sendable {
    let accounts: AccountService
    let personal: PersonalData

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/accounts/me/export", use: export)
        router.delete("/v1/accounts/me", use: delete)
    }

    @Sendable func export(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        return try .json(
            try await personal.export(of: player),
            headers: [.contentDisposition: "attachment; filename=\"muster-\(player).json\""])
    }

    /// What names the person is taken out only after the password was right. Asked again, it carries a deletion that
    /// was cut short through.
    @Sendable func delete(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        let body = try await request.decodeBodyIfPresent(Deletion.self, context: context)
        if try await accounts.account(player).deletedAt == nil {
            try await confirm(player, body?.password, context.client(request))
        }
        try await personal.delete(player, by: player.rawValue)
        context.logger.info("account deleted", metadata: ["player": "\(player)"])
        return .empty()
    }

    /// A wrong password is no 401: the access token that asks is good.
    private func confirm(_ player: PlayerID, _ password: String?, _ client: ClientDetails) async throws {
        do {
            try await accounts.confirmDeletion(of: player, password: password, client: client)
        } catch {
            guard case .wrongCredentials = error else { throw error }
            throw Problem(.forbidden, "The password is wrong.", field: "password")
        }
    }
}

private struct Deletion: Decodable {
    /// Needed where the account has one.
    var password: String?
}
