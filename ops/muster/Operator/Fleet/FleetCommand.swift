import ArgumentParser
import Fleet
import Foundation
import GameModel
import Matchmaking

/// `muster fleet`: the instances that matches are played on.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "List, explain, drain, cordon and update the instances that matches are played on.",
        discussion: """
            Example:
              muster fleet ls
              muster fleet show eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster fleet update --build 2.1 --yes
            """,
        subcommands: [
            FleetListCommand.self, FleetShowCommand.self, FleetDrainCommand.self, FleetCordonCommand.self,
            FleetUncordonCommand.self, FleetUpdateCommand.self,
        ])

    /// An instance's id from the command line.
    static func instance(_ text: String) throws -> InstanceID {
        guard let id = InstanceID(rawValue: text), id.region != nil else {
            throw ValidationError("'\(text)' is no instance's id: that is region.name, as 'muster fleet ls' shows.")
        }
        return id
    }

    /// The regions that a command means: those named, else all of the rules.
    static func regions(_ named: [String], of known: [Region]) throws -> [Region] {
        if named.isEmpty { return known.sorted() }
        return try named.map { name in
            guard let region = known.first(where: { $0.rawValue == name }) else {
                throw CommandFailure(
                    "The rules have no region '\(name)'.",
                    nextStep: "There are \(known.map(\.rawValue).sorted().joined(separator: ", ")). "
                        + "Others with --rules FILE.")
            }
            return region
        }
    }
}

/// `muster fleet ls`.
struct FleetListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List instances: build, state, slots, matches, how long ago they were heard of, and why.",
        discussion: """
            Example:
              muster fleet ls
              muster fleet ls --region eu --json | jq -r '.regions[].instances[] | select(.held == 0).instance'
            """)

    @OptionGroup var access: MatchmakingAccess
    @Option(help: ArgumentHelp("Only of this region; repeatable.", valueName: "region")) var region: [String] = []
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let named = region
        let fleets = try await access.withRedis { redis, inspector in
            let fleet = FleetService(redis: redis)
            var fleets: [FleetSnapshot] = []
            for region in try FleetCommand.regions(named, of: inspector.rules.regions) {
                fleets.append(try await fleet.list(region))
            }
            return fleets
        }
        if json { return try JobJSON.print(["regions": fleets]) }
        print(fleets.map(FleetText.region).joined(separator: "\n\n"))
    }
}

/// `muster fleet show`.
struct FleetShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an instance: how it is and since when, and the matches that it holds, with their players.",
        discussion: """
            Example:
              muster fleet show eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster fleet show eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --json | jq '.matches[].players'
            """)

    @OptionGroup var access: MatchmakingAccess
    @Argument(help: "The instance's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    struct HeldByPlayers: Encodable, Sendable {
        let match: MatchID
        /// Unix ms.
        let since: Int64
        /// Until when the first player must come; absent once one did. Unix ms.
        let joinBefore: Int64?
        /// Empty where matchmaking knows the match no more.
        let players: [PlayerID]
    }

    private struct Output: Encodable, Sendable {
        let instance: FleetSnapshot.Instance
        let why: String?
        /// By Redis `TIME`, Unix ms.
        let at: Int64
        let matches: [HeldByPlayers]
    }

    func run() async throws {
        let id = try FleetCommand.instance(id)
        let output = try await access.withRedis { redis, inspector in
            let fleet = FleetService(redis: redis)
            let snapshot = try await fleet.list(id.region ?? Region(""))
            guard let instance = snapshot.instances.first(where: { $0.instance == id }) else {
                throw FleetText.unknown(id)
            }
            var matches: [HeldByPlayers] = []
            for held in try await fleet.held(by: id) {
                var players: [PlayerID] = []
                for ticket in try await inspector.match(held.match)?.tickets ?? [] {
                    players += ticket.players.map(\.player)
                }
                matches.append(
                    HeldByPlayers(
                        match: held.match, since: held.since, joinBefore: held.joinBefore, players: players))
            }
            return Output(
                instance: instance, why: instance.why, at: snapshot.at.milliseconds, matches: matches)
        }
        if json { return try JobJSON.print(output) }
        print(FleetText.instance(output.instance))
        print("\n\(FleetText.matches(output.matches, at: output.at))")
    }
}
