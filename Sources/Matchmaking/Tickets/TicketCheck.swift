import GameModel

/// Refuses tickets that can't be, or could never be matched by the rules of their mode however long they wait; each
/// refusal names the field, what it holds, and what would be right.
struct TicketCheck: Sendable {
    static let avoidsMax = 100
    static let attributesMax = 20
    /// Of an attribute's name or text, and of a player's or role's name.
    static let textBytesMax = 64
    static let listMax = 20

    let mode: Mode
    let rules: ModeRules
    /// The regions that matches of the ticket's pool may be played in.
    let regions: [Region]
    /// All regions that are played in.
    let known: [Region]

    init(_ pool: Pool, _ rules: ModeRules, in all: MatchmakingRules) {
        mode = pool.mode
        self.rules = rules
        regions = all.regions(of: pool)
        known = all.regions
    }

    /// One member by itself.
    func check(_ member: TicketMember) throws(MatchmakingError) {
        try checkSkill(member)
        if let character = member.character, !Self.isCharacter(character) { throw .invalidCharacter(character) }
        try checkLatencies(member.latencies)
        try checkRoles(member)
        try checkAttributes(member.attributes)
        try checkAvoids(member)
    }

    /// Who is invited, against the leader.
    func check(invited: [PlayerID], by leader: PlayerID) throws(MatchmakingError) {
        guard invited.count < rules.partyMax else {
            throw invalid("party", "\(invited.count + 1) players with the leader, \(mode) takes \(rules.partyMax)")
        }
        guard Set(invited).count == invited.count, !invited.contains(leader) else {
            throw invalid("party", "names a player twice, or the leader; name each other player once")
        }
        for player in invited where !Self.isName(player.rawValue) {
            throw invalid("party", "'\(player.rawValue.prefix(40))' is no player's name")
        }
    }

    /// A member against the others of the party, of whom `joined` are there already.
    func check(
        _ member: TicketMember, with joined: [TicketMember], of players: [PlayerID]
    ) throws(MatchmakingError) {
        if let avoided = member.avoids.first(where: players.contains) {
            throw invalid("avoid", "\(avoided) is of the same party; take the name off the list, or leave the party")
        }
        if let other = joined.first(where: { $0.avoids.contains(member.player) }) {
            throw invalid("party", "\(other.player) of it avoids \(member.player), so the two can't play together")
        }
        let party = joined + [member]
        try checkReach(of: party)
        try checkSeats(of: party)
    }

    private func checkSkill(_ member: TicketMember) throws(MatchmakingError) {
        let skill = member.skill
        guard skill.rating.isFinite, (-10_000...10_000).contains(skill.rating), skill.deviation.isFinite,
            (0...10_000).contains(skill.deviation), (0...1).contains(member.leaverRate)
        else { throw .invalidSkill(skill) }
    }

    private func checkLatencies(_ latencies: [Region: Double]) throws(MatchmakingError) {
        for (region, latency) in latencies.sorted(by: { $0.key < $1.key }) {
            guard known.contains(region) else { throw .latencyElsewhere(region, known: known) }
            guard latency.isFinite, (0...TicketRequest.latencyMsMax).contains(latency) else {
                throw .invalidLatency(region, value: "\(latency)")
            }
        }
        if rules.scope == .together, latencies.isEmpty {
            throw invalid(
                "latencies",
                "none given, but \(mode) is played where they are low; measure one at least of \(list(regions))")
        }
    }

    /// The limit to a region after all expansions; what is beyond it stays out of reach however long one waits.
    private func limitMax(to region: Region) -> Double {
        guard let rule = rules.latency else { return .infinity }
        return rule.limit(to: region) + max(0, rules.expansions.compactMap(\.latencyPlus).max() ?? 0)
    }

    private func checkReach(of party: [TicketMember]) throws(MatchmakingError) {
        guard rules.latency != nil || rules.scope == .together else { return }
        // Who measured none may play where the ticket says, but is not sent anywhere by latency.
        let isReached = regions.contains { region in
            party.allSatisfy { member in
                guard let latency = member.latencies[region] else { return rules.scope == .apart }
                return latency <= limitMax(to: region)
            }
        }
        guard !isReached else { return }
        let seen = regions.map { region in
            let worst = party.map { $0.latencies[region] ?? .infinity }.max() ?? .infinity
            let value = worst.isFinite ? "\(Int(worst.rounded())) ms" : "not measured"
            let limit = limitMax(to: region)
            return "\(region) \(value)" + (limit.isFinite ? " of \(Int(limit)) ms" : "")
        }
        throw invalid(
            "latencies",
            "no region is within \(party.count > 1 ? "the whole party's" : "the") limit, however long it waits: "
                + seen.joined(separator: ", "))
    }

