import Foundation
import GameData
import GameModel
import Jobs
import Matchmaking

/// What is known of a match, from wherever it is kept.
struct MatchSources: Sendable {
    /// Redis, until an hour after the end.
    var match: MatchFacts?
    var tickets: [TicketFacts] = []
    /// `data.sqlite`, from the placing on; `nil` where it has no such match.
    var record: MatchRecord?
    var ratings: [RatingChange] = []
    var conflicts: [ResultConflict] = []
    /// The event store; `nil` where there is none in the data folder.
    var events: [EncodedEvent]?
    /// Whether the data folder has the file.
    var hasRecords = false
}

/// A match from the first ticket to the last rating, line by line in the order of time; and what of it is gone.
struct MatchStory: Encodable {
    struct Line: Encodable, Equatable {
        let at: Instant
        /// `queued`, `proposed`, `accepted`, `placed`, an event's kind, `result posted`, `recorded`, …
        let what: String
        let detail: String
    }

    private(set) var lines: [Line] = []
    /// What can't be told any more, or not yet, and why.
    private(set) var gone: [String] = []

    /// Events of note that are told one by one; the rest is counted.
    static let eventsMax = 200
    private static let frequent: Set<String> = ["hit"]

    init(_ sources: MatchSources) {
        if let match = sources.match { tell(match, sources.tickets) }
        if let record = sources.record { tell(record, sources.ratings) }
        tell(sources.conflicts)
        tell(sources.events ?? [])
        // Of the same moment stays in the order it was told.
        lines = lines.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
        noteGone(sources)
    }

    private mutating func add(_ at: Instant?, _ what: String, _ detail: String) {
        if let at { lines.append(Line(at: at, what: what, detail: detail)) }
    }

    private mutating func tell(_ match: MatchFacts, _ tickets: [TicketFacts]) {
        for ticket in tickets {
            let players = ticket.players.map(\.player.rawValue).joined(separator: ", ")
            let waited = match.proposedAt.map { proposed in
                ", waited \(Duration.milliseconds(max(0, (proposed - ticket.queuedAt).milliseconds)).inWords)"
            }
            add(ticket.queuedAt, "queued", "\(players) (ticket \(ticket.id))\(waited ?? "")")
            for player in ticket.players { add(player.acceptedAt, "accepted", player.player.rawValue) }
        }
        let rules = match.rules.map { "by rules \($0)" } ?? "by rules that were not kept"
        add(match.proposedAt, "proposed", "\(match.players) players, \(rules)")
        if match.state == .placing { add(match.since, "placing", "all have accepted, a slot is looked for") }
        if match.state == .ready { add(match.since, "ready", "players are told where it is") }
        if match.state.isFinal { add(match.since, match.state.rawValue, match.reason ?? "in matchmaking") }
    }

    private mutating func tell(_ record: MatchRecord, _ ratings: [RatingChange]) {
        add(
            record.placedAt, "placed",
            "on instance \(record.instanceId) in \(record.region), patch \(record.patch), rules \(record.rules)")
        if let result = record.result {
            let who = record.reportedBy.map { "by \($0): " } ?? ""
            let winner = result.winner.map { "team \($0 + 1) won" } ?? "a draw"
            add(
                record.reportedAt, "result posted",
                "\(who)\(winner) after \(Duration.milliseconds(result.durationMs).inWords)")
        }
        switch record.state {
        case .placed: break
        case .reported: gone.append("The result is stored and not applied yet: ratings follow.")
        case .abandoned: add(record.endedAt, "abandoned", "\(record.reason ?? "no reason kept"); no rating changes")
        case .finished:
            add(
                record.endedAt, "recorded",
                record.isRated ? "\(ratings.count) ratings changed" : "bots played: no rating changes")
            for change in ratings {
                let by = change.ratingAfter - change.ratingBefore
                add(
                    change.changedAt, "rated",
                    "\(change.playerId) \(MatchmakingText.number(change.ratingBefore)) → "
                        + MatchmakingText.number(change.ratingAfter)
                        + " (\(by < 0 ? "" : "+")\(MatchmakingText.number(by)))"
                )
            }
        }
    }

    private mutating func tell(_ conflicts: [ResultConflict]) {
        for conflict in conflicts {
            let winner = conflict.result.winner.map { "team \($0 + 1) won" } ?? "a draw"
            let settled = conflict.settledBy.map { ", looked at by \($0)" } ?? ", nobody has looked at it"
            add(
                conflict.reportedAt, "contradicted",
                "\(conflict.reportedBy.isEmpty ? "somebody" : conflict.reportedBy) reported \(winner)\(settled)")
        }
    }

    private mutating func tell(_ events: [EncodedEvent]) {
        let notable = events.filter { !Self.frequent.contains($0.kind) }
        for event in notable.prefix(Self.eventsMax) {
            let player = event.playerId.map { "\($0) " } ?? ""
            add(event.at, event.kind, player + (event.json == "{}" ? "" : event.json))
        }
        let rest = Dictionary(
            grouping: events.filter { Self.frequent.contains($0.kind) } + notable.dropFirst(Self.eventsMax), by: \.kind)
        if !rest.isEmpty {
            let counts = rest.sorted { $0.key < $1.key }.map { "\($0.value.count) of kind \($0.key)" }
            gone.append("Events told by number only: \(counts.joined(separator: ", ")).")
        }
    }

    private mutating func noteGone(_ sources: MatchSources) {
        if let match = sources.match {
            let missing = match.teams.reduce(0) { $0 + $1.count } - sources.tickets.count
            if missing > 0 { gone.append("\(missing) of its tickets are gone from Redis.") }
        } else {
            gone.append(
                "Redis does not know it any more (it keeps matches for an hour after their end): when its players "
                    + "queued and accepted, and the rules' values, are gone.")
        }
        if !sources.hasRecords {
            gone.append("There is no data.sqlite in the data folder: result and ratings were not looked for.")
        } else if sources.record == nil {
            gone.append("It was not placed: data.sqlite has nothing of it.")
        }
        if sources.record != nil, sources.events?.isEmpty ?? true {
            gone.append("No event of it is stored: not taken in yet, lost with Redis, or past the days they are kept.")
        }
    }

    /// A line each, times of day in UTC; what is gone below.
    var text: String {
        let rows = lines.map { [JobText.time($0.at), $0.what, $0.detail] }
        let table = JobText.table(["when", "what", "detail"], rows, right: [], flexible: [2], most: 140)
        return ([lines.isEmpty ? "nothing is known of it" : table] + gone).joined(separator: "\n")
    }
}
