import Foundation
import GameModel
import MusterInstance

/// The reference game, whole: who hits whom, as a function of the roster, the balance and a seed.
///
/// Each tick stands for one second of the fight. A fighter whose weapon has cooled down strikes one living opponent;
/// the higher the rating against the opponent's, the surer the hit; the damage is the weapon's and the character's.
/// The same seed and the same fighters always give the same fight.
struct Fight: Sendable {
    struct Fighter: Sendable {
        let playerId: PlayerID
        let team: Int
        let rating: Double
        let damage: Int
        let cooldownMs: Int
        let healthMax: Int
        /// A bot takes a seat that no player was there for; it fights like a player.
        let isBot: Bool
        /// An absent player stands still and can be hit.
        var isPresent: Bool
        /// Another has taken the place: neither strikes nor can be hit, and counts for no team.
        var isOut = false
        var health: Int
        var readyAtMs = 0
        var kills = 0
        var deaths = 0
        var dealt = 0
    }

    struct Hit: Sendable, Equatable {
        let by: PlayerID
        let target: PlayerID
        let damage: Int
        let killed: Bool
    }

    enum Outcome: Sendable, Equatable {
        case won(team: Int)
        case draw
    }

    /// How much of the fight's time one tick stands for.
    static let tickMs = 1_000

    private(set) var fighters: [Fighter]
    private(set) var tick = 0
    private(set) var outcome: Outcome?
    private let ticksMax: Int
    private let teamCount: Int
    /// The tick in which a team's last fighter fell.
    private var fellAt: [Int: Int] = [:]
    private var random: SplitMix64

    /// - Parameter present: who joined; the others stand still.
    init(sheet: MatchSheet, present: Set<PlayerID>, seed: UInt64, ticksMax: Int) {
        self.ticksMax = ticksMax
        teamCount = sheet.teamCount
        random = SplitMix64(seed: seed)
        fighters = sheet.teams.enumerated().flatMap { team, players in
            players.map { Fighter($0, team: team, in: sheet, isPresent: present.contains($0.playerId)) }
        }
        for (team, count) in (sheet.bots ?? []).enumerated() {
            fighters += (0..<count).map { Fighter(sheet.bot($0, team: team), team: team, in: sheet, isBot: true) }
        }
    }

    /// A player comes into the running fight.
    mutating func add(_ player: MatchSheet.Player, team: Int, in sheet: MatchSheet) {
        guard !fighters.contains(where: { $0.playerId == player.playerId }) else { return }
        fighters.append(Fighter(player, team: team, in: sheet, isPresent: false))
        fellAt[team] = nil
    }

    func has(_ player: PlayerID) -> Bool { fighters.contains { $0.playerId == player } }

    /// A player is there (again), or gone.
    mutating func set(_ player: PlayerID, isPresent: Bool) {
        guard let index = fighters.firstIndex(where: { $0.playerId == player }) else { return }
        fighters[index].isPresent = isPresent
        if isPresent { fighters[index].isOut = false }
    }

    /// Another has taken this player's place; until the player is there again, the fight is without them.
    mutating func withdraw(_ player: PlayerID) {
        guard let index = fighters.firstIndex(where: { $0.playerId == player }) else { return }
        fighters[index].isOut = true
        fighters[index].isPresent = false
    }

    /// How the teams came in, by number of the team: 1 for the best, equal ones for teams that tie.
    var ranks: [Int] {
        let shares = healthShares
        let places = (0..<teamCount).map { team in (share: shares[team], fellAt: fellAt[team] ?? tick) }
        return places.map { place in
            1 + places.filter { ($0.share, $0.fellAt) > (place.share, place.fellAt) }.count
        }
    }

    /// Plays one tick; the hits in the order they fell. Nothing once the fight is over.
    mutating func step() -> [Hit] {
        guard outcome == nil else { return [] }
        tick += 1
        let now = tick * Self.tickMs
        var hits: [Hit] = []
        // Who strikes first is chance, anew in each tick, so that no seat has an edge.
        for attacker in fighters.indices.shuffled(using: &random) {
            while fighters[attacker].isPresent, fighters[attacker].health > 0, fighters[attacker].readyAtMs < now {
                let opponents = fighters.indices.filter {
                    fighters[$0].team != fighters[attacker].team && fighters[$0].isStanding
                }
                guard let target = opponents.randomElement(using: &random) else { break }
                fighters[attacker].readyAtMs = max(fighters[attacker].readyAtMs, now - Self.tickMs)
                fighters[attacker].readyAtMs += fighters[attacker].cooldownMs
                if let hit = strike(attacker, target) { hits.append(hit) }
            }
        }
        settle()
        return hits
    }

