import GameModel

/// What an instance says of itself.
public enum InstanceStanding: String, Sendable, Codable {
    /// It has no port yet.
    case starting
    /// It takes matches.
    case ready
    /// It takes no new match, and ends when those that it holds have ended.
    case draining
    /// It can't serve: the fleet gives it nothing and ends what it holds, until it says otherwise.
    case unhealthy
}

/// What the fleet tells an instance with the answer to its heartbeat.
public enum FleetOrder: String, Sendable, Codable {
    /// Take no more matches than those that are placed here, and wait for `shutdown`.
    case drain
    /// Nothing runs or is placed here any more: end.
    case shutdown
}

/// The body of `PUT /v1/fleet/instances/{id}`.
struct HeartbeatBody: Codable, Sendable {
    var region: Region
    var host: String
    var port: Int
    var slots: Int
    var build: String
    var matches: [MatchID]
    var state: InstanceStanding
    var matchesPlayed: Int
}

/// The answer to it. What is not known here is left for later versions.
struct HeartbeatReply: Decodable, Sendable {
    var heartbeatSeconds: Double?
    var order: String?
}
