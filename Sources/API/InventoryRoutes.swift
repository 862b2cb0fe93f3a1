import Accounts
import GameData
import GameModel
import HTTPTypes
import Hummingbird
import Store

/// What a player owns: entitlements with their history, and the wallet. Games use items up.
struct InventoryRoutes: Sendable {
    let store: StoreService
    /// Knows who plays in which match on which instance.
    let matches: MatchesRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/store/inventory", use: inventory)
        router.get("/v1/store/inventory/history", use: history)
        router.post("/v1/store/inventory/{product}/consume", use: consume)
        router.get("/v1/store/wallet", use: wallet)
        router.get("/v1/store/wallet/transfers", use: transfers)
    }

    @Sendable func inventory(_ request: Request, _ context: APIContext) async throws -> Response {
        let entitlements = try await store.inventory.entitlements(of: try context.requirePlayer())
        return try .json(Inventory(entitlements: entitlements))
    }

    @Sendable func history(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let limit = try request.query("limit", default: 100, in: InventoryService.listedRange)
        return try .json(History(events: try await store.inventory.history(of: player, limit: limit)))
    }

    @Sendable func wallet(_ request: Request, _ context: APIContext) async throws -> Response {
        try .json(Wallet(balances: try await store.inventory.wallet(of: try context.requirePlayer())))
    }

    @Sendable func transfers(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let limit = try request.query("limit", default: 100, in: InventoryService.listedRange)
        let transfers = try await store.inventory.transfers(of: player, limit: limit)
        return try .json(Transfers(transfers: transfers.map { TransferReply($0, of: player) }))
    }

    // MARK: Using up

    /// A player uses up what is theirs; an instance what is its players', in a match of its.
    @Sendable func consume(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(roles: [.player, .instance])
        let product = try context.parameter("product", as: ProductID.self)
        let body = try await request.decodeBody(Consumption.self, context: context)
        let quantity = body.quantity ?? 1
        guard Product.quantityRange.contains(quantity) else {
            throw Problem.invalidField(
                "quantity", "Expected 1 to \(Product.quantityRange.upperBound), got \(quantity).")
        }
        guard (1...100).contains(body.reference.utf8.count),
            body.reference.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Problem.invalidField(
                "reference", "Expected 1 to 100 printable ASCII characters, another for each use.")
        }
        let (player, place) =
            identity.role == .player
            ? (try context.requirePlayer(), "player") : try await seat(body, on: identity)
        // Each place names its uses apart from the others.
        let remaining = try await store.inventory.consume(
            product, quantity: quantity, of: player, reference: "\(place): \(body.reference)")
        return try .json(Remains(playerId: player, productId: product, remaining: remaining))
    }

    /// The player that an instance speaks for, and the match.
    private func seat(_ body: Consumption, on identity: Identity) async throws -> (PlayerID, String) {
        guard let player = body.playerId else {
            throw Problem.invalidField("playerId", "This field is missing: an instance says whose it is.")
        }
        guard let match = body.matchId else {
            throw Problem.invalidField("matchId", "This field is missing: an instance says in which match.")
        }
        guard let record = try await matches.match(match) else {
            throw Problem.notFound("There is no match \(match).")
        }
        try FleetRoutes.hold(identity, speaksFor: record.instanceId)
        guard record.roster.contains(where: { $0.playerId == player }) else {
            throw Problem.invalidField("playerId", "\(player) does not play in match \(match).")
        }
        return (player, "match \(match)")
    }
}

// MARK: Bodies

private struct Consumption: Decodable {
    var quantity: Int?
    /// What it was used for: repeated with it, nothing is used again.
    var reference: String
    /// With an instance's token.
    var playerId: PlayerID?
    var matchId: MatchID?
}

private struct Remains: Encodable {
    var playerId: PlayerID
    var productId: ProductID
    var remaining: Int
}

private struct Inventory: Encodable {
    var entitlements: [Entitlement]
}

private struct History: Encodable {
    var events: [EntitlementEvent]
}

private struct Wallet: Encodable {
    var balances: [VirtualMoney]
}

private struct Transfers: Encodable {
    var transfers: [TransferReply]
}
