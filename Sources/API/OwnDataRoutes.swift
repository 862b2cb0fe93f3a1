import Accounts
import GameData
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import Store

/// Everything that is held about a person, to take away or to have deleted: from the accounts, the store and the game.
struct OwnDataRoutes: Sendable {
    /// Orders and matches beyond this number are left out of an export, the oldest first; of what happened to
    /// entitlements and in the wallet, it has the newest lines that a list may have.
    static let rowsMax = 10_000
    private static let pageRows = 100

    let accounts: AccountService
    let store: StoreService
    let players: PlayersRepository
    let matches: MatchesRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/accounts/me/export", use: export)
        router.delete("/v1/accounts/me", use: delete)
    }

    @Sendable func export(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        let limit = InventoryService.listedRange.upperBound
        let export = OwnData(
            account: try await accounts.export(player), orders: try await orders(of: player),
            entitlements: try await store.inventory.entitlements(of: player),
            entitlementEvents: try await store.inventory.history(of: player, limit: limit),
            wallet: try await store.inventory.wallet(of: player),
            walletTransfers: try await store.inventory.transfers(of: player, limit: limit)
                .map { TransferReply($0, of: player) },
            player: try await players.profile(player), matches: try await matches(of: player))
        return try .json(
            export, headers: [.contentDisposition: "attachment; filename=\"muster-\(player).json\""])
    }

    private func orders(of player: PlayerID) async throws -> [OrderReply] {
        var found: [Order] = []
        while found.count < Self.rowsMax {
            let page = try await store.orders.orders(
                OrderFilter(player: player, before: found.last?.orderId, limit: Self.pageRows))
            found += page
            guard page.count == Self.pageRows else { break }
        }
        return found.map(OrderReply.init)
    }

    private func matches(of player: PlayerID) async throws -> [MatchSummary] {
        var found: [MatchSummary] = []
        while found.count < Self.rowsMax {
            let page = try await matches.history(player, limit: Self.pageRows, before: found.last?.matchId)
            found += page
            guard page.count == Self.pageRows else { break }
        }
        return found
    }

    /// The account goes last: what is cut short on the way leaves it, and its owner can ask again. What names the
    /// person elsewhere is taken out only after the password was right.
    @Sendable func delete(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requireAccount()
        let body = try await request.decodeBodyIfPresent(Deletion.self, context: context)
        let isOpen = try await accounts.account(player).deletedAt == nil
        if isOpen {
            try await confirm(player, body?.password, context.client(request))
        }
        try await store.orders.anonymise(player)
        try await players.upsert(player, displayName: Account.deletedName)
        if isOpen { try await accounts.delete(player, by: player.rawValue) }
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

private struct OwnData: Encodable {
    var account: AccountExport
    var orders: [OrderReply]
    var entitlements: [Entitlement]
    var entitlementEvents: [EntitlementEvent]
    var wallet: [VirtualMoney]
    var walletTransfers: [TransferReply]
    /// As others see the player.
    var player: PlayerProfile?
    var matches: [MatchSummary]
}
