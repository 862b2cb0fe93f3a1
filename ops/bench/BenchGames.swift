import Accounts
import GameData
import GameModel
import Logging
import NIOCore
import NIOPosix
import Records

/// What places matches and lets players in, as the allocator and the API do.
struct BenchGames: Sendable {
    let matches: MatchesRepository
    let patch: PatchVersion
    let issuer: TokenIssuer
    private let database: RecordsDatabase

    /// Gives all characters the most health that there is, so that nobody falls before a match's time is over.
    init(_ backend: BenchBackend, _ logger: Logger) async throws {
        database = try RecordsDatabase.open(
            path: backend.folder + "/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: logger)
        matches = MatchesRepository(database: database)
        issuer = TokenIssuer(ring: try KeyRing(folder: backend.folder + "/keys"))
        let balance = BalanceRepository(database: database)
        for character in try await balance.current().characters {
            try await balance.editCharacter(character.id, health: Patch.healthRange.upperBound, by: "bench")
        }
        patch = try await balance.current().patch
    }

    func close() throws { try database.close() }
}

/// The matches of one instance of a benchmark.
struct BenchGame: Sendable {
    let games: BenchGames
    let instance: InstanceID
    let port: Int
    let group: MultiThreadedEventLoopGroup
    let tally: MatchTally

    private static let characters = ["warden", "ranger"]

    /// One match after the other until the tally is over, or this task is cancelled.
    func playOn() async {
        do {
            while !tally.isOver, !Task.isCancelled { try await play() }
        } catch {
            tally.fail("\(error)")
        }
    }

    private func play() async throws {
        let pool = HeldMatches.pool
        let match = MatchID(in: pool, ULID())
        let players = [PlayerID(ULID().description), PlayerID(ULID().description)]
        try await games.matches.place(
            MatchPlacement(
                matchId: match, mode: pool.mode, region: pool.region, instanceId: instance, patch: games.patch,
                roster: players.enumerated().map { team, player in
                    MatchSeat(
                        team: team, ticketId: TicketID(in: pool, ULID()), playerId: player,
                        character: Self.characters[team], rating: 1_500)
                }))
        var channels: [any Channel] = []
        for player in players {
            let token = try await games.issuer.join(player: player, match: match, instance: instance)
            channels.append(try await connect(token, isWitness: channels.isEmpty))
        }
        await withTaskCancellationHandler { [channels] in
            for channel in channels {
                do {
                    try await channel.closeFuture.get()
                } catch {
                    tally.fail("\(error)")
                }
            }
        } onCancel: { [channels] in
            for channel in channels { channel.close(promise: nil) }
        }
    }

    private func connect(_ token: String, isWitness: Bool) async throws -> any Channel {
        try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        BenchPlayer(token: token, tally: tally, isWitness: isWitness))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }
}
