import GameModel
import Redis

/// Players who declined, kept silent or left a match may not queue for a while.
extension MatchmakingService {
    /// Until when a player may not queue, by Redis `TIME`; `nil` where nothing holds the player back.
    public func cooldown(of player: PlayerID) async throws(MatchmakingError) -> Instant? {
        let key = MatchmakingKeys.cooldown(player)
        let replies: [RESPValue]
        do throws(RedisError) {
            replies = try await redis.pipeline([
                RedisCommand("HGET", RedisArgument(key), "until", isSafeToRepeat: true),
                RedisCommand("TIME", isSafeToRepeat: true),
            ])
        } catch {
            throw .redis(error)
        }
        if case .error(let reason) = replies[0] { throw .redis(.server(reason)) }
        guard let until = replies[0].string.flatMap(Instant.init(text:)) else { return nil }
        guard let seconds = replies[1].array?.first?.int else { throw .redis(.unexpectedReply("TIME")) }
        return until.milliseconds > Int64(seconds) * 1_000 ? until : nil
    }

    /// A player left a match before its end. Saying it again of the same match does nothing.
    /// - Returns: until when the player may not queue; `nil` where the mode knows no cooldown.
    @discardableResult
    public func penalise(_ player: PlayerID, for match: MatchID) async throws(MatchmakingError) -> Instant? {
        do throws(RedisError) {
            return try await claims.penalise(
                player, cause: match.rawValue, match.pool.flatMap(rules.rules(of:))?.cooldown)
        } catch {
            throw .redis(error)
        }
    }
}
