import ArgumentParser
import Foundation
import GameModel
import Matchmaking

/// `muster tickets`: who waits, and why.
struct TicketsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tickets",
        abstract: "List, explain and cancel tickets of matchmaking.",
        discussion: """
            Example:
              muster tickets ls --mode squad
              muster tickets why squad.everywhere.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster tickets cancel squad.everywhere.01K0Z7QK3T8V5M2B9X4C6D1E0F --yes
            """,
        subcommands: [
            TicketsListCommand.self, TicketsShowCommand.self, TicketsWhyCommand.self, TicketsCancelCommand.self,
        ])
}

/// `muster tickets ls`.
struct TicketsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List tickets, the longest-waiting first.",
        discussion: """
            Without --state, all that wait for something: forming, queued, proposed, accepted and placing. Tickets \
            that ended are not listed; 'muster tickets show' finds them by id for an hour.

            Example:
              muster tickets ls
              muster tickets ls --mode duel --state queued --limit 10
              muster tickets ls --player 01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster tickets ls --json | jq -r '.tickets[].id'
            """)

    @OptionGroup var access: MatchmakingAccess
    @OptionGroup var pools: PoolFilterOptions
    @Option(
        help: ArgumentHelp("forming, queued, proposed, accepted, placing or ready; repeatable.", valueName: "state"))
    var state: [TicketState] = []
    @Option(help: ArgumentHelp("Only this player's.", valueName: "id")) var player: String?
    @Option(help: "At most so many, 1 to 10000.") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    private struct Output: Encodable {
        let tickets: [TicketFacts]
        /// Whether there may be more than were asked for.
        let isCut: Bool
    }

    func validate() throws {
        try JobsListCommand.check(limit)
        if let player, PlayerID(rawValue: player) == nil { throw ValidationError("'\(player)' is no player's id.") }
        if let ended = state.first(where: \.isFinal) {
            throw ValidationError("Tickets that are \(ended) have ended; see one by its id: muster tickets show ID.")
        }
    }

    func run() async throws {
        let command = self
        let (tickets, now) = try await access.with { inspector in
            let states = command.state.isEmpty ? TicketFilter.waiting : Set(command.state)
            let filter = try command.pools.filter(inspector.rules, states: states)
            guard let player = command.player else {
                // One more than is shown tells whether there are more.
                return (try await inspector.tickets(filter, limit: command.limit + 1), try await inspector.now())
            }
            let all = command.state.isEmpty ? states.union([.ready]) : states
            let ticket = try await inspector.ticket(of: PlayerID(player))
            let shown = [ticket].compactMap { $0 }.filter { ticket in
                let pool = ticket.id.pool
                return all.contains(ticket.state) && (filter.mode == nil || filter.mode == pool?.mode)
                    && (filter.region == nil || filter.region == pool?.region)
            }
            return (shown, try await inspector.now())
        }
        let shown = Array(tickets.prefix(limit))
        if json { return try JobJSON.print(Output(tickets: shown, isCut: tickets.count > limit)) }
        guard !shown.isEmpty else { return print("no ticket waits" + (player == nil ? "" : " of this player")) }
        print(MatchmakingText.list(shown, at: now))
        if tickets.count > limit { print("the first \(limit); --limit shows more") }
    }
}

/// `muster tickets show`.
struct TicketsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all that is kept of a ticket, also of one that ended within the last hour.",
        discussion: """
            Example:
              muster tickets show duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster tickets show duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --json | jq .players
            """)

    @OptionGroup var access: MatchmakingAccess
    @Argument(help: "The ticket's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let id = try MatchmakingAccess.ticket(id)
        let (ticket, now) = try await access.with { inspector in
            (try await inspector.ticket(id), try await inspector.now())
        }
        guard let ticket else { throw MatchmakingAccess.gone(id) }
        if json { return try JobJSON.print(ticket) }
        print(MatchmakingText.rows(MatchmakingText.facts(ticket, at: now)))
        if !ticket.players.isEmpty { print("\n\(MatchmakingText.players(of: [ticket]))") }
    }
}

/// `muster tickets why`.
struct TicketsWhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say why a ticket is not matched: its limits now, the nearest others, and what refused each.",
        discussion: """
            Goes by the rules that are given or in force, and by those who wait at this moment.

            Example:
              muster tickets why duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster tickets why duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --nearest 10
              muster tickets why duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --json | jq .explanation.missing
            """)

    @OptionGroup var access: MatchmakingAccess
    @Argument(help: "The ticket's id.") var id: String
    @Option(help: "How many of the nearest others to look at, 0 to 100.") var nearest = 3
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (0...100).contains(nearest) else { throw ValidationError("--nearest takes 0 to 100, not \(nearest).") }
    }

    func run() async throws {
        let (id, nearest) = (try MatchmakingAccess.ticket(id), nearest)
        guard let reasons = try await access.with({ try await $0.why(id, nearest: nearest) }) else {
            throw MatchmakingAccess.gone(id)
        }
        if json { return try JobJSON.print(reasons) }
        print("\(id) is \(reasons.ticket.state)")
        for line in reasons.why { print(JobText.wrapped(line, first: "", indent: 0)) }
        guard let explanation = reasons.explanation else { return }
        print("\nwhat holds for it now\n\(MatchmakingText.checks(explanation.limits))")
        if nearest > 0 { print("\n\(MatchmakingText.nearest(explanation))") }
    }
}

/// `muster tickets cancel`.
struct TicketsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End tickets that wait; the others of a match they are proposed for go back to the queue.",
        discussion: """
            Nobody is blamed for it: its players may queue again at once. Asks first.

            Example:
              muster tickets cancel duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster tickets ls --mode duel --json | jq -r '.tickets[].id' | xargs muster tickets cancel --yes
            """)

    @OptionGroup var access: MatchmakingAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The tickets' ids.") var ids: [String]
    @Flag(help: "Print JSON.") var json = false

    private struct Outcome: Encodable, Sendable {
        let id: TicketID
        let isCancelled: Bool
        /// What it is now, or what refused it.
        let said: String
    }

    func run() async throws {
        let ids = try ids.map { try MatchmakingAccess.ticket($0) }
        let rules = try access.shared.matchmakingRules()
        try confirmation.require(ids.count == 1 ? "Cancel ticket \(ids[0])?" : "Cancel \(ids.count) tickets?")
        let outcomes = try await access.withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: rules)
            var outcomes: [Outcome] = []
            for id in ids {
                do throws(MatchmakingError) {
                    let ticket = try await service.cancel(id)
                    outcomes.append(Outcome(id: id, isCancelled: true, said: "is \(ticket.state)"))
                } catch {
                    if RedisConnection.isOutage(error) { throw error }
                    outcomes.append(Outcome(id: id, isCancelled: false, said: "\(error)"))
                }
            }
            return outcomes
        }
        if json {
            try JobJSON.print(outcomes)
        } else {
            for outcome in outcomes {
                outcome.isCancelled
                    ? print("\(outcome.id) \(outcome.said)") : FileHandle.note("\(outcome.id): \(outcome.said)")
            }
        }
        if outcomes.contains(where: { !$0.isCancelled }) { throw ExitCode.failure }
    }
}
