import GameData
import GameModel
import HTTPTypes
import Hummingbird

/// Players: who they are, how they stand, what they played and wear. Any valid token may read all of it; what a player
/// wears is theirs to change.
struct PlayersRoutes: Sendable {
    let players: PlayersRepository
    let matches: MatchesRepository
    let ratings: RatingHistoryRepository
    let seasons: SeasonsRepository
    let wardrobe: Wardrobe

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/players/{id}", use: profile)
        router.get("/v1/players/{id}/matches", use: history)
        router.get("/v1/players/{id}/ratings", use: ratingChanges)
        router.get("/v1/players/{id}/seasons", use: standings)
        router.get("/v1/players/{id}/loadout", use: loadout)
        router.put("/v1/players/{id}/loadout", use: changeLoadout)
    }

    @Sendable func profile(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try player(context)
        guard let profile = try await players.profile(player) else {
            throw Problem.notFound("There is no player \(player).")
        }
        return try .tagged(profile, for: request)
    }

    @Sendable func history(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try player(context)
        let limit = try request.query("limit", default: 20, in: 1...MatchHistoryRepository.limitMax)
        let found = try await matches.history(player, limit: limit, before: try Self.cursor(request))
        return try .tagged(MatchPage(found, limit: limit), for: request)
    }

    @Sendable func ratingChanges(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try player(context)
        guard let mode = try request.query("mode", as: Mode.self) else {
            throw Problem.invalidField("mode", "This query item is missing: a rating is one mode's.")
        }
        let limit = try request.query("limit", default: 100, in: 1...RatingHistoryRepository.limitMax)
        let found = try await ratings.changes(of: player, mode: mode, limit: limit, before: try Self.cursor(request))
        return try .tagged(RatingPage(found, of: player, mode: mode, limit: limit), for: request)
    }

    @Sendable func standings(_ request: Request, _ context: APIContext) async throws -> Response {
        try .tagged(Standings(standings: try await seasons.standings(of: try player(context))), for: request)
    }

    @Sendable func loadout(_ request: Request, _ context: APIContext) async throws -> Response {
        try .tagged(try await wardrobe.loadout(of: try player(context)), for: request)
    }

    @Sendable func changeLoadout(_ request: Request, _ context: APIContext) async throws -> Response {
        let player = try context.requirePlayer()
        let named = try self.player(context)
        guard player == named else { throw Problem.forbidden("What others wear is theirs to change.") }
        let wish = try await request.decodeBody([String: ProductID].self, context: context)
        try await wardrobe.change(wish, of: player)
        return try .json(try await wardrobe.loadout(of: player))
    }

    /// The player that the path names; `me` is the one who asks.
    private func player(_ context: APIContext) throws(Problem) -> PlayerID {
        if context.parameters.get("id") == "me" { return try context.requirePlayer() }
        _ = try context.requireIdentity()
        return try context.parameter("id", as: PlayerID.self)
    }

    /// The last match of the page before.
    private static func cursor(_ request: Request) throws(Problem) -> MatchID? {
        guard let text = request.query("before") else { return nil }
        guard let match = MatchID(rawValue: text) else {
            throw .invalidField("before", "Expected the matchId of the last match of the page before.")
        }
        return match
    }
}

/// What players wear: their choice from the game's data, as far as the store says that it is theirs.
struct Wardrobe: Sendable {
    let loadouts: LoadoutsRepository
    /// The skins that each of the players owns.
    let skins: @Sendable ([PlayerID]) async throws -> [PlayerID: [ProductID]]

    /// A skin by character. What was taken back is left out, and there again where it is given back.
    func loadout(of player: PlayerID) async throws -> [String: ProductID] {
        try await loadouts(of: [player], owning: try await skins([player]))[player] ?? [:]
    }

    /// The same of several players whose skins are known.
    func loadouts(
        of players: [PlayerID], owning skins: [PlayerID: [ProductID]]
    ) async throws -> [PlayerID: [String: ProductID]] {
        let chosen = try await loadouts.loadouts(of: players)
        return Dictionary(
            uniqueKeysWithValues: chosen.map { player, loadout in
                let owned = Set(skins[player] ?? [])
                return (player, loadout.filter { owned.contains($0.value) })
            })
    }

    /// - Throws: `invalid-field` naming the character whose skin is not the player's, or that there is not.
    func change(_ loadout: [String: ProductID], of player: PlayerID) async throws {
        let owned = Set(try await skins([player])[player] ?? [])
        for (character, skin) in loadout.sorted(by: { $0.key < $1.key }) where !owned.contains(skin) {
            throw Problem.invalidField(character, "Skin '\(skin)' is not yours: see GET /v1/store/inventory.")
        }
        try await loadouts.replace(loadout, of: player)
    }
}

// MARK: Replies

private struct MatchPage: Encodable {
    var matches: [MatchSummary]
    /// What to give as `before` for the next page; absent on the last.
    var next: MatchID?

    init(_ matches: [MatchSummary], limit: Int) {
        self.matches = matches
        next = matches.count == limit ? matches.last?.matchId : nil
    }
}

private struct RatingPage: Encodable {
    var playerId: PlayerID
    var mode: Mode
    var changes: [RatingChange]
    /// What to give as `before` for the next page; absent on the last.
    var next: MatchID?

    init(_ changes: [RatingChange], of player: PlayerID, mode: Mode, limit: Int) {
        playerId = player
        self.mode = mode
        self.changes = changes
        next = changes.count == limit ? changes.last?.matchId : nil
    }
}

private struct Standings: Encodable {
    var standings: [SeasonStanding]
}
