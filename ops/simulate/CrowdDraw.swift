import Foundation
import GameModel
import Matchmaking

/// Draws a crowd from a population: parties with their players, each with a rating, a home, latencies, roles and
/// attributes, over a part of a day. The same seed gives the same crowd.
struct CrowdDraw {
    let population: Population
    let mode: ModeRules
    /// Every region where a match may be played.
    let regions: [Region]
    let partyMax: Int
    let seed: UInt64
    let homes: [Population.Home]

    init(_ population: Population, mode: ModeRules, regions: [Region], partyMax: Int, seed: UInt64) {
        self.population = population
        self.mode = mode
        self.regions = regions
        self.partyMax = partyMax
        self.seed = seed
        homes = population.homes(for: regions)
    }

    /// - Parameter span: in ms since 00:00; who comes outside of it is left out.
    func crowd(span: Range<Int64>) -> Crowd {
        var crowd = Crowd(players: [], arrivals: [], habits: population.habits, span: span)
        let sizes = partyWeights()
        if population.parties.count > sizes.count, population.parties[sizes.count...].contains(where: { $0 > 0 }) {
            crowd.remarks.append("parties of more than \(sizes.count) left out: the rules allow no larger ones")
        }
        var drawn = 0
        var number = 0
        while drawn < population.players {
            var dice = Dice(seed, "party", number)
            number += 1
            let size = min(dice.choice(sizes) + 1, population.players - drawn)
            drawn += size
            let home = homes[dice.choice(homes.map(\.share))]
            let at = moment(of: home, &dice)
            guard span.contains(at) else { continue }
            let first = crowd.players.count
            var leader: Double?
            for seat in 0..<size {
                let player = player(first + seat, home: home.region, near: leader, &dice)
                leader = leader ?? player.strength
                crowd.players.append(player)
            }
            crowd.arrivals.append(Arrival(at: at, players: (first..<first + size).map { Int32($0) }))
        }
        // Swift's sort is stable, but only in practice; the first player breaks ties in any case.
        crowd.arrivals.sort { ($0.at, $0.players[0]) < ($1.at, $1.players[0]) }
        return crowd
    }

    /// Weights of parties, from shares of players.
    private func partyWeights() -> [Double] {
        let allowed = population.parties.prefix(max(1, partyMax)).enumerated().map { $1 / Double($0 + 1) }
        return allowed.contains { $0 > 0 } ? allowed : [1]
    }

    /// When players of a home come: by the hour of their own day, straight lines between the middles of hours.
    private func moment(of home: Population.Home, _ dice: inout Dice) -> Int64 {
        let hours = population.hours
        let most = hours.max() ?? 1
        while true {
            let hour = dice.share() * 24
            let local = (hour + home.utcOffset - 0.5 + 48).truncatingRemainder(dividingBy: 24)
            let place = Int(local)
            let part = local - Double(place)
            let weight = hours[place % 24] * (1 - part) + hours[(place + 1) % 24] * part
            if dice.share() * most < weight { return Int64(hour * 3_600_000) }
        }
    }

    private func player(
        _ number: Int, home: Region, near leader: Double?, _ dice: inout Dice
    ) -> SimulatedPlayer {
        let part = population.ratings[dice.choice(population.ratings.map(\.share))]
        let range = population.ratingRange
        let drawn =
            leader.map { dice.normal($0, population.partySpread) } ?? dice.normal(part.mean, part.spread)
        let strength = min(max(drawn, range.lowerBound), range.upperBound)
        let isNew = dice.happens(population.newcomers)
        let deviation = isNew ? Skill.unknown.deviation : population.deviation
        // A newcomer's rating is still near the one all begin with.
        let known = isNew ? 0.3 * strength + 0.7 * Skill.unknown.rating : dice.normal(strength, deviation)
        var member = TicketMember(
            player: PlayerID("P\(String(format: "%08d", number))"),
            skill: Skill(rating: min(max(known, range.lowerBound), range.upperBound), deviation: deviation))
        member.games = isNew ? Int(dice.share() * 10) : 100
        member.leaverRate = dice.happens(population.leavers) ? population.leaverRate : 0
        member.latencies = latencies(from: home, &dice)
        (member.roles, member.insistsOnRoles) = roles(&dice)
        for (name, attribute) in population.attributes.sorted(by: { $0.key < $1.key }) {
            member.attributes[name] = attribute.draw(&dice)
        }
        return SimulatedPlayer(member: member, strength: strength, home: home)
    }

    private func latencies(from home: Region, _ dice: inout Dice) -> [Region: Double] {
        var line = max(3, dice.normal(population.homeLatency, population.homeLatencySpread))
        if dice.happens(population.badLines) { line += population.badLineLatency * exp(dice.normal(0, 0.6)) }
        var latencies: [Region: Double] = [:]
        for region in regions {
            // No two players' ways to a far region are equally long.
            let way = population.distance(home, region) * exp(dice.normal(0, 0.12))
            latencies[region] = (line + way).rounded()
        }
        return latencies
    }

    /// The two roles that a player likes, best first.
    private func roles(_ dice: inout Dice) -> ([String], Bool) {
        guard !mode.roles.isEmpty else { return ([], false) }
        let names = mode.roles.map(\.name)
        var weights = mode.roles.map { population.roles.isEmpty ? Double($0.count) : population.roles[$0.name] ?? 0 }
        if weights.reduce(0, +) <= 0 { weights = names.map { _ in 1 } }
        let first = dice.choice(weights)
        weights[first] = 0
        let insists = dice.happens(population.insists)
        guard weights.reduce(0, +) > 0 else { return ([names[first]], insists) }
        return ([names[first], names[dice.choice(weights)]], insists)
    }
}

extension Population.Attribute {
    fileprivate func draw(_ dice: inout Dice) -> AttributeValue {
        switch self {
        case .number(let mean, let spread, let range):
            .number(min(max(dice.normal(mean, spread).rounded(), range.lowerBound), range.upperBound))
        case .text(let pairs):
            .text(pairs[dice.choice(pairs.map(\.share))].text)
        }
    }
}

extension Crowd {
    /// Draws who plays a mode over a part of a day.
    /// - Parameters:
    ///   - rules: all that the crowd will be run by; their regions are where players may play.
    ///   - span: in ms since 00:00.
    public init(
        _ population: Population, rules: [MatchmakingRules], mode: Mode, seed: UInt64,
        span: Range<Int64> = 0..<86_400_000
    ) {
        let regions = Set(rules.flatMap(\.regions)).sorted()
        let modes = rules.compactMap { $0.modes[mode] }
        let draw = CrowdDraw(
            population, mode: modes.first ?? ModeRules(teamSize: 1), regions: regions,
            partyMax: modes.map(\.partyMax).min() ?? 1, seed: seed)
        self = draw.crowd(span: span)
    }
}
