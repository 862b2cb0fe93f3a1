import Accounts
import Fleet
import GameData
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import Matchmaking
import Telemetry

/// What game instances ask and say: that they live, who plays in a match, how it ended.
///
/// All of it needs a token of role `instance`. Its subject must be the instance itself, or ``sharedSubject`` for the
/// instances of one machine that `muster up` gave one token.
public struct FleetRoutes: Sendable {
    /// The subject of a token that speaks for every instance.
    public static let sharedSubject = "fleet"

    private let fleet: FleetService
    private let matches: MatchesRepository
    private let balance: BalanceRepository
    private let players: PlayersRepository
    private let matchmaking: MatchmakingService
    private let latencies: PlayerLatencies
    private let skins: @Sendable ([PlayerID]) async throws -> [PlayerID: [ProductID]]
    private let loadouts:
        @Sendable ([PlayerID], [PlayerID: [ProductID]]) async throws -> [PlayerID: [String: ProductID]]
    private let events: EventLog?
    private let resultStored: @Sendable () -> Void

    /// - Parameters:
    ///   - skins: the skins that each of the players owns (the store's entitlements).
    ///   - loadouts: the skin that each of the players wears with each character, of those they own.
    ///   - events: where it is told how a match went for each player, once its result is stored.
    ///   - resultStored: told when a result was written with its outbox row, so that the relay need not wait.
    public init(
        fleet: FleetService, matches: MatchesRepository, balance: BalanceRepository, players: PlayersRepository,
        matchmaking: MatchmakingService, latencies: PlayerLatencies,
        skins: @escaping @Sendable ([PlayerID]) async throws -> [PlayerID: [ProductID]],
        loadouts:
            @escaping @Sendable ([PlayerID], [PlayerID: [ProductID]]) async throws -> [PlayerID: [String: ProductID]],
        events: EventLog? = nil, resultStored: @escaping @Sendable () -> Void = {}
    ) {
        self.fleet = fleet
        self.matches = matches
        self.balance = balance
        self.players = players
        self.matchmaking = matchmaking
        self.latencies = latencies
        self.skins = skins
        self.loadouts = loadouts
        self.events = events
        self.resultStored = resultStored
    }

    /// Adds the routes to a router or group that stands at `/v1`.
    public func add(to router: some RouterMethods<APIContext>) {
        router.put("fleet/instances/{id}", use: heartbeat)
        router.delete("fleet/instances/{id}", use: deregister)
        router.get("fleet/matches/{id}", use: match)
        router.post("fleet/matches/{id}/result", use: result)
    }

    // MARK: Instances

