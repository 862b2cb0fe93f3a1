import GameModel

/// What the rules judge each waiting ticket by, as numbers in flat arrays by slot: the search reads them without a
/// string, an allocation or a reference count.
///
/// Players, and values of `equal` attributes, are 64-bit hashes of their texts; values of `one-of` attributes are bits,
/// given out while they are in use.
struct CompiledTickets: Sendable {
    /// The part of a ticket that every search touches.
    struct Row: Sendable {
        /// Mean of the members' ratings with their streaks; of a backfill ticket, of who plays.
        var rating = 0.0
        /// Sum of the same, and of the squares of their deviations; 0 for a backfill ticket.
        var ratingSum = 0.0
        var deviationSum = 0.0
        /// In ms.
        var queuedAt: Int64 = 0
        /// From when on it is looked at, in ms: leavers are held back.
        var heldUntil: Int64 = 0
        /// What its rating window is multiplied by when it is the anchor.
        var windowFactor = 1.0
        /// Players who want seats; 0 for a backfill ticket.
        var size: Int32 = 0
        /// How many players the ticket names: its own, or who plays in the match that it wants players for.
        var playerCount: Int32 = 0
        /// How many players avoid-lists name, after those in ``CompiledTickets/lists``; the rest are recent opponents.
        var avoidedCount: Int32 = 0
        /// The hash of the only player, where ``CompiledTickets/lists`` holds nothing.
        var player: UInt64 = 0
        /// One bit of each player, of each avoided one and of each recent opponent: where two of these sets have no bit
        /// in common, the lists have nothing in common either.
        var players: UInt64 = 0
        var avoided: UInt64 = 0
        var recent: UInt64 = 0
        var isBackfill = false
        var hasLists = false
    }

    let rules: CompiledRules
    private(set) var rows: ContiguousArray<Row> = []
    /// Hashes: players, avoided ones, then recent opponents with their place (0 the latest) in the lowest eight bits.
    private(set) var lists: ContiguousArray<ContiguousArray<UInt64>> = []
    /// A bit for each allowed region, by slot and step of waiting.
    private(set) var regionBits: ContiguousArray<UInt64> = []
    /// The worst latency of the ticket's players in ms, by slot and region.
    private(set) var latencies: ContiguousArray<Double> = []
    /// Two numbers by slot and attribute rule; see ``CompiledAttribute``.
    private(set) var attributes: ContiguousArray<CompiledAttribute> = []
    /// Of the ticket's players, by slot; empty where the mode has no roles.
    private(set) var wishes: ContiguousArray<ContiguousArray<RoleWish>> = []
    private var backfills: [Int32: CompiledBackfill] = [:]
    private var oneOfValues: [OneOfValues]

    init(_ rules: CompiledRules) {
        self.rules = rules
        oneOfValues = rules.rules.attributes.map { _ in OneOfValues() }
    }

    // MARK: Taking in

    /// Takes a ticket in at a slot, in place of what was there.
    mutating func store(_ ticket: QueuedTicket, at slot: Int32) {
        grow(to: Int(slot) + 1)
        remove(at: slot)
        let players = ticket.backfill.map { $0.teams.flatMap { $0 } } ?? ticket.members
        var row = Row()
        row.queuedAt = ticket.queuedAt.milliseconds
        row.isBackfill = ticket.backfill != nil
        row.size = row.isBackfill ? 0 : Int32(players.count)
        let sum = players.reduce(0) { $0 + rules.rating(of: $1) }
        row.rating = players.isEmpty ? Skill.unknown.rating : sum / Double(players.count)
        if !row.isBackfill {
            row.ratingSum = sum
            row.deviationSum = players.reduce(0) { $0 + $1.skill.deviation * $1.skill.deviation }
        }
        let history = rules.rules.history
        let isPlacement = !row.isBackfill && players.contains { $0.games < history.placementGames }
        row.windowFactor = isPlacement ? history.placementWindow : 1
        let worstRate = row.isBackfill ? 0 : players.map(\.leaverRate).max() ?? 0
        row.heldUntil = row.queuedAt + Int64(history.leaverHoldSeconds * worstRate * 1_000)
        storeLists(of: players, at: Int(slot), in: &row)
        rows[Int(slot)] = row
        if let seats = ticket.backfill { backfills[slot] = CompiledBackfill(seats, rules) }
        storeRegions(of: ticket, at: Int(slot))
        for (index, rule) in rules.rules.attributes.enumerated() {
            attributes[Int(slot) * rules.rules.attributes.count + index] = CompiledAttribute(
                rule, of: players, isBackfill: row.isBackfill, values: &oneOfValues[index])
        }
        if !rules.rules.roles.isEmpty {
            wishes[Int(slot)] = ContiguousArray(ticket.members.map { RoleWish($0, in: rules.rules.roles) })
        }
    }

    /// Forgets the ticket of a slot.
    mutating func remove(at slot: Int32) {
        let count = rules.rules.attributes.count
        for index in 0..<count where rules.rules.attributes[index].kind == .oneOf {
            oneOfValues[index].release(attributes[Int(slot) * count + index])
            attributes[Int(slot) * count + index] = CompiledAttribute()
        }
        if rows[Int(slot)].isBackfill { backfills[slot] = nil }
        rows[Int(slot)].isBackfill = false
        if rows[Int(slot)].hasLists { lists[Int(slot)] = [] }
    }

