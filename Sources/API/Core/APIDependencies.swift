import Accounts
import Fleet
import GameData
import GameModel
import Matchmaking
import Records
import Store
import Telemetry

/// What the routes stand on: one value of each, shared by all requests of a process.
public struct APIDependencies: Sendable {
    public var accounts: AccountService
    public var tokens: TokenIssuer
    public var store: StoreService
    public var webhooks: WebhookReceiver
    /// Who edited accounts and the store.
    public var storeChanges: ChangeLogRepository
    /// Who edited the balance.
    public var gameChanges: ChangeLogRepository
    public var pictures: PictureService
    /// Where pictures lie that the API itself takes and serves; `nil` where a bucket does.
    public var pictureFolder: FolderPictures?
    public var matchmaking: MatchmakingService
    public var watcher: TicketWatcher
    public var latencies: PlayerLatencies
    public var histories: MatchmakingHistoryRepository
    public var fleet: FleetService
    public var players: PlayersRepository
    public var matches: MatchesRepository
    public var ratings: RatingHistoryRepository
    public var seasons: SeasonsRepository
    public var boards: Leaderboards
    public var balance: BalanceRepository
    public var events: EventLog
    public var readiness: Readiness
    public var metrics: MetricsRegistry
    /// Round trips in ms, by region, of a player of whom Redis knows none any more; empty for a new one.
    public var rememberedLatencies: @Sendable (PlayerID) async -> [Region: Double] = { _ in [:] }
    public var limits = RateLimits()
    public var proxies = TrustedProxies.loopback
    /// Told when a match's result was stored, so that its job is relayed at once.
    public var resultStored: @Sendable () -> Void

    public init(
        accounts: AccountService, tokens: TokenIssuer, store: StoreService, webhooks: WebhookReceiver,
        storeChanges: ChangeLogRepository, gameChanges: ChangeLogRepository,
        pictures: PictureService, pictureFolder: FolderPictures?, matchmaking: MatchmakingService,
        watcher: TicketWatcher, latencies: PlayerLatencies,
        histories: MatchmakingHistoryRepository, fleet: FleetService, players: PlayersRepository,
        matches: MatchesRepository, ratings: RatingHistoryRepository,
        seasons: SeasonsRepository, boards: Leaderboards, balance: BalanceRepository, events: EventLog,
        readiness: Readiness, metrics: MetricsRegistry, resultStored: @escaping @Sendable () -> Void
    ) {
        self.accounts = accounts
        self.tokens = tokens
        self.store = store
        self.webhooks = webhooks
        self.storeChanges = storeChanges
        self.gameChanges = gameChanges
        self.pictures = pictures
        self.pictureFolder = pictureFolder
        self.matchmaking = matchmaking
        self.watcher = watcher
        self.latencies = latencies
        self.histories = histories
        self.fleet = fleet
        self.players = players
        self.matches = matches
        self.ratings = ratings
        self.seasons = seasons
        self.boards = boards
        self.balance = balance
        self.events = events
        self.readiness = readiness
        self.metrics = metrics
        self.resultStored = resultStored
    }
}