    @Sendable private func heartbeat(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .instance)
        let instance = try context.parameter("id", as: InstanceID.self)
        try Self.hold(identity, speaksFor: instance)
        var beat = try await request.decodeBody(InstanceHeartbeat.self, context: context)
        try beat.validate(for: instance)
        beat.matches = try await placed(beat.matches, on: instance, in: beat.region)
        let answer = try await fleet.heartbeat(instance, beat)
        return try .json(
            HeartbeatReply(
                heartbeatSeconds: answer.interval.inSeconds, state: answer.state, order: answer.order))
    }

    /// Without those that were placed on another instance since this one was taken for dead: it must not take them
    /// back.
    /// Only what the fleet does not have here already is looked up.
    private func placed(
        _ named: [MatchID], on instance: InstanceID, in region: Region
    ) async throws -> [MatchID] {
        let owners = try await fleet.owners(of: named, in: region)
        var here: [MatchID] = []
        for match in named {
            if owners[match] != instance, let record = try await matches.match(match), record.instanceId != instance {
                continue
            }
            here.append(match)
        }
        return here
    }

    @Sendable private func deregister(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .instance)
        let instance = try context.parameter("id", as: InstanceID.self)
        try Self.hold(identity, speaksFor: instance)
        try await fleet.deregister(instance)
        return .empty()
    }

    // MARK: Matches

    @Sendable private func match(_ request: Request, _ context: APIContext) async throws -> Response {
        let record = try await placedMatch(context)
        guard record.state == .placed else {
            throw Problem.conflict("Match \(record.matchId) is over: it is \(record.state.rawValue).")
        }
        // An instance that keeps patches does without: a patch never changes.
        let isWhole = request.query("balance") != "omit"
        guard let patch = try await balance.patch(record.patch) else { throw Problem.internalError }
        let everyone = record.roster.map(\.playerId)
        let names = try await players.displayNames(everyone)
        let owned = try await skins(everyone)
        return try .json(
            MatchSheetReply(
                record, names: names, skins: owned, worn: try await loadouts(everyone, owned),
                patch: isWhole ? patch : nil,
                canBackfill: matchmaking.rules.modes[record.mode]?.backfill.isAllowed ?? false))
    }

    @Sendable private func result(_ request: Request, _ context: APIContext) async throws -> Response {
        let (id, placed) = try await namedMatch(context)
        let body = try await request.decodeBody(ResultBody.self, context: context)
        guard let record = placed else { throw Problem.notFound("There is no match \(id).") }
        let reply = try await matches.recordResult(
            record.matchId, body.result, by: try context.requireIdentity(role: .instance).subject)
        Failpoint.resultStored.pass()
        switch reply {
        case .recorded, .alreadyRecorded:
            // While the match still holds the players: who left can't queue in between.
            await penaliseLeavers(record, body, context.logger)
            resultStored()
            await wrapUp(record, body, context.logger)
            await tell(record, body, context.logger)
            return try .json(
                ResultReply(matchId: record.matchId, recorded: reply == .recorded),
                status: reply == .recorded ? .created : .ok)
        case .conflict:
            throw Problem.conflict(
                "Match \(record.matchId) has ended otherwise: that stands, and this result is kept for a person to see."
            )
        case .unknownMatch:
            throw Problem.notFound("There is no match \(record.matchId).")
        }
    }

    /// The match of the path, where the token speaks for the instance it is placed on.
    private func placedMatch(_ context: APIContext) async throws -> MatchRecord {
        let (id, record) = try await namedMatch(context)
        guard let record else { throw Problem.notFound("There is no match \(id).") }
        return record
    }

    /// The same, where a body is to be judged before it is said that there is no such match.
    private func namedMatch(_ context: APIContext) async throws -> (MatchID, MatchRecord?) {
        let identity = try context.requireIdentity(role: .instance)
        let id = try context.parameter("id", as: MatchID.self)
        let record = try await matches.match(id)
        if let record { try Self.hold(identity, speaksFor: record.instanceId) }
        return (id, record)
    }

    /// The result is safe by now; what is in Redis may follow: the next heartbeat frees the slot as well, and tickets
    /// end by their own time.
    private func wrapUp(_ record: MatchRecord, _ body: ResultBody, _ logger: Logger) async {
        let match = record.matchId
        do {
            try await fleet.release(match)
        } catch {
            logger.warning("slot not released", metadata: ["match": "\(match)", "error": "\(error)"])
        }
        do {
            try await matchmaking.finish(match)
        } catch {
            logger.warning("tickets not finished", metadata: ["match": "\(match)", "error": "\(error)"])
        }
        await observeLatencies(record, body, logger)
    }

    /// Tells how the match went for each player, for the totals of characters and regions. An event: it may be lost.
    /// Told again where the result is: who told it first may have died in between. The totals count it once.
    private func tell(_ record: MatchRecord, _ body: ResultBody, _ logger: Logger) async {
        guard let events else { return }
        do {
            try await events.append(
                FinishedPlayer.events(
                    of: record, body.result, latencies: body.latencies.mapValues(Self.clamped), at: .now))
        } catch {
            logger.warning("events not told", metadata: ["match": "\(record.matchId)", "error": "\(error)"])
        }
    }

    /// Who left may not queue for a while, by the mode's rules.
    private func penaliseLeavers(_ record: MatchRecord, _ body: ResultBody, _ logger: Logger) async {
        for player in body.result.players where player.left {
            do {
                try await matchmaking.penalise(player.playerId, for: record.matchId)
            } catch {
                logger.warning("leaver not penalised", metadata: Self.metadata(record, player.playerId, error))
            }
        }
    }

    /// How far everyone was is measured by the instance, not said by them.
    private func observeLatencies(_ record: MatchRecord, _ body: ResultBody, _ logger: Logger) async {
        let roster = Set(record.roster.map(\.playerId))
        for (player, ms) in body.latencies where roster.contains(player) {
            do {
                try await latencies.observe(player, record.region, ms: Self.clamped(ms))
            } catch {
                logger.warning("latency not kept", metadata: Self.metadata(record, player, error))
            }
        }
    }

    /// What an instance measured, within what a ticket may say.
    private static func clamped(_ ms: Double) -> Double { min(max(0, ms), TicketRequest.latencyMsMax) }

    private static func metadata(
        _ record: MatchRecord, _ player: PlayerID, _ error: any Error
    ) -> Logger.Metadata {
        ["match": "\(record.matchId)", "player": "\(player)", "error": "\(error)"]
    }

    static func hold(_ identity: Identity, speaksFor instance: InstanceID) throws(Problem) {
        guard identity.subject == instance.rawValue || identity.subject == sharedSubject else {
            throw .forbidden("This token speaks for '\(identity.subject)', not for instance '\(instance)'.")
        }
    }
}