    /// The chance that a strike lands: the logistic of Elo, narrowed to 0.2…0.8 so that nobody is invincible.
    static func hitChance(rating: Double, against other: Double) -> Double {
        0.2 + 0.6 / (1 + pow(10, (other - rating) / 400))
    }

    private mutating func strike(_ attacker: Int, _ target: Int) -> Hit? {
        let chance = Self.hitChance(rating: fighters[attacker].rating, against: fighters[target].rating)
        guard Double.random(in: 0..<1, using: &random) < chance else { return nil }
        let force = Double(fighters[attacker].damage) * Double.random(in: 0.8...1.2, using: &random)
        let damage = min(fighters[target].health, Int(force.rounded()))
        fighters[target].health -= damage
        fighters[attacker].dealt += damage
        let killed = fighters[target].health == 0
        if killed {
            fighters[attacker].kills += 1
            fighters[target].deaths += 1
        }
        return Hit(
            by: fighters[attacker].playerId, target: fighters[target].playerId, damage: damage, killed: killed)
    }

    private mutating func settle() {
        for team in 0..<teamCount where fellAt[team] == nil {
            if fighters.allSatisfy({ $0.team != team || !$0.isStanding }) { fellAt[team] = tick }
        }
        let standing = Set(fighters.filter(\.isStanding).map(\.team))
        if standing.count == 1, let team = standing.first {
            outcome = .won(team: team)
        } else if standing.isEmpty {
            outcome = .draw
        } else if tick >= ticksMax {
            outcome = verdict()
        }
    }

    /// When time is up: the team with the larger share of its health left.
    private func verdict() -> Outcome {
        let shares = healthShares
        guard let best = shares.max() else { return .draw }
        let leaders = shares.indices.filter { shares[$0] == best }
        return leaders.count == 1 ? .won(team: leaders[0]) : .draw
    }

    /// What each team has left of its health, 0 to 1.
    private var healthShares: [Double] {
        (0..<teamCount).map { team in
            let members = fighters.filter { $0.team == team && !$0.isOut }
            let left = members.reduce(0) { $0 + $1.health }
            return Double(left) / Double(max(1, members.reduce(0) { $0 + $1.healthMax }))
        }
    }
}

extension Fight.Fighter {
    var isStanding: Bool { health > 0 && !isOut }

    init(
        _ player: MatchSheet.Player, team: Int, in sheet: MatchSheet, isPresent: Bool = true, isBot: Bool = false
    ) {
        let character = sheet.character(of: player)
        let weapon = sheet.balance.weapons.first { $0.id == character?.weapon }
        let health = max(1, character?.health ?? 1_000)
        self.init(
            playerId: player.playerId, team: team, rating: player.rating,
            damage: max(0, (character?.damage ?? 0) + (weapon?.damage ?? 50)),
            cooldownMs: max(100, weapon?.cooldownMs ?? 1_000), healthMax: health, isBot: isBot,
            isPresent: isPresent, health: health)
    }
}

extension MatchSheet {
    /// The sheet as if these players were not on it.
    func without(_ absent: Set<PlayerID>) -> MatchSheet {
        guard !absent.isEmpty else { return self }
        var sheet = self
        sheet.teams = teams.map { team in team.filter { !absent.contains($0.playerId) } }
        return sheet
    }

    /// A bot as strong as the mean of the players; the characters in turn.
    func bot(_ number: Int, team: Int) -> Player {
        let rating = players.isEmpty ? 1_500 : players.reduce(0) { $0 + $1.rating } / Double(players.count)
        let characters = balance.characters
        let character = characters.isEmpty ? "none" : characters[(number + team) % characters.count].id
        return Player(
            playerId: PlayerID("bot.\(team).\(number)"), displayName: "Bot", character: character, rating: rating,
            skins: [])
    }
}
