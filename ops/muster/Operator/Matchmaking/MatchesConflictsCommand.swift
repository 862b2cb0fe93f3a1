import ArgumentParser
import GameData
import GameModel

/// `muster matches conflicts`.
struct MatchesConflictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts",
        abstract: "List results that contradict the stored one, or came for an abandoned match.",
        discussion: """
            The first result of a match stands. What came after and says otherwise is kept until somebody has looked \
            at it: an instance was taken for dead and was not, or lies.

            Example:
              muster matches conflicts
              muster matches conflicts --all --json | jq '.conflicts[] | {matchId, reportedBy}'
            """)

    @OptionGroup var shared: SharedOptions
    @Flag(help: "Those too that somebody has looked at.") var all = false
    @Option(help: "At most so many, 1 to 1000.") var limit = 100
    @Flag(help: "Print JSON.") var json = false

    private struct Output: Encodable {
        let conflicts: [ResultConflict]
    }

    func validate() throws {
        guard (1...ResultConflictsRepository.limitMax).contains(limit) else {
            throw ValidationError("--limit takes 1 to \(ResultConflictsRepository.limitMax), not \(limit).")
        }
    }

    func run() async throws {
        let (openOnly, limit) = (!all, limit)
        let found = try await DataFile.with(shared.dataFolder) { database in
            try await ResultConflictsRepository(database: database).conflicts(openOnly: openOnly, limit: limit)
        }
        if json { return try JobJSON.print(Output(conflicts: found)) }
        guard !found.isEmpty else { return print("no result contradicts another") }
        let rows = found.map { conflict in
            [
                conflict.matchId.rawValue, conflict.state.rawValue, JobText.time(conflict.reportedAt),
                conflict.reportedBy.isEmpty ? "-" : conflict.reportedBy,
                conflict.result.winner.map { "team \($0 + 1)" } ?? "nobody", conflict.settledBy ?? "-",
            ]
        }
        print(
            JobText.table(
                ["match", "stands as", "reported", "by", "winner", "looked at by"], rows, right: [], flexible: [3],
                most: 150))
    }
}

/// `muster matches settle`.
struct MatchesSettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Note that somebody has looked at the results that contradict a match's; nothing else changes.",
        discussion: """
            Example:
              muster matches settle duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
            """)

    @OptionGroup var shared: SharedOptions
    @Argument(help: "The match's id.") var id: String

    func run() async throws {
        let id = try MatchmakingAccess.match(id)
        let settled = try await DataFile.with(shared.dataFolder) { database in
            try await ResultConflictsRepository(database: database).settle(id, by: StoreAccess.editor)
        }
        guard settled > 0 else {
            throw CommandFailure(
                "No result that contradicts match \(id)'s is open.",
                nextStep: "See which are: muster matches conflicts.")
        }
        print("\(settled) looked at")
    }
}