// MARK: Replies

private struct HeartbeatReply: Encodable {
    let heartbeatSeconds: Double
    /// What the fleet takes the instance for.
    let state: InstanceState
    /// `drain` or `shutdown`; left out where the instance is to go on.
    let order: InstanceCommand?
}

private struct ResultReply: Encodable {
    let matchId: MatchID
    /// `false` where the same result was recorded before.
    let recorded: Bool
}

/// A result, and beside it what is not part of the match: how far each player was from the instance.
private struct ResultBody: Decodable {
    let result: MatchResult
    /// In ms; what could not be measured is left out.
    let latencies: [PlayerID: Double]

    private enum CodingKeys: String, CodingKey { case players }

    private struct Player: Decodable {
        let playerId: PlayerID
        let latencyMs: Double?
    }

    init(from decoder: any Decoder) throws {
        result = try MatchResult(from: decoder)
        let players = try decoder.container(keyedBy: CodingKeys.self).decode([Player].self, forKey: .players)
        let measured = players.compactMap { player in player.latencyMs.map { (player.playerId, $0) } }
        latencies = Dictionary(measured, uniquingKeysWith: { first, _ in first })
    }
}

/// All that an instance needs to play a match.
private struct MatchSheetReply: Encodable {
    struct Player: Encodable {
        let playerId: PlayerID
        let displayName: String
        let character: String
        let rating: Double
        let role: String?
        let skins: [ProductID]
        /// The one that the player wears with this character; absent where they chose none of theirs.
        let skin: ProductID?
    }

    struct Balance: Encodable {
        let characters: [Patch.Character]
        let weapons: [Patch.Weapon]
    }

    let matchId: MatchID
    let mode: Mode
    let region: Region
    let patch: PatchVersion
    let teams: [[Player]]
    /// Seats of each team that bots take; empty where none plays.
    let bots: [Int]
    /// Whether the match may ask for players when some leave.
    let canBackfill: Bool
    /// Absent where it was asked to be (`?balance=omit`).
    let balance: Balance?

    init(
        _ record: MatchRecord, names: [PlayerID: String], skins: [PlayerID: [ProductID]],
        worn: [PlayerID: [String: ProductID]], patch: Patch?, canBackfill: Bool
    ) {
        matchId = record.matchId
        mode = record.mode
        region = record.region
        self.patch = record.patch
        teams = record.teams.map { seats in
            seats.map { seat in
                Player(
                    playerId: seat.playerId, displayName: names[seat.playerId] ?? seat.playerId.rawValue,
                    character: seat.character, rating: seat.rating, role: seat.role, skins: skins[seat.playerId] ?? [],
                    skin: worn[seat.playerId]?[seat.character])
            }
        }
        bots = record.bots
        self.canBackfill = canBackfill
        balance = patch.map { Balance(characters: $0.characters, weapons: $0.weapons) }
    }
}
