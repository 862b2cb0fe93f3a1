import GameModel

/// What a result may say at most, by the patch that its match was played with: numbers beyond it no play can have
/// given, so they are a fault of the instance, or somebody's lie.
///
/// Nobody can take more from the others than they had: the health of each, once for each life, and what healing may
/// have given back. Nobody is killed more often than they died, nor dies twice where the fallen stay down, and
/// no match lasts much longer than its mode's fight. Of bots, and of seats that nobody came to, a result
/// tells nothing; they are given as many lives as the player made kills.
struct ResultBounds: Sendable {
    /// Healing may give everyone back as much as they had, so many times less one.
    static let healing = 3

    /// What a slow machine, a countdown and the last measurements may add to a fight: as long again, and a minute.
    static func durationMsMax(fightSeconds: Int) -> Int64 { Int64(fightSeconds) * 2_000 + 60_000 }

    let match: MatchRecord
    let patch: Patch
    /// Everyone who had a seat, those among them who never came.
    let roster: [MatchSeat]

    /// `nil` where the patch does not know the mode.
    private var mode: BalanceDocument.ModeData? { patch.modes.first { $0.id == match.mode.rawValue } }

    /// What the items that a player can carry may add.
    private var itemHealth: Int { max(0, patch.items.map(\.health).max() ?? 0) * (mode?.itemSlots ?? 0) }

    private var healthMax: Int {
        (patch.characters.map(\.health).max() ?? Patch.healthRange.upperBound) + itemHealth
    }

    private func health(of player: PlayerID) -> Int {
        let character = roster.first { $0.playerId == player }?.character
        return patch.characters.first { $0.id == character }.map { $0.health + itemHealth } ?? healthMax
    }

    /// - Throws: `GameDataError.invalid` naming the field, like `players[2].damage`.
    func validate(_ result: MatchResult) throws(GameDataError) {
        if let named = result.patch, named != match.patch {
            throw .invalid(field: "patch", detail: "the match is played with patch \(match.patch), not \(named)")
        }
        if let mode {
            let most = Self.durationMsMax(fightSeconds: mode.durationSeconds)
            guard result.durationMs <= most else {
                throw .invalid(
                    field: "durationMs",
                    detail: "\(result.durationMs) is more than \(most), in a mode of \(mode.durationSeconds) s")
            }
        }
        let staysDown = mode?.respawnSeconds == 0
        let silent = self.silent(in: result)
        var killsOfTeam: [Int: Int] = [:]
        for (index, player) in result.players.enumerated() {
            if staysDown, player.deaths > 1 {
                throw .invalid(
                    field: "players[\(index)].deaths", detail: "\(player.deaths), but who falls in this mode stays down"
                )
            }
            let others = result.players.filter { $0.team != player.team }
            let deaths = others.reduce(0) { $0 + $1.deaths }
            killsOfTeam[player.team, default: 0] += player.kills
            if let kills = killsOfTeam[player.team], silent == 0, kills > deaths {
                throw .invalid(
                    field: "players[\(index)].kills",
                    detail: "with them team \(player.team) has killed \(kills) times, and the others died \(deaths)")
            }
            let most = damageMax(of: player, others: others, silent: silent)
            guard player.damage <= most else {
                throw .invalid(
                    field: "players[\(index)].damage",
                    detail: "\(player.damage) is more than \(most), which is all that could be taken from the others")
            }
        }
    }

    /// The seats that can be hit and that the result tells nothing of.
    private func silent(in result: MatchResult) -> Int {
        match.bots.reduce(0, +) + max(0, roster.count - result.players.count)
    }

    private func damageMax(of player: MatchResult.Player, others: [MatchResult.Player], silent: Int) -> Int {
        let told = others.reduce(0) { $0 + health(of: $1.playerId) * ($1.deaths + 1) }
        return Self.healing * (told + silent * healthMax * (player.kills + 1))
    }
}
