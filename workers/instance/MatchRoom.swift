import Foundation
import GameModel
import Logging

/// One match on this instance, from the first join to its result.
///
/// The first player's join makes the room fetch the roster; when all have joined, or the wait is over, the fight runs
/// tick by tick. The room never waits for a player's socket.
actor MatchRoom {
    nonisolated let match: MatchID
    private let rules: InstanceConfiguration.PlayRules
    private let api: InstanceAPI
    private let events: EventBuffer
    private let logger: Logger

    private enum Phase {
        case fetching
        case gathering(MatchSheet)
        case fighting(MatchSheet)
        case over(GameRefusal)
    }

    private var phase = Phase.fetching
    private var links: [PlayerID: PlayerLink] = [:]
    private var joined: Set<PlayerID> = []
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// How often the roster is asked for before the players are told to come back.
    static let fetchAttemptsMax = 6

    init(
        match: MatchID, rules: InstanceConfiguration.PlayRules, api: InstanceAPI, events: EventBuffer, logger: Logger
    ) {
        self.match = match
        self.rules = rules
        self.api = api
        self.events = events
        var logger = logger
        logger[metadataKey: "match"] = "\(match)"
        self.logger = logger
    }

    // MARK: Players

    /// Lets a player in, once. Waits for the roster.
    func join(_ player: PlayerID, link: PlayerLink) async throws(GameRefusal) {
        if case .fetching = phase {
            await withCheckedContinuation { waiting.append($0) }
        }
        switch phase {
        case .fetching: throw GameRefusal(.unavailable, "the roster is not here yet")
        case .over(let refusal): throw refusal
        case .gathering(let sheet), .fighting(let sheet):
            guard let seat = sheet.seat(of: player) else {
                throw GameRefusal(.badToken, "the player is not on the roster")
            }
            guard joined.insert(player).inserted else {
                throw GameRefusal(.alreadyJoined, "this player has joined before")
            }
            let character = sheet.character(of: seat.player)
            // Said before the player is among those who get states, so that it is the first frame.
            link.send(
                .joined(
                    matchId: match, team: seat.team, character: character?.id ?? seat.player.character,
                    health: character?.health ?? 0))
            links[player] = link
        }
    }

    /// The player's connection is gone; the match goes on.
    func leave(_ player: PlayerID) { links[player] = nil }

    // MARK: The match

    /// Plays the match. `nil` where it never began, or this task was cancelled: then there is no result.
    func run() async -> MatchReport? {
        guard let sheet = await fetch() else { return nil }
        phase = .gathering(sheet)
        wake()
        do {
            try await gather(sheet.playerCount)
            phase = .fighting(sheet)
            return try await fight(sheet)
        } catch {
            logger.warning("match abandoned", metadata: ["players": "\(joined.count)"])
            end(.error(GameRefusal(.abandoned, "the match ended without a result")), as: .abandoned)
            return nil
        }
    }

    private func fetch() async -> MatchSheet? {
        var retry = Retry(cap: .seconds(1))
        for attempt in 1...Self.fetchAttemptsMax {
            do {
                return try await api.match(match)
            } catch {
                guard error.isWorthRetrying, attempt < Self.fetchAttemptsMax, !Task.isCancelled else {
                    logger.warning("no roster", metadata: ["error": "\(error)"])
                    let refusal =
                        error.isWorthRetrying
                        ? GameRefusal(.unavailable, "the roster is not here yet")
                        : GameRefusal(.noMatch, "this match is not placed here")
                    phase = .over(refusal)
                    wake()
                    return nil
                }
            }
            await Self.pause(retry.pause())
        }
        return nil
    }

    /// Cancellation ends the pause early; the loop around it looks for itself.
    private static func pause(_ duration: Duration) async {
        do { try await Task.sleep(for: duration) } catch { return }
    }

    private func wake() {
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    private func gather(_ count: Int) async throws {
        let deadline = ContinuousClock.now + rules.joinWait
        while joined.count < count, ContinuousClock.now < deadline { try await Task.sleep(for: rules.tick) }
    }

    private func fight(_ sheet: MatchSheet) async throws -> MatchReport {
        let start = ContinuousClock.now
        var fight = Fight(
            sheet: sheet, present: joined, seed: SplitMix64.seed(of: match.rawValue), ticksMax: rules.ticksMax)
        record("match_started", data: ["patch": .number(sheet.patch.number), "players": .number(sheet.playerCount)])
        for (team, players) in sheet.teams.enumerated() {
            for player in players {
                record(
                    "player_entered", player.playerId,
                    ["character": .text(player.character), "team": .number(team), "patch": .number(sheet.patch.number)])
            }
        }
        broadcastState(fight)
        while fight.outcome == nil {
            try await Task.sleep(for: rules.tick)
            for hit in fight.step() { record(hit) }
            if fight.tick.isMultiple(of: rules.stateEvery) { broadcastState(fight) }
        }
        let report = Self.report(fight, duration: ContinuousClock.now - start)
        record(
            "match_finished",
            data: ["winner": .number(report.winner ?? -1), "durationMs": .number(Int(report.durationMs))])
        end(.finished(winner: report.winner, players: report.players), as: .noMatch)
        return report
    }

    private func broadcastState(_ fight: Fight) {
        let players = fight.fighters.map {
            ServerFrame.PlayerState(playerId: $0.playerId, team: $0.team, health: $0.health)
        }
        do {
            let line = try ServerFrame.state(tick: fight.tick, players: players).line()
            for link in links.values { link.sendLossy(line) }
        } catch {
            logger.error("can't encode the state", metadata: ["error": "\(error)"])
        }
    }

    private func end(_ frame: ServerFrame, as code: GameRefusal.Code) {
        phase = .over(GameRefusal(code, "the match has ended"))
        for link in links.values { link.finish(with: frame) }
        links = [:]
    }

    private static func report(_ fight: Fight, duration: Duration) -> MatchReport {
        var winner: Int?
        if case .won(let team) = fight.outcome { winner = team }
        return MatchReport(
            winner: winner, durationMs: duration.milliseconds,
            players: fight.fighters.map {
                .init(playerId: $0.playerId, team: $0.team, kills: $0.kills, deaths: $0.deaths, damage: $0.dealt)
            })
    }

    // MARK: Events

    private func record(_ hit: Fight.Hit) {
        record(
            hit.killed ? "kill" : "hit", hit.by, ["target": .text(hit.target.rawValue), "damage": .number(hit.damage)])
    }

    private func record(_ kind: String, _ player: PlayerID? = nil, _ data: [String: GameEvent.Value]) {
        events.append(GameEvent(kind: kind, at: .now, matchId: match, playerId: player, data: data))
    }

    private func record(_ kind: String, data: [String: GameEvent.Value]) { record(kind, nil, data) }
}
