import Accounts
import GameData
import GameModel
import Hummingbird
import Matchmaking
import Store
import Telemetry

/// The whole HTTP API, put together: the middlewares that every request goes through, then each domain's routes.
public enum APIRoutes {
    /// The whole API, and what is in it.
    public struct Built {
        public let router: Router<APIContext>
        /// What is answered, as `GET /v1/players/{id}`.
        public let routes: [String]
    }

    /// A router with the middlewares and no routes.
    ///
    /// The outermost comes first: a request is named, its reply gets the headers, it is logged and counted with the
    /// status that the client sees; then errors become problems, and inside of that the body is bounded, the token
    /// read, and too many requests refused.
    public static func router(
        tokens: TokenIssuer, limits: RateLimits = RateLimits(), proxies: TrustedProxies = .loopback
    ) -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.addMiddleware {
            RequestIdentity()
            SecurityHeaders()
            RequestLog()
            RouteMetrics()
            ProblemReplies()
            BodyLimit()
            Authenticator(tokens: tokens)
            RequestLimits(limiter: RateLimiter(limits), proxies: proxies)
        }
        return router
    }

    /// All routes of the API.
    public static func build(_ dependencies: APIDependencies) -> Built {
        let router = router(tokens: dependencies.tokens, limits: dependencies.limits, proxies: dependencies.proxies)
        OperationRoutes(readiness: dependencies.readiness, metrics: dependencies.metrics).add(to: router)
        addPlayerRoutes(to: router, dependencies)
        addGameRoutes(to: router, dependencies)
        let routes = router.routes.map { "\($0.method.rawValue) \($0.path)" }
        OtherMethods.refuse(in: router)
        return Built(router: router, routes: routes)
    }

    /// Accounts and the store.
    private static func addPlayerRoutes(to router: Router<APIContext>, _ dependencies: APIDependencies) {
        let (accounts, store) = (dependencies.accounts, dependencies.store)
        let (players, matches) = (dependencies.players, dependencies.matches)
        AccountsRoutes(accounts: accounts, tokens: dependencies.tokens).add(to: router)
        SessionsRoutes(accounts: accounts, players: players).add(to: router)
        OwnDataRoutes(
            accounts: accounts,
            personal: PersonalData(accounts: accounts, store: store, players: players, matches: matches)
        ).add(to: router)
        StoreRoutes(store: store, accounts: accounts).add(to: router)
        InventoryRoutes(store: store, matches: matches).add(to: router)
        WebhookRoutes(webhooks: dependencies.webhooks).add(to: router)
        DevCatalogRoutes(editor: store.editor).add(to: router)
        DevOrdersRoutes(
            orders: store.orders, storeChanges: dependencies.storeChanges, gameChanges: dependencies.gameChanges
        ).add(to: router)
        PicturesRoutes(pictures: dependencies.pictures, folder: dependencies.pictureFolder).add(to: router)
        ConsoleRoutes(dependencies).add(to: router)
    }

    /// Tickets, instances, matches and their data.
    private static func addGameRoutes(to router: Router<APIContext>, _ dependencies: APIDependencies) {
        let version1 = router.group("/v1")
        let (players, store, tokens) = (dependencies.players, dependencies.store, dependencies.tokens)
        let (matchmaking, latencies) = (dependencies.matchmaking, dependencies.latencies)
        let replies = TicketReplies(service: matchmaking) { player, match, instance in
            try await tokens.join(player: player, match: match, instance: instance)
        }
        let histories = dependencies.histories
        let source = TicketMemberSource(
            service: matchmaking, latencies: latencies, remembered: dependencies.rememberedLatencies
        ) { player, mode in
            TicketMember(try await histories.history(of: player, mode: mode))
        }
        MatchmakingRoutes(service: matchmaking, watcher: dependencies.watcher, source: source, replies: replies)
            .add(to: version1)
        MatchmakingPlayerRoutes(service: matchmaking, latencies: latencies, replies: replies).add(to: version1)
        BackfillRoutes(matches: dependencies.matches, matchmaking: matchmaking).add(to: version1)
        let wardrobe = Wardrobe(loadouts: players.loadouts) { players in try await skins(of: players, store) }
        FleetRoutes(
            fleet: dependencies.fleet, matches: dependencies.matches, balance: dependencies.balance, players: players,
            matchmaking: matchmaking, latencies: latencies,
            skins: wardrobe.skins,
            loadouts: { players, owned in try await wardrobe.loadouts(of: players, owning: owned) },
            events: dependencies.events, resultStored: dependencies.resultStored
        ).add(to: version1)
        PlayersRoutes(
            players: players, matches: dependencies.matches, ratings: dependencies.ratings,
            seasons: dependencies.seasons, wardrobe: wardrobe
        ).add(to: router)
        LeaderboardRoutes(boards: dependencies.boards, seasons: dependencies.seasons).add(to: router)
        GameDataRoutes(players: players, matches: dependencies.matches, balance: dependencies.balance).add(to: router)
        EventsRoutes(log: dependencies.events).add(to: router)
        DevBalanceRoutes(balance: dependencies.balance).add(to: router)
    }

    /// What each of a match's players owns.
    private static func skins(
        of players: [PlayerID], _ store: StoreService
    ) async throws -> [PlayerID: [ProductID]] {
        try await store.inventory.skins(of: players)
    }
}

extension TicketMember {
    /// A player as the records know them, without wishes.
    init(_ history: MatchmakingHistory) {
        self.init(
            player: history.player,
            skill: Skill(rating: history.rating.rating, deviation: history.rating.deviation), games: history.games,
            streak: history.streak, leaverRate: history.leaverRate, recentOpponents: history.recentOpponents)
    }
}
