import ArgumentParser
import Foundation
import GameModel
import Matchmaking
import Redis

/// How the commands about tickets, pools and matches reach them: Redis, and the rules by which there are pools.
struct MatchmakingAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    /// Runs the body with what looks.
    func with<T: Sendable>(
        _ body: @escaping @Sendable (MatchmakingInspector) async throws -> T
    ) async throws -> T {
        try await withRedis { _, inspector in try await body(inspector) }
    }

    /// The same, with the client for what changes something.
    func withRedis<T: Sendable>(
        _ body: @escaping @Sendable (RedisClient, MatchmakingInspector) async throws -> T
    ) async throws -> T {
        let rules = try shared.matchmakingRules()
        return try await RedisConnection.with(url: try shared.redisURL()) { redis in
            try await body(redis, MatchmakingInspector(redis: redis, rules: rules))
        }
    }

    /// A ticket's id from the command line.
    static func ticket(_ text: String) throws -> TicketID {
        guard let id = TicketID(rawValue: text), id.pool != nil else {
            throw ValidationError(
                "'\(text)' is no ticket's id: that is mode.region.ULID, as 'muster tickets ls' shows.")
        }
        return id
    }

    /// A match's id from the command line.
    static func match(_ text: String) throws -> MatchID {
        guard let id = MatchID(rawValue: text), id.pool != nil else {
            throw ValidationError("'\(text)' is no match's id: that is mode.region.ULID, as 'muster matches ls' shows.")
        }
        return id
    }

    static func gone(_ id: TicketID) -> CommandFailure {
        CommandFailure(
            "Redis knows no ticket \(id): it ended more than "
                + "\(Duration.seconds(MatchmakingService.endedSeconds).inSeconds / 3_600) h ago, was lost with Redis, "
                + "or never was.",
            nextStep: "See who waits with 'muster tickets ls', or find a player's: 'muster tickets ls --player ID'.")
    }

    static func gone(_ id: MatchID) -> CommandFailure {
        CommandFailure(
            "Redis knows no match \(id): it ended more than an hour ago, was lost with Redis, or never was.",
            nextStep: "See what is played with 'muster matches ls'; results are in the data service: "
                + "GET /v1/matches/\(id).")
    }
}

/// Which pools a command means.
struct PoolFilterOptions: ParsableArguments {
    @Option(help: "Only of this mode.") var mode: String?
    @Option(help: "Only of pools of this region ('everywhere' where regions play together).") var region: String?

    func validate() throws {
        for (name, text) in [("--mode", mode), ("--region", region)] {
            if let text, !Pool.isName(text) {
                throw ValidationError("\(name) takes 1 to 32 lower-case letters, digits and '-', not '\(text)'.")
            }
        }
    }

    /// - Throws: `CommandFailure` where the rules have no such pool.
    func filter(_ rules: MatchmakingRules, states: Set<TicketState> = TicketFilter.waiting) throws -> TicketFilter {
        let filter = TicketFilter(states: states, mode: mode.map { Mode($0) }, region: region.map { Region($0) })
        let isThere = rules.pools.contains { pool in
            (mode == nil || mode == pool.mode.rawValue) && (region == nil || region == pool.region.rawValue)
        }
        guard isThere else {
            throw CommandFailure(
                "The rules have no pool of \([mode, region].compactMap { $0 }.joined(separator: " in ")).",
                nextStep:
                    "There are \(rules.pools.map(\.description).joined(separator: ", ")). Others with --rules FILE.")
        }
        return filter
    }
}

extension TicketState: ExpressibleByArgument {}
extension MatchState: ExpressibleByArgument {}
