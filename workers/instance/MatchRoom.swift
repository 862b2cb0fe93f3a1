import GameModel
import Logging
import MusterInstance
import Telemetry

/// One match on this instance, from the first join to its result.
///
/// The first player's join makes the room fetch the roster; when all have joined, or the wait is over, the fight runs
/// tick by tick. The room never waits for a player's socket. A player whose connection was lost may come back; for who
/// stays away the room asks for others, where the mode allows it, and lets them in when the roster names them.
actor MatchRoom {
    nonisolated let match: MatchID
    private let rules: InstanceConfiguration.PlayRules
    private let client: InstanceClient
    private let logger: Logger

    private enum Phase {
        case fetching
        case gathering
        case fighting
        case over(GameRefusal)
    }

    private var phase = Phase.fetching
    private var sheet: MatchSheet?
    /// The roster that the match began with.
    private var first: MatchSheet?
    private var fight: Fight?
    /// Who came onto the roster while the match was under way. They are in the fight from when they join: one who does
    /// not come must not stand there as a target.
    private var late: Set<PlayerID> = []
    private var links: [PlayerID: PlayerLink] = [:]
    private var joined: Set<PlayerID> = []
    /// Players of the roster who are not connected, and since when.
    private var gone: [PlayerID: ContinuousClock.Instant] = [:]
    /// Who went when their fighter had fallen: there was nothing left for them to play.
    private var fallen: Set<PlayerID> = []
    private var roundTrips: [PlayerID: Double] = [:]
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var refetching: [CheckedContinuation<Void, Never>]?
    private var fetchedAt = ContinuousClock.now

    init(match: MatchID, rules: InstanceConfiguration.PlayRules, client: InstanceClient, logger: Logger) {
        self.match = match
        self.rules = rules
        self.client = client
        var logger = logger
        logger[metadataKey: "match"] = "\(match)"
        self.logger = logger
    }

    // MARK: Players

    /// Lets a player in, and in again after the connection was lost. Waits for the roster.
    ///
    /// The newest connection counts, for one that was lost may look alive for minutes. It takes a token of its own, so
    /// that who reads along can't throw the player out.
    func join(_ player: PlayerID, link: PlayerLink) async throws(GameRefusal) {
        if case .fetching = phase {
            await withCheckedContinuation { waiting.append($0) }
        }
        // A valid token of someone who is not on the roster yet: the match may have got players since.
        if isOpen, sheet?.seat(of: player) == nil { await refetch() }
        if case .over(let refusal) = phase { throw refusal }
        guard let sheet else { throw GameRefusal(.unavailable, "the roster is not here yet") }
        guard let seat = sheet.seat(of: player) else {
            throw GameRefusal(.badToken, "the player is not on the roster")
        }
        guard !isReplaced(player, in: seat.team) else {
            throw GameRefusal(.full, "another player has taken the seat")
        }
        joined.insert(player)
        gone[player] = nil
        fallen.remove(player)
        enter(seat.player, team: seat.team, sheet)
        let character = sheet.character(of: seat.player)
        // Said before the player is among those who get states, so that it is the first frame.
        link.send(
            .joined(
                matchId: match, team: seat.team, character: character?.id ?? seat.player.character,
                health: character?.health ?? 0))
        links[player]?.finish(
            with: .error(GameRefusal(.alreadyJoined, "the player has joined on another connection")))
        links[player] = link
        if let ms = await link.roundTripMs() { roundTrips[player] = ms }
    }

    /// The player's connection is gone; the match goes on. One that another has followed changes nothing.
    func leave(_ player: PlayerID, link: PlayerLink) {
        guard links[player]?.channel === link.channel else { return }
        links[player] = nil
        guard isOpen else { return }
        gone[player] = .now
        client.left(player, match)
        if fight?.fighters.first(where: { $0.playerId == player })?.health == 0 { fallen.insert(player) }
        fight?.set(player, isPresent: false)
    }

    /// The player is in the fight. A late one takes the place of a fighter whose player is not waited for any more.
    private func enter(_ player: MatchSheet.Player, team: Int, _ sheet: MatchSheet) {
        if late.contains(player.playerId), let fight, !fight.has(player.playerId) {
            let longest = fight.fighters.filter { $0.team == team && !$0.isBot && !$0.isOut && $0.health > 0 }
                .compactMap { fighter in gone[fighter.playerId].map { (fighter.playerId, $0) } }
                .min { $0.1 < $1.1 }
            if let longest, ContinuousClock.now - longest.1 >= rules.backfillAfter {
                self.fight?.withdraw(longest.0)
            }
            self.fight?.add(player, team: team, in: sheet)
            recordEntry(player, team: team, sheet)
        }
        fight?.set(player.playerId, isPresent: true)
    }

    /// Whether the player's team is whole without them. Who is gone for a moment only, or on the way, holds a seat.
    private func isReplaced(_ player: PlayerID, in team: Int) -> Bool {
        guard !late.isEmpty, let sheet, let first, first.teams.indices.contains(team) else { return false }
        let now = ContinuousClock.now
        let others = sheet.teams[team].map(\.playerId).filter { other in
            guard other != player else { return false }
            return links[other] != nil || gone[other].map { now - $0 < rules.backfillAfter } ?? false
        }
        return others.count >= first.teams[team].count
    }

    private var isOpen: Bool {
        switch phase {
        case .gathering, .fighting: true
        case .fetching, .over: false
        }
    }

    // MARK: The roster

    private func fetch() async -> MatchSheet? {
        do {
            return try await client.sheet(of: match)
        } catch {
            logger.warning("no roster", metadata: ["error": "\(error)"])
            phase = .over(
                error.isWorthRetrying
                    ? GameRefusal(.unavailable, "the roster is not here yet")
                    : GameRefusal(.noMatch, "this match is not placed here"))
            wake()
            return nil
        }
    }

    /// Asks for the roster anew, at most once in the interval; those who come meanwhile wait for the same answer.
    private func refetch() async {
        if refetching != nil {
            await withCheckedContinuation { refetching?.append($0) }
            return
        }
        refetching = []
        defer {
            let others = refetching ?? []
            refetching = nil
            for continuation in others { continuation.resume() }
        }
        let due = fetchedAt + rules.backfillInterval
        if due > .now { await Self.pause(due - .now) }
        do {
            let fresh = try await client.sheet(of: match, attempts: 1)
            fetchedAt = .now
            if isOpen { take(fresh) }
        } catch {
            logger.info("no new roster", metadata: ["error": "\(error)"])
        }
    }

    private func take(_ fresh: MatchSheet) {
        let known = Set(sheet?.players.map(\.playerId) ?? [])
        sheet = fresh
        for player in fresh.players where !known.contains(player.playerId) {
            gone[player.playerId] = .now
            late.insert(player.playerId)
        }
    }

    /// Cancellation ends the pause early; the loop around it looks for itself.
    private static func pause(_ duration: Duration) async {
        do { try await Task.sleep(for: duration) } catch { return }
    }

    private func wake() {
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    // MARK: The match

    /// Plays the match. Whether it has a result: not where it never began, or this task was cancelled before its end.
    func run() async -> Bool {
        Failpoint.instanceOpened.pass()
        guard let first = await fetch() else { return false }
        sheet = first
        self.first = first
        fetchedAt = .now
        for player in first.players { gone[player.playerId] = .now }
        phase = .gathering
        wake()
        Failpoint.instanceGathering.pass()
        do {
            try await gather()
            phase = .fighting
            let report = try await withThrowingTaskGroup(of: MatchReport?.self) { tasks in
                tasks.addTask { try await self.play() }
                if first.canBackfill == true {
                    tasks.addTask {
                        await self.fillSeats(of: first)
                        return nil
                    }
                }
                defer { tasks.cancelAll() }
                for try await report in tasks { if let report { return report } }
                throw CancellationError()
            }
            await finish(with: report)
            return true
        } catch {
            logger.warning("match abandoned", metadata: ["players": "\(joined.count)"])
            end(.error(GameRefusal(.abandoned, "the match ended without a result")), as: .abandoned)
            return false
        }
    }

    /// Players are told how it ended when that is stored, not before.
    private func finish(with report: MatchReport) async {
        phase = .over(GameRefusal(.noMatch, "the match has ended"))
        switch await client.finish(match, report) {
        case .recorded, .kept:
            end(.finished(winner: report.winner, players: report.players), as: .noMatch)
        case .refused:
            end(.error(GameRefusal(.abandoned, "the result was not taken")), as: .abandoned)
        }
    }

    private func gather() async throws {
        let deadline = ContinuousClock.now + rules.joinWait
        while joined.count < sheet?.playerCount ?? 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: rules.tick)
        }
    }

    private func play() async throws -> MatchReport {
        guard let sheet else { throw CancellationError() }
        let start = ContinuousClock.now
        // Those who did not come are gone from now on: the wait for them is over.
        for player in gone.keys { gone[player] = start }
        fight = Fight(
            sheet: sheet.without(late.subtracting(joined)), present: Set(links.keys),
            seed: SplitMix64.seed(of: match.rawValue),
            ticksMax: rules.ticksMax)
        record("match_started", data: ["patch": .number(sheet.patch.number), "players": .number(sheet.playerCount)])
        for (team, players) in sheet.teams.enumerated() {
            for player in players where fight?.has(player.playerId) == true {
                recordEntry(player, team: team, sheet)
            }
        }
        broadcastState()
        var due = ContinuousClock.now
        while fight?.outcome == nil {
            // By the clock, so that the work of a tick does not put off the next; what was missed is not made up for.
            due = max(due + rules.tick, .now)
            try await Task.sleep(until: due, clock: .continuous)
            Failpoint.instanceFighting.pass()
            for hit in fight?.step() ?? [] { record(hit) }
            if fight?.tick.isMultiple(of: rules.stateEvery) == true { broadcastState() }
        }
        Failpoint.instanceDecided.pass()
        // The match is over: who goes while the last is measured has not left it.
        let stayed = Set(links.keys)
        for (player, link) in links {
            if let ms = await link.roundTripMs() { roundTrips[player] = ms }
        }
        guard let fight else { throw CancellationError() }
        let report = report(of: fight, stayed: stayed, duration: ContinuousClock.now - start)
        record(
            "match_finished",
            data: ["winner": .number(report.winner ?? -1), "durationMs": .number(Int(report.durationMs))])
        return report
    }

    /// Asks for players while seats are open, and takes it back when they are not, until cancelled. What was asked for
    /// may have come to nothing, which nobody tells the room: it asks again after a while, by a fresh roster.
    private func fillSeats(of first: MatchSheet) async {
        var asked: (open: [Int], at: ContinuousClock.Instant)?
        var isFresh = false
        while !Task.isCancelled, isOpen, let sheet {
            let now = ContinuousClock.now
            let seats = OpenSeats(
                first: first, now: sheet, gone: gone.mapValues { now - $0 }, after: rules.backfillAfter)
            let isChanged = seats.open != asked?.open ?? seats.open.map { _ in 0 }
            let isStale = !seats.isEmpty && asked.map { now - $0.at >= rules.backfillAgain } ?? false
            if isStale, !isChanged, !isFresh {
                // Judged after the pause: who has just got a seat is told within it.
                await refetch()
                isFresh = true
            } else if isChanged || isStale {
                if await ask(for: seats) { asked = (seats.open, .now) }
                isFresh = false
            }
            await Self.pause(rules.backfillInterval)
        }
    }

    /// `false` where it is to be tried again at once, because the API could not be asked.
    private func ask(for seats: OpenSeats) async -> Bool {
        do {
            if seats.isEmpty {
                try await client.cancelBackfill(match)
            } else {
                try await client.requestBackfill(match, open: seats.open, left: seats.left)
                record("backfill_requested", data: ["open": .number(seats.open.reduce(0, +))])
            }
            return true
        } catch {
            logger.info("no backfill", metadata: ["error": "\(error)"])
            return !error.isWorthRetrying
        }
    }

    private func broadcastState() {
        guard let fight else { return }
        let players = fight.fighters.map {
            ServerFrame.PlayerState(playerId: $0.playerId, team: $0.team, health: $0.health, bot: $0.isBot ? true : nil)
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

    /// Bots are part of the fight and of no result; nor is who was to come late and never did, which it says.
    private func report(of fight: Fight, stayed: Set<PlayerID>, duration: Duration) -> MatchReport {
        var winner: Int?
        if case .won(let team) = fight.outcome { winner = team }
        let ranks = fight.ranks
        let absent = late.subtracting(joined).sorted()
        return MatchReport(
            winner: winner, durationMs: duration.milliseconds, ranks: ranks.count > 2 ? ranks : nil,
            patch: first?.patch,
            players: fight.fighters.filter { !$0.isBot }.map {
                .init(
                    playerId: $0.playerId, team: $0.team, kills: $0.kills, deaths: $0.deaths, damage: $0.dealt,
                    left: stayed.union(fallen).contains($0.playerId) ? nil : true,
                    latencyMs: roundTrips[$0.playerId])
            }, neverCame: absent.isEmpty ? nil : absent)
    }

    // MARK: Events

    private func recordEntry(_ player: MatchSheet.Player, team: Int, _ sheet: MatchSheet) {
        record(
            "player_entered", player.playerId,
            ["character": .text(player.character), "team": .number(team), "patch": .number(sheet.patch.number)])
    }

    private func record(_ hit: Fight.Hit) {
        record(
            hit.killed ? "kill" : "hit", hit.by, ["target": .text(hit.target.rawValue), "damage": .number(hit.damage)])
    }

    private func record(_ kind: String, _ player: PlayerID? = nil, _ data: [String: InstanceEvent.Value]) {
        client.record(kind, match: match, player: player, data: data)
    }

    private func record(_ kind: String, data: [String: InstanceEvent.Value]) { record(kind, nil, data) }
}
