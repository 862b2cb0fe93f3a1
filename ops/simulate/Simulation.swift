import GameModel
import Matchmaking

/// An offline run of the production matcher over a made-up day of players.
public struct Simulation: Sendable {
    public let rules: MatchmakingRules

    public init(rules: MatchmakingRules) { self.rules = rules }
}
