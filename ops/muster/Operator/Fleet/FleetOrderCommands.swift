import ArgumentParser
import Fleet
import Foundation
import GameModel
import Matchmaking
import Redis

/// What the commands that order something of instances share.
struct FleetOrderOptions: ParsableArguments {
    @OptionGroup var access: MatchmakingAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The instances' ids.") var ids: [String]
    @Flag(help: "Print JSON.") var json = false

    private struct Outcome: Encodable, Sendable {
        let id: InstanceID
        let isDone: Bool
        /// What it is now, or what refused it.
        let said: String
    }

    /// Asks, then gives the order to each; those that refuse it are told of, and the command fails.
    func carryOut(
        _ verb: String, now state: String,
        _ order: @escaping @Sendable (FleetService, InstanceID) async throws -> FleetService.OrderOutcome
    ) async throws {
        let ids = try ids.map { try FleetCommand.instance($0) }
        try confirmation.require(ids.count == 1 ? "\(verb) instance \(ids[0])?" : "\(verb) \(ids.count) instances?")
        let outcomes = try await RedisConnection.with(url: try access.shared.redisURL()) { redis in
            let fleet = FleetService(redis: redis)
            var outcomes: [Outcome] = []
            for id in ids {
                let outcome = try await order(fleet, id)
                outcomes.append(Outcome(id: id, isDone: outcome.isDone, said: outcome.words(state)))
            }
            return outcomes
        }
        if json {
            try JobJSON.print(outcomes)
        } else {
            for outcome in outcomes {
                outcome.isDone
                    ? print("\(outcome.id) \(outcome.said)") : FileHandle.note("\(outcome.id): \(outcome.said)")
            }
        }
        if outcomes.contains(where: { !$0.isDone }) { throw ExitCode.failure }
    }

    /// A reason in one line of at most 200 characters.
    static func check(_ reason: String) throws {
        guard (1...200).contains(reason.count), !reason.contains(where: \.isNewline) else {
            throw ValidationError("--reason takes one line of 1 to 200 characters.")
        }
    }
}

extension FleetService.OrderOutcome {
    fileprivate var isDone: Bool { if case .stands = self { true } else { false } }

    fileprivate func words(_ now: String) -> String {
        switch self {
        case .stands: now
        case .unknownInstance: "the fleet knows no such instance; see 'muster fleet ls'"
        case .draining: "it drains, and that is not taken back"
        }
    }
}

/// `muster fleet drain`.
struct FleetDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Give instances no more matches, and let them end with the last one they hold.",
        discussion: """
            Running matches are not touched. The allocator starts others where the buffer needs them. Asks first; it \
            can't be taken back.

            Example:
              muster fleet drain eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --reason "host goes down"
              muster fleet ls --json | jq -r '.regions[].instances[] | select(.host == "10.0.0.7").instance' | xargs \
            muster fleet drain --yes
            """)

    @OptionGroup var options: FleetOrderOptions
    @Option(help: "Why; 'muster fleet show' tells it.") var reason = "by operator"

    func validate() throws { try FleetOrderOptions.check(reason) }

    func run() async throws {
        let reason = reason
        try await options.carryOut("Drain", now: "drains") { try await $0.drain($1, reason: reason) }
    }
}

/// `muster fleet cordon`.
struct FleetCordonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cordon",
        abstract: "Give instances no more matches until they are uncordoned.",
        discussion: """
            They are not told of it and run on. Asks first.

            Example:
              muster fleet cordon eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --reason "odd ticks"
            """)

    @OptionGroup var options: FleetOrderOptions
    @Option(help: "Why; 'muster fleet show' tells it.") var reason = "by operator"

    func validate() throws { try FleetOrderOptions.check(reason) }

    func run() async throws {
        let reason = reason
        try await options.carryOut("Cordon", now: "gets no more matches") { try await $0.cordon($1, reason: reason) }
    }
}

/// `muster fleet uncordon`.
struct FleetUncordonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uncordon",
        abstract: "Give cordoned instances matches again, from their next heartbeat on.",
        discussion: """
            Example:
              muster fleet uncordon eu.01K0Z7QK3T8V5M2B9X4C6D1E0F --yes
            """)

    @OptionGroup var options: FleetOrderOptions

    func run() async throws {
        try await options.carryOut("Uncordon", now: "gets matches again") { try await $0.uncordon($1) }
    }
}

/// `muster fleet update`.
struct FleetUpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Set the build that regions run: new instances come up first, then those of other builds drain.",
        discussion: """
            New matches go to the newest build that has room, the target before all others. Instances are replaced one \
            by one, so that the buffer of free slots stays; running matches end where they run. Asks first.

            Example:
              muster fleet update --build 2.1
              muster fleet update --build 2.0 --region eu --yes
              muster fleet update --any --yes
            """)

    @OptionGroup var access: MatchmakingAccess
    @OptionGroup var confirmation: Confirmation
    @Option(help: "The build, as instances say it.") var build: String?
    @Flag(help: "No target any more: every build is right.") var any = false
    @Option(help: ArgumentHelp("Only of this region; repeatable.", valueName: "region")) var region: [String] = []
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (build != nil) != any else { throw ValidationError("Give either --build B or --any.") }
        if let build, !InstanceHeartbeat.isBuild(build) {
            throw ValidationError("--build takes 1 to 64 visible characters without spaces, not '\(build)'.")
        }
    }

    func run() async throws {
        let regions = try FleetCommand.regions(region, of: try access.shared.matchmakingRules().regions)
        let names = regions.map(\.rawValue).joined(separator: ", ")
        let build = build
        try confirmation.require(build.map { "Run build \($0) in \(names)?" } ?? "Let any build run in \(names)?")
        let fleets = try await RedisConnection.with(url: try access.shared.redisURL()) { redis in
            let fleet = FleetService(redis: redis)
            var fleets: [FleetSnapshot] = []
            for region in regions {
                try await fleet.setTarget(build, of: region)
                fleets.append(try await fleet.list(region))
            }
            return fleets
        }
        if json { return try JobJSON.print(["regions": fleets]) }
        for fleet in fleets {
            let others = fleet.instances.filter { build != nil && $0.build != build && $0.isFit }.count
            print("\(fleet.region): \(build.map { "to run \($0)" } ?? "any build"), \(others) instances to be replaced")
        }
    }
}