    private mutating func grow(to count: Int) {
        let more = count - rows.count
        guard more > 0 else { return }
        rows.append(contentsOf: repeatElement(Row(), count: more))
        lists.append(contentsOf: repeatElement([], count: more))
        let attributeCount = rules.rules.attributes.count
        attributes.append(contentsOf: repeatElement(CompiledAttribute(), count: more * attributeCount))
        if rules.judgesRegions {
            regionBits.append(contentsOf: repeatElement(0, count: more * rules.steps.count))
            latencies.append(contentsOf: repeatElement(0, count: more * rules.regions.count))
        }
        if !rules.rules.roles.isEmpty { wishes.append(contentsOf: repeatElement([], count: more)) }
    }

    private mutating func storeLists(of players: [TicketMember], at slot: Int, in row: inout Row) {
        let ids = players.map { StableHash.of($0.player.rawValue) }
        let avoided = rules.judgesAvoided ? players.flatMap { $0.avoids.map { StableHash.of($0.rawValue) } } : []
        let recent = players.flatMap { StableHash.recentOpponents(of: $0, most: rules.recentMax) }
        row.playerCount = Int32(ids.count)
        row.avoidedCount = Int32(avoided.count)
        row.player = ids.first ?? 0
        row.players = StableHash.bits(of: ids)
        row.avoided = StableHash.bits(of: avoided)
        row.recent = StableHash.bits(of: recent)
        row.hasLists = ids.count != 1 || avoided.count + recent.count > 0
        if row.hasLists { lists[slot] = ContiguousArray(ids + avoided + recent) }
    }

    private mutating func storeRegions(of ticket: QueuedTicket, at slot: Int) {
        guard rules.judgesRegions else { return }
        for (place, region) in rules.regions.enumerated() {
            latencies[slot * rules.regions.count + place] = rules.worstLatency(of: ticket, to: region)
        }
        for (step, limits) in rules.steps.enumerated() {
            var bits: UInt64 = 0
            for (place, region) in rules.regions.enumerated() {
                let isAllowed =
                    if let seats = ticket.backfill {
                        seats.region == region
                    } else {
                        latencies[slot * rules.regions.count + place] <= rules.latencyLimit(to: region, limits)
                    }
                if isAllowed { bits |= 1 << UInt64(place) }
            }
            regionBits[slot * rules.steps.count + step] = bits
        }
    }

    // MARK: Asking

    /// How long a ticket has waited, in ms, never negative.
    func waited(_ slot: Int32, at now: Instant) -> Int64 { max(0, now.milliseconds - rows[Int(slot)].queuedAt) }

    /// The step of waiting that a ticket is in.
    func step(_ slot: Int32, at now: Instant) -> Int { rules.step(ofWait: waited(slot, at: now)) }

    /// The window of a ticket as an anchor, in points either way.
    func window(_ slot: Int32, at now: Instant) -> Double {
        rules.window(ofWait: waited(slot, at: now)) * rows[Int(slot)].windowFactor
    }

    /// The open seats of a backfill ticket by team; `nil` for any other.
    func openSeats(_ slot: Int32) -> [Int]? { backfills[slot]?.open }

    func backfill(_ slot: Int32) -> CompiledBackfill? { backfills[slot] }

    /// How a ticket stands to an attribute rule.
    func attribute(_ rule: Int, of slot: Int32) -> CompiledAttribute {
        attributes[Int(slot) * rules.rules.attributes.count + rule]
    }
}

/// The match that a backfill ticket wants players for.
struct CompiledBackfill: Sendable {
    let open: [Int]
    /// Who plays, by team.
    let playerCounts: [Int]
    let ratingSums: [Double]
    let deviationSums: [Double]
    let wishes: [[RoleWish]]
    /// Hashes of who plays, and of their recent opponents with the place in the lowest eight bits.
    let players: [[UInt64]]
    let recent: [[UInt64]]
    /// Sum and count of each `average-difference` attribute's numbers, by rule and team.
    let averages: [[(sum: Double, count: Int)]]

    init(_ seats: BackfillSeats, _ rules: CompiledRules) {
        let teams = seats.open.indices.map { $0 < seats.teams.count ? seats.teams[$0] : [] }
        open = seats.open
        playerCounts = teams.map(\.count)
        ratingSums = teams.map { $0.reduce(0) { $0 + rules.rating(of: $1) } }
        deviationSums = teams.map { $0.reduce(0) { $0 + $1.skill.deviation * $1.skill.deviation } }
        wishes = teams.map { $0.map { RoleWish($0, in: rules.rules.roles) } }
        players = teams.map { $0.map { StableHash.of($0.player.rawValue) } }
        recent = teams.map { $0.flatMap { StableHash.recentOpponents(of: $0, most: rules.recentMax) } }
        averages = rules.rules.attributes.map { rule in
            teams.map { team in
                let numbers = team.compactMap { rule.value(of: $0)?.number }
                return (numbers.reduce(0, +), numbers.count)
            }
        }
    }
}

/// Hashes that are the same in every process and run, so that what is decided by them is too.
enum StableHash {
    /// FNV-1a, with a last mixing so that all bits depend on all of the text.
    static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 31
    }

    /// Of a player's latest opponents, each with its place (0 the latest) in the lowest eight bits.
    static func recentOpponents(of member: TicketMember, most: Int) -> [UInt64] {
        member.recentOpponents.prefix(most).enumerated().map { place, id in of(id.rawValue) & ~0xFF | UInt64(place) }
    }

    /// A bit for each, chosen by the highest six, which no place among recent opponents changes.
    static func bits(of hashes: [UInt64]) -> UInt64 { hashes.reduce(0) { $0 | 1 << ($1 >> 58) } }
}
