import GameModel
import Logging
import Redis

/// Players whose match was taken away, its instance having died, come before others when they queue again.
extension MatchmakingService {
    /// By how much earlier their next ticket counts as queued; less where the mode's longest wait is short.
    public static let headStart = Duration.seconds(60)
    /// How long they have to queue again.
    static let headStartLife = Duration.seconds(600)

    /// Gives players their head start. That this fails is no failure of the step before it: they wait like others.
    func giveHeadStart(_ players: [PlayerID]) async {
        guard !players.isEmpty else { return }
        do throws(RedisError) {
            _ = try await redis.pipeline(
                players.map { player in
                    RedisCommand(
                        "SET", RedisArgument(MatchmakingKeys.headStart(player)),
                        RedisArgument(Self.headStart.milliseconds), "PX",
                        RedisArgument(Self.headStartLife.milliseconds), isSafeToRepeat: true)
                })
        } catch {
            logger.warning("no head start for players of a lost match", metadata: ["error": "\(error)"])
        }
    }

    /// A player's head start in ms; 0 where there is none.
    func headStart(of player: PlayerID) async throws(RedisError) -> Int {
        try await redis.send(
            RedisCommand("GET", RedisArgument(MatchmakingKeys.headStart(player)), isSafeToRepeat: true)
        ).string.flatMap { Int($0) } ?? 0
    }

    /// A ticket was created with it. Where this is not carried out, the next ticket has it once more, until it ends.
    func takeHeadStart(of player: PlayerID) async {
        do throws(RedisError) {
            _ = try await redis.send(
                RedisCommand("DEL", RedisArgument(MatchmakingKeys.headStart(player)), isSafeToRepeat: true))
        } catch {
            logger.info("a head start stays", metadata: ["player": "\(player)", "error": "\(error)"])
        }
    }
}
