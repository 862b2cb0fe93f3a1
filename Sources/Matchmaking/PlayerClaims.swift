import GameModel
import Redis

/// The one active ticket of each player, `muster:mm:player:{id}`: claimed before a ticket is created or joined, freed
/// after it ended; and the time for which a player may claim none.
///
/// The claim is in another slot than the ticket, so the two can't be one script. A claim may outlive its ticket (a
/// process died between the two, or the ticket's keys were lost); such a claim is replaced by compare-and-swap, and a
/// cooldown that its ticket earned is given then. Its TTL is longer than any ticket can live.
struct PlayerClaims: Sendable {
    enum Reply {
        case claimed
        /// Claimed by this ticket.
        case held(TicketID)
        /// The player may not queue until then.
        case coolingDown(until: Instant)
    }

    /// A claim that is free because its ticket ended.
    struct Freed: Sendable, Hashable {
        let player: PlayerID
        let ticket: TicketID
        /// Whether the player earned a cooldown by how it ended.
        var isGuilty = false
    }

    let redis: RedisClient

    /// Claims a player for a ticket where no other does, or the one `replacing` does.
    func claim(
        _ player: PlayerID, for ticket: TicketID, lifeMs: Int64, replacing: TicketID? = nil
    ) async throws(RedisError) -> Reply {
        let reply = try await redis.run(
            MatchmakingScripts.claim, keys: [MatchmakingKeys.claim(player), MatchmakingKeys.cooldown(player)],
            arguments: [
                RedisArgument(ticket.rawValue), RedisArgument(lifeMs), RedisArgument(replacing?.rawValue ?? ""),
            ], isSafeToRepeat: true)
        guard let items = reply.array, let answer = items.first?.int else { throw .unexpectedReply("claim") }
        if answer == 1 { return .claimed }
        guard items.count == 2 else { throw .unexpectedReply("claim") }
        if answer == -1, let until = items[1].int {
            return .coolingDown(until: Instant(milliseconds: Int64(until)))
        }
        guard let holder = items[1].string else { throw .unexpectedReply("claim") }
        return .held(TicketID(holder))
    }

    /// Frees players whose tickets ended, and cools down who is guilty; a player that another ticket claims by now is
    /// not freed.
    /// - Parameter rule: the cooldown of a ticket's mode.
    func release(_ claims: [Freed], rule: (TicketID) -> CooldownRule?) async throws(RedisError) {
        guard !claims.isEmpty else { return }
        let replies = try await redis.pipeline(
            MatchmakingScripts.claimRelease,
            calls: claims.map { freed in
                Self.releaseCall(
                    freed.player, cause: freed.ticket.rawValue, freed.isGuilty ? rule(freed.ticket) : nil)
            })
        for case .error(let reason) in replies { throw .server(reason) }
    }

    /// Cools a player down for a cause other than a ticket.
    /// - Returns: until when the player may not queue; `nil` where the rule knows no cooldown.
    func penalise(_ player: PlayerID, cause: String, _ rule: CooldownRule?) async throws(RedisError) -> Instant? {
        let (keys, arguments) = Self.releaseCall(player, cause: cause, rule)
        let reply = try await redis.run(
            MatchmakingScripts.claimRelease, keys: keys, arguments: arguments, isSafeToRepeat: true)
        guard let until = reply.array?.last?.int else { throw .unexpectedReply("claim_release") }
        return until == 0 ? nil : Instant(milliseconds: Int64(until))
    }

    private static func releaseCall(
        _ player: PlayerID, cause: String, _ rule: CooldownRule?
    ) -> (keys: [RedisKey], arguments: [RedisArgument]) {
        let rule = rule ?? CooldownRule()
        return (
            keys: [MatchmakingKeys.claim(player), MatchmakingKeys.cooldown(player)],
            arguments: [
                RedisArgument(cause), RedisArgument(Int64(rule.seconds * 1_000)), RedisArgument("\(rule.factor)"),
                RedisArgument(Int64(rule.secondsMax * 1_000)), RedisArgument(Int64(rule.forgetSeconds * 1_000)),
            ]
        )
    }

    /// Reads `{1, players, ticket, players, ticket, …}`, which the scripts that end tickets reply; a party's players
    /// are joined by ',', the guilty of them marked by '!'.
    static func freed(in reply: RESPValue) -> [Freed] {
        guard let items = reply.array, items.first?.int == 1 else { return [] }
        return stride(from: 1, to: items.count - 1, by: 2).flatMap { index in
            guard let players = items[index].string, let ticket = items[index + 1].string else { return [Freed]() }
            return players.split(separator: ",").map { player in
                let isGuilty = player.hasPrefix("!")
                return Freed(
                    player: PlayerID(String(isGuilty ? player.dropFirst() : player)), ticket: TicketID(ticket),
                    isGuilty: isGuilty)
            }
        }
    }
}
