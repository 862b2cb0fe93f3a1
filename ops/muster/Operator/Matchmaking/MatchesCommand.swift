import ArgumentParser
import Foundation
import GameModel
import Jobs
import Matchmaking

/// `muster matches`: which there are, how each came about and went, and results that contradict each other.
struct MatchesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matches",
        abstract: "List matches, and show how one came about and went; see results that contradict each other.",
        discussion: """
            Example:
              muster matches ls --mode squad
              muster matches show squad.everywhere.01K0Z7QK3T8V5M2B9X4C6D1E0F.eu
              muster matches conflicts
            """,
        subcommands: [
            MatchesListCommand.self, MatchesShowCommand.self, MatchesConflictsCommand.self, MatchesSettleCommand.self,
        ])
}

/// `muster matches ls`.
struct MatchesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List matches that are proposed, placed or played, the oldest first.",
        discussion: """
            Example:
              muster matches ls
              muster matches ls --mode duel --state proposed
              muster matches ls --json | jq -r '.matches[].id'
            """)

    @OptionGroup var access: MatchmakingAccess
    @OptionGroup var pools: PoolFilterOptions
    @Option(help: ArgumentHelp("proposed, placing or ready; repeatable.", valueName: "state"))
    var state: [MatchState] = []
    @Option(help: "At most so many, 1 to 10000.") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    private struct Output: Encodable {
        let matches: [MatchFacts]
        /// Whether there may be more than were asked for.
        let isCut: Bool
    }

    func validate() throws {
        try JobsListCommand.check(limit)
        if let ended = state.first(where: \.isFinal) {
            throw ValidationError("Matches that are \(ended) have ended; see one by its id: muster matches show ID.")
        }
    }

    func run() async throws {
        let command = self
        let (matches, now) = try await access.with { inspector in
            let states: Set<MatchState> =
                command.state.isEmpty ? [.proposed, .placing, .ready] : Set(command.state)
            let filter = try command.pools.filter(inspector.rules)
            // One more than is shown tells whether there are more.
            return (
                try await inspector.matches(states, in: filter, limit: command.limit + 1), try await inspector.now()
            )
        }
        let shown = Array(matches.prefix(limit))
        if json { return try JobJSON.print(Output(matches: shown, isCut: matches.count > limit)) }
        guard !shown.isEmpty else { return print("no match is under way") }
        let rows = shown.map { match in
            [
                match.id.rawValue, match.state.rawValue, match.region?.rawValue ?? "-",
                "\(match.players)" + (match.bots.reduce(0, +) > 0 ? " + \(match.bots.reduce(0, +)) bots" : ""),
                match.state == .proposed ? "\(match.accepted)" : "all",
                match.proposedAt.map { DepthTable.age(max(0, Int((now - $0).milliseconds))) } ?? "-",
                match.rules ?? "-", match.instance?.rawValue ?? "-",
            ]
        }
        print(
            JobText.table(
                ["match", "state", "region", "players", "accepted", "age", "rules", "instance"], rows,
                right: [4, 5], flexible: [7], most: 150))
        if matches.count > limit { print("the first \(limit); --limit shows more") }
    }
}
