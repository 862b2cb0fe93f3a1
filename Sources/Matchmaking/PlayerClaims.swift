import GameModel
import Redis

/// The one active ticket of each player, `muster:mm:player:{id}`: claimed before a ticket is created, freed after it
/// ended.
///
/// The claim is in another slot than the ticket, so the two can't be one script. A claim may outlive its ticket (a
/// process died between the two, or the ticket's keys were lost); such a claim is replaced by compare-and-swap. Its TTL
/// is longer than any ticket can live.
struct PlayerClaims: Sendable {
    enum Reply {
        case claimed
        /// Claimed by this ticket.
        case held(TicketID)
    }

    let redis: RedisClient

    /// Claims a player for a ticket where no other does, or the one `replacing` does.
    func claim(
        _ player: PlayerID, for ticket: TicketID, lifeMs: Int64, replacing: TicketID? = nil
    ) async throws(RedisError) -> Reply {
        let reply = try await redis.run(
            MatchmakingScripts.claim, keys: [MatchmakingKeys.claim(player)],
            arguments: [
                RedisArgument(ticket.rawValue), RedisArgument(lifeMs), RedisArgument(replacing?.rawValue ?? ""),
            ], isSafeToRepeat: true)
        guard let items = reply.array, let answer = items.first?.int else { throw .unexpectedReply("claim") }
        if answer == 1 { return .claimed }
        guard items.count == 2, let holder = items[1].string else { throw .unexpectedReply("claim") }
        return .held(TicketID(holder))
    }

    /// Frees players whose tickets ended; a player that another ticket claims by now is left alone.
    func release(_ claims: [(player: PlayerID, ticket: TicketID)]) async throws(RedisError) {
        guard !claims.isEmpty else { return }
        let replies = try await redis.pipeline(
            MatchmakingScripts.claimRelease,
            calls: claims.map {
                (keys: [MatchmakingKeys.claim($0.player)], arguments: [RedisArgument($0.ticket.rawValue)])
            })
        for case .error(let reason) in replies { throw .server(reason) }
    }

    /// Reads `{1, players, ticket, players, ticket, …}`, which the scripts that end tickets reply; a party's players
    /// are joined by ','.
    static func freed(in reply: RESPValue) -> [(player: PlayerID, ticket: TicketID)] {
        guard let items = reply.array, items.first?.int == 1 else { return [] }
        return stride(from: 1, to: items.count - 1, by: 2).flatMap { index in
            guard let players = items[index].string, let ticket = items[index + 1].string else {
                return [(player: PlayerID, ticket: TicketID)]()
            }
            return players.split(separator: ",").map { (PlayerID(String($0)), TicketID(ticket)) }
        }
    }
}