    private func checkRoles(_ member: TicketMember) throws(MatchmakingError) {
        let names = rules.roles.map(\.name)
        guard !member.roles.isEmpty else {
            guard !member.insistsOnRoles else {
                throw invalid("insistsOnRoles", "true without roles; name the roles, or leave it out")
            }
            return
        }
        guard !names.isEmpty else {
            throw invalid("roles", "[\(shown(member.roles))], but \(mode) has no roles; leave them out")
        }
        for role in member.roles where !names.contains(role) {
            throw invalid("roles", "no role '\(role.prefix(40))' in \(mode); there are \(shown(names.sorted()))")
        }
        guard Set(member.roles).count == member.roles.count else {
            throw invalid("roles", "[\(shown(member.roles))] names a role twice; name each once, best first")
        }
    }

    /// A party plays in one team, so there must be a seat for each member who takes only some roles.
    private func checkSeats(of party: [TicketMember]) throws(MatchmakingError) {
        let insisting = party.filter(\.insistsOnRoles)
        var seats: [String] = []
        for role in rules.roles { seats += Array(repeating: role.name, count: role.count) }
        var taken: [Int?] = Array(repeating: nil, count: seats.count)
        // Augmenting paths (Kuhn 1955); parties and teams are small.
        func seat(_ member: Int, _ tried: inout Set<Int>) -> Bool {
            for place in seats.indices where insisting[member].roles.contains(seats[place]) {
                guard tried.insert(place).inserted else { continue }
                if taken[place] == nil || seat(taken[place] ?? 0, &tried) {
                    taken[place] = member
                    return true
                }
            }
            return false
        }
        for member in insisting.indices {
            var tried: Set<Int> = []
            guard !seat(member, &tried) else { continue }
            let counts = rules.roles.map { "\($0.count) \($0.name)" }
            throw invalid(
                "roles",
                "[\(shown(insisting[member].roles))] insisted on, but a team of \(mode) has "
                    + "\(counts.joined(separator: ", ")), which others of the party insist on")
        }
    }

    private func checkAttributes(_ attributes: [String: AttributeValue]) throws(MatchmakingError) {
        guard attributes.count <= Self.attributesMax else {
            throw invalid("attributes", "\(attributes.count), must be \(Self.attributesMax) at most")
        }
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            guard (1...Self.textBytesMax).contains(name.utf8.count) else {
                throw invalid(
                    "attributes", "name '\(name.prefix(40))' must be 1 to \(Self.textBytesMax) bytes")
            }
            try checkSize(of: value, name)
        }
        for rule in rules.attributes {
            guard let value = attributes[rule.name] else {
                guard rule.fallback == nil else { continue }
                throw invalid(
                    "attributes.\(rule.name)", "missing, but \(mode) judges by it; give \(Self.wanted(by: rule.kind))")
            }
            guard Self.fits(value, rule.kind) else {
                throw invalid("attributes.\(rule.name)", "'\(value)' must be \(Self.wanted(by: rule.kind))")
            }
        }
    }

    private func checkSize(of value: AttributeValue, _ name: String) throws(MatchmakingError) {
        let texts: [String]
        switch value {
        case .number(let number):
            guard number.isFinite else { throw invalid("attributes.\(name)", "\(number) must be a finite number") }
            return
        case .text(let text): texts = [text]
        case .list(let list):
            guard list.count <= Self.listMax else {
                throw invalid("attributes.\(name)", "\(list.count) texts, must be \(Self.listMax) at most")
            }
            texts = list
        }
        for text in texts where text.utf8.count > Self.textBytesMax {
            throw invalid(
                "attributes.\(name)",
                "'\(text.prefix(40))…' has \(text.utf8.count) bytes, must be \(Self.textBytesMax) at most")
        }
    }

    private static func fits(_ value: AttributeValue, _ kind: AttributeRule.Kind) -> Bool {
        switch (kind, value) {
        case (.equal, .number), (.equal, .text), (.oneOf, .text): true
        case (.oneOf, .list(let list)): !list.isEmpty
        case (.distance, .number), (.averageDifference, .number): true
        default: false
        }
    }

    private static func wanted(by kind: AttributeRule.Kind) -> String {
        switch kind {
        case .equal: "a text or a number"
        case .oneOf: "a text, or a list of one text or more"
        case .distance, .averageDifference: "a number"
        }
    }

    private func checkAvoids(_ member: TicketMember) throws(MatchmakingError) {
        guard member.avoids.count <= Self.avoidsMax else {
            throw invalid("avoid", "\(member.avoids.count) players, must be \(Self.avoidsMax) at most")
        }
        guard !member.avoids.contains(member.player) else {
            throw invalid("avoid", "names the player's own self; take it off the list")
        }
        for player in member.avoids where !Self.isName(player.rawValue) {
            throw invalid("avoid", "'\(player.rawValue.prefix(40))' is no player's name")
        }
    }

    private static func isName(_ text: String) -> Bool {
        // Lists of players are kept joined by ',', and '!' marks the guilty in them.
        (1...textBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }
            && !text.hasPrefix("!")
    }

    private static func isCharacter(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }

    private func invalid(_ field: String, _ reason: String) -> MatchmakingError {
        .invalidTicket(field: field, reason: reason)
    }

    private func shown(_ texts: [String]) -> String { texts.map { String($0.prefix(40)) }.joined(separator: ", ") }

    private func list(_ regions: [Region]) -> String { regions.map(\.rawValue).sorted().joined(separator: ", ") }
}
