import GameModel

/// What operators are shown of a ticket.
public struct TicketFacts: Sendable, Hashable, Codable {
    public struct Player: Sendable, Hashable, Codable {
        public let player: PlayerID
        public let hasJoined: Bool
        public let hasAccepted: Bool
        /// When the player accepted the match that the ticket is in.
        public let acceptedAt: Instant?
        /// Points; `nil` before the player joined.
        public let rating: Double?
        public let deviation: Double?
        public let games: Int?
        public let roles: [String]
        /// In ms, by region.
        public let latencies: [String: Double]
        public let attributes: [String: AttributeValue]
    }

    public let id: TicketID
    /// `mode:region`
    public let pool: String
    public let state: TicketState
    public let players: [Player]
    /// The mean of who joined; of a backfill ticket, of who plays; `nil` where nobody did.
    public let rating: Double?
    public let queuedAt: Instant
    public let since: Instant
    /// Until it was matched, or until now, in ms; 0 of one that was never queued.
    public let waitedMs: Int64
    public let match: MatchID?
    public let acceptBy: Instant?
    public let instance: InstanceID?
    public let reason: String?
    public let endedBy: [PlayerID]
    /// The running match that asks for players by it.
    public let backfillOf: MatchID?

    init(_ ticket: Ticket, _ fields: [String: String], at now: Instant) {
        let body = TicketBody(fields: fields)
        id = ticket.id
        pool = ticket.id.pool?.description ?? "-"
        state = ticket.state
        let members = Dictionary(ticket.members.map { ($0.player, $0) }) { first, _ in first }
        let stamps = (fields["acceptedAt"] ?? "").split(separator: ",").map { Int64($0) ?? 0 }
        players = ticket.players.enumerated().map { index, player in
            let stamp = index < stamps.count && stamps[index] > 0 ? Instant(milliseconds: stamps[index]) : nil
            let member = members[player]
            return Player(
                player: player, hasJoined: member != nil, hasAccepted: ticket.accepted.contains(player),
                acceptedAt: stamp,
                rating: member?.skill.rating, deviation: member?.skill.deviation, games: member?.games,
                roles: member?.roles ?? [],
                latencies: Dictionary(
                    (member?.latencies ?? [:]).map { ($0.key.rawValue, $0.value) }
                ) { first, _ in first },
                attributes: member?.attributes ?? [:])
        }
        backfillOf = body?.backfill?.match
        let rated = QueuedTicket(
            id: ticket.id, queuedAt: ticket.queuedAt, members: ticket.members, backfill: body?.backfill)
        rating = ticket.members.isEmpty && body?.backfill == nil ? nil : rated.rating
        queuedAt = ticket.queuedAt
        since = ticket.since
        let until = ticket.state == .queued || ticket.state == .forming ? now : ticket.since
        waitedMs = ticket.state == .forming ? 0 : max(0, (until - ticket.queuedAt).milliseconds)
        match = ticket.match
        acceptBy = ticket.acceptBy
        instance = ticket.assignment?.instanceId
        reason = ticket.reason
        endedBy = ticket.endedBy
    }
}

/// Which tickets are meant.
public struct TicketFilter: Sendable, Hashable {
    /// Those that are looked for: of tickets that ended, none is listed.
    public var states: Set<TicketState>
    public var mode: Mode?
    public var region: Region?

    /// All that wait for something.
    public static let waiting: Set<TicketState> = [.forming, .queued, .proposed, .accepted, .placing]

    public init(states: Set<TicketState> = TicketFilter.waiting, mode: Mode? = nil, region: Region? = nil) {
        self.states = states
        self.mode = mode
        self.region = region
    }

    /// Whether the pool may hold such.
    func admits(_ pool: Pool) -> Bool {
        (mode == nil || mode == pool.mode) && (region == nil || region == pool.region)
    }
}
