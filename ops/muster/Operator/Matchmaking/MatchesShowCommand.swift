import ArgumentParser
import Foundation
import GameData
import GameModel
import Jobs
import Matchmaking

/// `muster matches show`.
struct MatchesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a match's whole story with times, its teams, and the rules' values when it was made.",
        discussion: """
            Redis tells how a match came about, until an hour after its end; data.sqlite where it was placed, its \
            result and the ratings before and after; the event store what happened in it. What is gone is said to be.

            Example:
              muster matches show squad.everywhere.01K0Z7QK3T8V5M2B9X4C6D1E0F.eu
              muster matches show duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --json | jq .match.grounds.checks
              muster matches show duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --json | jq -r '.story.lines[].what'
            """)

    @OptionGroup var access: MatchmakingAccess
    @Argument(help: "The match's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    private struct Output: Encodable {
        /// As Redis has it; absent where it does not any more.
        let match: MatchFacts?
        let tickets: [TicketFacts]
        let story: MatchStory
    }

    func run() async throws {
        let id = try MatchmakingAccess.match(id)
        var sources = MatchSources()
        if let (match, tickets) = try await access.with({ try await $0.match(id) }) {
            (sources.match, sources.tickets) = (match, tickets)
        }
        try await sources.read(id, in: access.shared.dataFolder)
        guard sources.match != nil || sources.record != nil else { throw MatchmakingAccess.gone(id) }
        let story = MatchStory(sources)
        if json { return try JobJSON.print(Output(match: sources.match, tickets: sources.tickets, story: story)) }
        if let match = sources.match { Self.show(match, sources.tickets) }
        if sources.match == nil, let record = sources.record {
            print(
                MatchmakingText.rows([
                    ("match", id.rawValue), ("pool", id.pool?.description), ("state", record.state.rawValue),
                    ("region", record.region.rawValue), ("rules", record.rules),
                    ("instance", record.instanceId.rawValue), ("reason", record.reason),
                ]))
        }
        print("\nits story\n\(story.text)")
    }

    private static func show(_ match: MatchFacts, _ tickets: [TicketFacts]) {
        print(MatchmakingText.rows(facts(match)))
        let byId = Dictionary(tickets.map { ($0.id, $0) }) { first, _ in first }
        for (index, team) in match.teams.enumerated() {
            let there = team.compactMap { byId[$0] }
            let bots = index < match.bots.count && match.bots[index] > 0 ? ", \(match.bots[index]) bots" : ""
            let chance = match.grounds.flatMap { index < $0.chances.count ? $0.chances[index] : nil }
                .map { ", predicted to win \(MatchmakingText.number($0 * 100)) %" }
            print("\nteam \(index + 1)\(bots)\(chance ?? "")\n\(MatchmakingText.players(of: there))")
        }
        guard let grounds = match.grounds else { return }
        print(
            "\nwhy these: around \(grounds.anchor), which had waited "
                + "\(Duration.milliseconds(grounds.waitedMs).inWords)\n\(MatchmakingText.checks(grounds.checks))")
    }

    private static func facts(_ match: MatchFacts) -> [(String, String?)] {
        [
            ("match", match.id.rawValue), ("pool", match.pool), ("state", match.state.rawValue),
            ("region", match.region?.rawValue), ("rules", match.rules), ("players", "\(match.players)"),
            ("proposed", match.proposedAt.map(JobText.time)), ("since", match.since.map(JobText.time)),
            ("accept by", match.state == .proposed ? match.acceptBy.map(JobText.time) : nil),
            ("accepted", match.state == .proposed ? "\(match.accepted) of \(match.players)" : nil),
            ("instance", match.instance?.rawValue), ("into", match.into?.rawValue), ("reason", match.reason),
        ]
    }
}
