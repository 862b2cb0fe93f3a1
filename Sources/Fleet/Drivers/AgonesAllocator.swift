import Crypto
import Foundation
import GameModel
import Logging
import ServiceLifecycle

/// Places matches on the game servers of a cluster that Agones keeps: one match on each.
///
/// Idempotent by match id: the server that a match was given bears its name, and is asked for first. What was given is
/// noted in the fleet, so that a server that falls silent, or that nobody joins, is noticed like any other instance.
/// The instance on a game server is called by its region and the server's name.
public struct AgonesAllocator: MatchAllocator, Service {
    private let configuration: AgonesConfiguration
    private let client: AgonesClient
    private let fleet: FleetService
    private let logger: Logger
    /// Waits between two requests, the shorter the earlier; the share is of 0 to 1.
    private let share: @Sendable () -> Double

    /// - Throws: `unreadable` for a certificate or key.
    public init(
        _ configuration: AgonesConfiguration, fleet: FleetService, logger: Logger,
        share: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) throws(AgonesError) {
        self.configuration = configuration
        client = try AgonesClient(configuration)
        self.fleet = fleet
        self.logger = logger
        self.share = share
    }

    /// Until the process stops.
    public func run() async throws { try await client.run() }

    /// Each match is a request of its own, and may be asked for again for a while.
    public var batchMax: Int { 1 }

    public func allocate(_ matches: [MatchID], in _: Region) async throws -> [MatchID: Allocation] {
        var given: [MatchID: Allocation] = [:]
        for match in matches { given[match] = try await allocate(match) }
        return given
    }

    /// - Throws: ``AgonesError``, ``FleetError``; the match may hold a server then, and gets it when asked again.
    public func allocate(_ match: MatchID) async throws -> Allocation? {
        guard let region = match.region else { throw AgonesError.unknownRegion(match.rawValue) }
        guard let answer = try await ask(request(for: match, in: region)) else { return nil }
        guard let name = answer.gameServerName, !name.isEmpty, let host = answer.address, !host.isEmpty else {
            throw AgonesError.badAnswer("no gameServerName or no address")
        }
        let instance = InstanceID("\(region).\(name)")
        guard instance.region == region else {
            throw AgonesError.badAnswer("'\(name)' can't be an instance's name: 1 to 64 letters, digits, '-' and '_'")
        }
        let wanted = configuration.port
        guard let port = answer.ports?.first(where: { wanted == nil || $0.name == wanted })?.port,
            (1...65_535).contains(port)
        else { throw AgonesError.badAnswer("\(name) has no port '\(wanted ?? "")'") }
        return try await fleet.bind(match, to: instance, host: host, port: port)
    }

    /// The request, again where that may help; `nil` where no server is free.
    private func ask(_ request: AgonesWire.Request) async throws -> AgonesWire.Answer? {
        var attempt = 1
        while true {
            let failure: AgonesError
            switch try await client.allocate(request) {
            case .allocated(let answer): return answer
            case .noneFree: return nil
            case .again(let error): failure = error
            }
            guard attempt < configuration.attempts else {
                // Contention is no fault: the match waits for its turn as for a free server.
                if case .refused(status: 409, _) = failure { return nil }
                throw failure
            }
            logger.info("asking again for a game server", metadata: ["attempt": "\(attempt)", "why": "\(failure)"])
            try await Task.sleep(for: Self.pause * (Double(1 << attempt) * share()))
            attempt += 1
        }
    }

    private static let pause: Duration = .milliseconds(50)

    func request(for match: MatchID, in region: Region) -> AgonesWire.Request {
        let label = Self.label(of: match)
        let fleet = [AgonesLabels.fleet: configuration.fleet, AgonesLabels.region: region.rawValue]
        let own = fleet.merging([AgonesLabels.match: label]) { _, new in new }
        return AgonesWire.Request(
            namespace: configuration.namespace,
            multiClusterSetting: configuration.multiCluster ? .init(enabled: true) : nil,
            gameServerSelectors: [
                // What an earlier attempt was given, and then any that is ready.
                .init(matchLabels: own, gameServerState: "ALLOCATED"),
                .init(matchLabels: fleet, gameServerState: "READY"),
            ],
            scheduling: configuration.scheduling.rawValue,
            metadata: .init(labels: [AgonesLabels.match: label], annotations: [AgonesLabels.match: match.rawValue]))
    }

    /// A match's name as the value of a Kubernetes label: at most 63 letters, digits, `-`, `_` and `.`. A longer one is
    /// shortened to its digest.
    static func label(of match: MatchID) -> String {
        let name = match.rawValue
        guard name.utf8.count > 63 else { return name }
        return SHA256.hash(data: Data(name.utf8)).prefix(16).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}

/// Instances on a cluster that Agones keeps: its fleet and fleet autoscaler start and stop them.
public struct AgonesDriver: InstanceDriver {
    public let startsInstances = false

    public init() {}

    public func adopt(_: Region) -> [InstanceID] { [] }
    public func start(_: InstanceOrder) throws { throw AgonesError.startsNone }
    public func stop(_: InstanceID) {}
    public func collectExits() -> [InstanceExit] { [] }
    public func running() -> [InstanceID] { [] }
    public func kill(_: InstanceID) {}
}
