import AsyncHTTPClient
import GameModel
import Logging
import ServiceLifecycle
import Telemetry

/// What a game server needs to be an instance of Muster: it says that it lives, learns who plays, lets the right
/// players in, and brings events and results home.
///
/// Run it as a service that starts before the game, and so stops after it. It speaks the HTTP contract of `README.md`
/// and knows nothing else of the house. Results are not lost: they are on disk before they are sent, and sent until the
/// API has said yes or no, by a later instance of the host if need be. Events may be lost, and are counted then.
public final class InstanceClient: Service, CustomStringConvertible {
    public let configuration: Configuration
    /// What the fleet orders, each once. For one reader.
    public let orders: AsyncStream<FleetOrder>

    private let api: InstanceAPI
    private let clock: APIClock
    private let patches: PatchCache
    private let verifier: JoinVerifier
    private let events = EventBuffer()
    private let status: InstanceStatus
    private let spool: ResultSpool
    private let poster: ResultPoster
    private let logger: Logger
    private let ordering: AsyncStream<FleetOrder>.Continuation

    /// - Parameters:
    ///   - httpClient: by which the API is reached; ended by whoever made it, after ``run()``.
    ///   - now: this machine's clock. What has to agree with the API goes by the API's.
    /// - Throws: where the data folder can't be written, or another process has an instance of this name.
    public init(
        configuration: Configuration, httpClient: HTTPClient = .shared, logger: Logger,
        now: @escaping @Sendable () -> Instant = { .now }
    ) throws {
        let status = InstanceStatus(configuration: configuration)
        self.configuration = configuration
        self.logger = logger
        self.status = status
        clock = APIClock(local: now)
        api = InstanceAPI(url: configuration.apiURL, token: configuration.token, client: httpClient, clock: clock)
        patches = PatchCache(api: api)
        verifier = JoinVerifier(configuration: configuration, api: api, clock: clock, logger: logger)
        spool = try ResultSpool(
            dataFolder: configuration.dataFolder, instance: configuration.instance, logger: logger)
        poster = ResultPoster(api: api, spool: spool, logger: logger) { status.close($0) }
        (orders, ordering) = AsyncStream.makeStream()
    }

    /// Without the token: the description of a service ends up in logs.
    public var description: String { "InstanceClient(\(configuration))" }

    // MARK: The instance's life

    /// Players can connect to this port now, and matches may come.
    public func ready(port: Int) { status.set(.ready, port: port) }

    /// No new match from now on. Those that the fleet has placed here already may still begin.
    public func drain() { status.set(.draining) }

    /// The instance can't serve; ``ready(port:)`` takes it back. What it holds counts as lost.
    public func unhealthy() { status.set(.unhealthy) }

    public var standing: InstanceStanding { status.standing }

    /// For `/readyz`: whether the fleet knows this instance.
    public var readiness: ReadinessState { status.readiness }

    // MARK: Matches

    /// The matches that hold a slot here: each from ``open(_:)`` until the API has its result, or ``abandon(_:)``.
    public var matches: [MatchID] { status.matches }

    /// The match is on from now: heartbeats name it.
    public func open(_ match: MatchID) { status.open(match) }

    /// The match ends without a result: its slot is free.
    public func abandon(_ match: MatchID) { status.close(match) }

    /// Who plays, by which rules. Asked again, it is the roster of now: players may have come to a running match.
    ///
    /// - Parameter attempts: how often the API is asked while it can't answer, about a second apart at most.
    public func sheet(of match: MatchID, attempts: Int = 6) async throws(InstanceError) -> MatchSheet {
        var retry = Retry(cap: .seconds(1))
        var attempt = 1
        while true {
            do {
                let roster = try await api.roster(match)
                guard let balance = roster.balance else {
                    return roster.sheet(with: try await patches.balance(of: roster.patch))
                }
                await patches.keep(balance, of: roster.patch)
                return roster.sheet(with: balance)
            } catch {
                guard error.isWorthRetrying, attempt < attempts else { throw error }
                attempt += 1
                do { try await Task.sleep(for: retry.pause()) } catch let cancelled {
                    throw .unavailable("\(cancelled)")
                }
            }
        }
    }

