import GameModel

/// What operators are shown of a match.
public struct MatchFacts: Sendable, Hashable, Codable {
    public let id: MatchID
    /// `mode:region`
    public let pool: String
    public let state: MatchState
    /// Where it is played.
    public let region: Region?
    /// The version of the rules by which it was made.
    public let rules: String?
    /// Human players.
    public let players: Int
    /// Players who have accepted.
    public let accepted: Int
    /// The tickets of each team.
    public let teams: [[TicketID]]
    /// Seats of each team that bots take; empty = none.
    public let bots: [Int]
    public let proposedAt: Instant?
    public let since: Instant?
    public let acceptBy: Instant?
    public let instance: InstanceID?
    public let reason: String?
    /// The running match that these players were to join.
    public let into: MatchID?
    /// What the matcher knew when it made the match; `nil` where it was not kept.
    public let grounds: MatchGrounds?

    /// `nil` where there is no such match, or what makes a match is missing.
    init?(_ id: MatchID, _ fields: [String: String]) {
        guard let state = fields["state"].flatMap(MatchState.init(rawValue:)), let roster = fields["roster"] else {
            return nil
        }
        func numbers(_ name: String) -> [Int] { fields[name]?.split(separator: ",").compactMap { Int($0) } ?? [] }
        func instant(_ name: String) -> Instant? { fields[name].flatMap(Instant.init(text:)) }
        self.id = id
        pool = id.pool?.description ?? "-"
        self.state = state
        region = fields["region"].map { Region($0) } ?? id.region
        rules = fields["rules"]
        players = fields["players"].flatMap { Int($0) } ?? 0
        accepted = fields["accepted"].flatMap { Int($0) } ?? 0
        var tickets = roster.split(separator: ",").map { TicketID(String($0)) }[...]
        teams = numbers("teams").map { size in
            defer { tickets = tickets.dropFirst(size) }
            return Array(tickets.prefix(size))
        }
        bots = numbers("bots")
        proposedAt = instant("proposedAt")
        since = instant("since")
        acceptBy = instant("acceptBy")
        instance = Assignment(fields: fields)?.instanceId
        reason = fields["reason"]
        into = fields["into"].map { MatchID($0) }
        grounds = fields["why"].flatMap { MatchGrounds(text: $0) }
    }
}
