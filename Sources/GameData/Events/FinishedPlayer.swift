import Foundation
import GameModel

/// How a match went for one player: the event from which the totals of characters and of players' regions are made.
///
/// The API tells it for each player of a result that it stored, so characters, patch and mode are those of the roster
/// and not what an instance says. It is an event like others: lost with Redis, and not the record of anything.
public struct FinishedPlayer: Sendable, Hashable, Codable {
    public static let kind = "player_finished"

    public var character: String
    public var mode: Mode
    public var region: Region
    public var patch: PatchVersion
    public var outcome: MatchSummary.Outcome
    /// Whether the player quit before the end.
    public var left: Bool
    public var kills: Int
    public var deaths: Int
    /// Hit points taken from others.
    public var damage: Int
    /// How long the match took.
    public var durationMs: Int64
    /// The round trip between player and instance, ms; `nil` where it was not measured.
    public var latencyMs: Double?

    /// What a round trip may be, ms.
    public static let latencyMsRange = 0.0...60_000

    /// Whether every number is one that a match can have. Totals are sums of these: one number beyond all bounds would
    /// spoil them for good.
    var isWithinBounds: Bool {
        (1...200).contains(character.utf8.count) && patch.number >= 1
            && (0...MatchResult.countMax).contains(kills) && (0...MatchResult.countMax).contains(deaths)
            && (0...MatchResult.damageMax).contains(damage)
            && (0...MatchResult.durationMsMax).contains(durationMs)
            && (latencyMs.map { Self.latencyMsRange.contains($0) } ?? true)
    }

    public init(
        character: String, mode: Mode, region: Region, patch: PatchVersion, outcome: MatchSummary.Outcome,
        left: Bool = false, kills: Int, deaths: Int, damage: Int, durationMs: Int64, latencyMs: Double? = nil
    ) {
        self.character = character
        self.mode = mode
        self.region = region
        self.patch = patch
        self.outcome = outcome
        self.left = left
        self.kills = kills
        self.deaths = deaths
        self.damage = damage
        self.durationMs = durationMs
        self.latencyMs = latencyMs
    }

    /// The event of a player.
    public func event(_ player: PlayerID, in match: MatchID, at instant: Instant) throws -> EncodedEvent {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return EncodedEvent(
            kind: Self.kind, at: instant, matchId: match, playerId: player,
            json: String(decoding: try encoder.encode(self), as: UTF8.self))
    }

    /// The events of a match whose result is stored: one for each player of the result who is on the roster.
    /// - Parameter latencies: round trips in ms, of whom they were measured.
    public static func events(
        of match: MatchRecord, _ result: MatchResult, latencies: [PlayerID: Double] = [:], at instant: Instant
    ) throws -> [EncodedEvent] {
        let seats = Dictionary(match.roster.map { ($0.playerId, $0) }, uniquingKeysWith: { first, _ in first })
        let teams = max(match.teamCount, (result.players.map(\.team).max() ?? -1) + 1)
        let ranks = result.ranks(teams: teams)
        return try result.players.compactMap { player in
            guard let seat = seats[player.playerId] else { return nil }
            return try FinishedPlayer(
                character: seat.character, mode: match.mode, region: match.region, patch: match.patch,
                outcome: player.left ? .lost : TeamRatings.outcome(of: player.team, ranks: ranks), left: player.left,
                kills: player.kills, deaths: player.deaths, damage: player.damage, durationMs: result.durationMs,
                latencyMs: latencies[player.playerId]
            ).event(player.playerId, in: match.matchId, at: instant)
        }
    }
}