    /// Asks for players for a running match; replaces what was asked before.
    /// - Parameters:
    ///   - open: open seats of each team.
    ///   - left: all who left so far.
    public func requestBackfill(_ match: MatchID, open: [Int], left: [PlayerID]) async throws(InstanceError) {
        try await api.requestBackfill(match, open: open, left: left)
    }

    /// Takes that back.
    public func cancelBackfill(_ match: MatchID) async throws(InstanceError) {
        try await api.cancelBackfill(match)
    }

    /// Ends a match with its result. Tell the players when this returns: the result is stored by then, in the API's
    /// book or, where that can't be reached in ``Configuration/resultPatience``, on this disk.
    public func finish(_ match: MatchID, _ report: MatchReport) async -> ResultDelivery {
        if status.countPlayed() { drain() }
        return await poster.finish(match, report, patience: configuration.resultPatience)
    }

    /// How many results the API has not taken yet. Wait for none before the end of the process, for a while.
    public var undeliveredResults: Int {
        get async { await poster.undeliveredCount }
    }

    // MARK: Players

    /// Whom a join token lets in, and where. It is used up by this: the same token is refused from now on.
    public func join(_ token: String) async throws(JoinRefusal) -> JoinPass { try await verifier.redeem(token) }

    /// The player was not let in after all: the token may be used again.
    public func giveBack(_ pass: JoinPass) async { await verifier.giveBack(pass) }

    /// The player is gone, before the end of the match; the match may go on.
    public func left(_ player: PlayerID, _ match: MatchID) { record("player_left", match: match, player: player) }

    // MARK: Events

    /// Says what happened. Never waits: past 20,000 events that wait to be sent, new ones are dropped and counted.
    /// - Parameter version: that of the kind's data, where its meaning has changed since the first.
    public func record(
        _ kind: String, version: Int? = nil, match: MatchID? = nil, player: PlayerID? = nil,
        data: [String: InstanceEvent.Value] = [:]
    ) {
        events.append(
            InstanceEvent(kind: kind, v: version, at: clock.now, matchId: match, playerId: player, data: data))
    }

    /// Events that did not reach the API.
    public var eventsDropped: Int { events.dropped }

    // MARK: The service

    /// Sends heartbeats, events and late results until graceful shutdown; then what is left of them once, and takes the
    /// instance out of the fleet.
    public func run() async throws {
        Failpoint.instanceListening.pass()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask { await self.beat() }
                tasks.addTask {
                    await self.events.pump(
                        to: self.api, every: self.configuration.eventInterval, logger: self.logger)
                }
                tasks.addTask { await self.poster.deliver(every: .milliseconds(250)) }
            }
        }
        ordering.finish()
        defer { spool.close() }
        guard !Task.isCancelled else { return }
        async let delivered = poster.deliverOnce(isLast: true)
        await events.flush(to: api, logger: logger)
        _ = await delivered
        do {
            try await api.deregister(configuration.instance)
        } catch {
            logger.warning("can't deregister; the fleet will notice", metadata: ["error": "\(error)"])
        }
    }

    /// A heartbeat that fails is not repeated: the next one says more.
    private func beat() async {
        var due = ContinuousClock.now
        var interval = configuration.heartbeatInterval
        while !Task.isCancelled {
            if let body = status.heartbeat {
                do {
                    let reply = try await api.heartbeat(configuration.instance, body)
                    if let seconds = reply.heartbeatSeconds { interval = .seconds(min(max(0.1, seconds), 10)) }
                    obey(reply.order)
                } catch {
                    let count = status.beatFailed()
                    if count <= 1 { logger.warning("heartbeat failed", metadata: ["error": "\(error)"]) }
                }
            }
            // Without a port there is nothing to say, and it is to be said as soon as there is one.
            due = max(due + (status.standing == .starting ? .milliseconds(50) : interval), .now)
            do { try await Task.sleep(until: due, clock: .continuous) } catch { return }
        }
    }

    private func obey(_ text: String?) {
        let taken = status.beatTaken(text.flatMap(FleetOrder.init(rawValue:)))
        if taken.isNews { logger.info("the fleet knows this instance") }
        guard let order = taken.order else { return }
        logger.info("ordered by the fleet", metadata: ["order": "\(order.rawValue)"])
        drain()
        ordering.yield(order)
    }
}
