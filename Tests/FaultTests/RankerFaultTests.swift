import Foundation
import GameModel
import Logging
import Matchmaking
import Redis
import TestSupport
import Testing

@Suite("Rankers that die or freeze in mid-commit", .serialized) struct RankerFaultTests {
    private static let duel = Pool(mode: Mode("duel"), region: Region("eu"))

    @Test("kill -9 and SIGSTOP of rankers under load: no ticket is lost, none is in two matches, all are matched")
    func killedAndStopped() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var logger = Logger(label: "test.rankers")
        logger.logLevel = .critical
        try await withClient(try server.configuration()) { [logger] redis in
            let service = MatchmakingService(redis: redis, logger: logger)
            let rankers = try await RankerProcesses(url: server.url, folder: folder, count: 3)
            defer { rankers.endAll() }
            var crowd = Crowd(service: service)
            for round in 0..<3 {
                // The next tickets come while the last ones are still being matched, so that the harm meets commits.
                try await crowd.queue(60)
                let holder = try await rankers.holder(of: Self.duel, service)
                holder.end()
                try await crowd.queue(20)
                try await rankers.start()
                try await crowd.play(until: 80 * (2 * round + 1) - 40)

                try await crowd.queue(60)
                let stopped = try await rankers.holder(of: Self.duel, service)
                stopped.signal(SIGSTOP)
                try await crowd.queue(20)
                try await eventually(within: .seconds(180), "another ranker holds the pool") {
                    let now = try await service.depth(of: Self.duel).ranker
                    return now != nil && now.flatMap(rankers.process(named:))?.pid != stopped.pid
                }
                // What it was about to commit comes now, with an older fence.
                stopped.signal(SIGCONT)
                try await crowd.play(until: 80 * (2 * round + 2) - 40)
            }
            try await crowd.play(until: crowd.tickets.count)
            #expect(crowd.tickets.count == 480)
            let played = crowd.played.values.flatMap { $0 }
            #expect(played.count == 480 && Set(played) == Set(crowd.tickets), "each was played once, and none twice")
            #expect(crowd.played.values.allSatisfy { $0.count == 2 })
            for finding in try await MatchmakingAudit(service: service).run() { #expect(finding.holds, "\(finding)") }
            let depth = try await service.depth(of: Self.duel)
            #expect(depth.waiting.count + depth.proposed.count + depth.placing.count + depth.ready.count == 0)
            #expect(depth.entered == depth.left)
        }
    }
}

/// Ranker processes, which name themselves in the leases they hold by the log they write.
private final class RankerProcesses {
    private let url: String
    private let folder: TemporaryFolder
    private var processes: [(process: GuardedProcess, log: String)] = []
    /// The pools of the built-in rules, and time to accept: what is proposed while another ranker is waited for, or on
    /// a machine that has no time for the players, must not run out.
    private static let rules = """
        regions: [eu, us]
        modes:
          duel: {teams: {size: 1}, acceptance: {seconds: 600}}
          trio: {teams: {size: 3}}
          squad: {teams: {size: 5}}

        """

    init(url: String, folder: TemporaryFolder, count: Int) async throws {
        self.url = url
        self.folder = folder
        try Data(Self.rules.utf8).write(to: URL(filePath: folder.file("rules.yaml")))
        for _ in 0..<count { try await start() }
    }

    func start() async throws {
        let log = folder.file("ranker-\(ULID()).log")
        var environment = ProcessInfo.processInfo.environment
        environment["MUSTER_RANKER_LEASE_MS"] = "800"
        environment["MUSTER_RANKER_TICK_MS"] = "20"
        environment["MUSTER_MATCHMAKING_RULES"] = folder.file("rules.yaml")
        let process = try await GuardedProcess.start(
            [try MusterUp.executable(), "ranker", "--redis", url], log: log, environment: environment)
        processes.append((process, log))
    }

    func endAll() {
        for item in processes { item.process.end() }
    }

    /// The one that holds the pool, once one does.
    func holder(of pool: Pool, _ service: MatchmakingService) async throws -> GuardedProcess {
        var found: GuardedProcess?
        try await eventually(within: .seconds(180), "a ranker holds the pool") {
            found = try await service.depth(of: pool).ranker.flatMap(self.process(named:))
            return found != nil
        }
        return try #require(found)
    }

    func process(named name: String) -> GuardedProcess? {
        processes.first { item in
            let text = FileManager.default.contents(atPath: item.log).map { String(decoding: $0, as: UTF8.self) }
            return text?.contains(name) == true
        }?.process
    }
}

/// Players who queue, accept whatever is proposed and play it, and the account of who played what.
private struct Crowd {
    let service: MatchmakingService
    private(set) var tickets: [TicketID] = []
    /// The tickets of each match that was played.
    private(set) var played: [MatchID: [TicketID]] = [:]
    private var waiting: Set<TicketID> = []

    init(service: MatchmakingService) { self.service = service }

    mutating func queue(_ count: Int) async throws {
        for _ in 0..<count {
            let ticket = try await service.createTicket(
                TicketRequest(
                    player: PlayerID("player-\(tickets.count)"), mode: Mode("duel"), region: Region("eu"),
                    skill: Skill(rating: 1_500 + Double(tickets.count % 20), deviation: 80)))
            tickets.append(ticket.id)
            waiting.insert(ticket.id)
        }
    }

    /// Goes on until so many tickets were played.
    mutating func play(until count: Int) async throws {
        var crowd = self
        try await eventually(within: .seconds(180), "\(count) tickets are played") {
            try await crowd.step()
            return crowd.tickets.count - crowd.waiting.count >= count
        }
        self = crowd
    }

    private mutating func step() async throws {
        for id in waiting.sorted() {
            guard let ticket = try await service.ticket(id) else { throw TestSupportError("ticket \(id) is lost") }
            switch ticket.state {
            case .proposed: try await accept(id)
            case .placing: try await play(ticket)
            case .finished: waiting.remove(id)
            case .cancelled, .expired, .declined, .failed:
                throw TestSupportError("ticket \(id) ended \(ticket.state), \(ticket.reason ?? "")")
            case .forming, .queued, .accepted, .ready: break
            }
        }
    }

    private func accept(_ id: TicketID) async throws {
        do {
            _ = try await service.accept(id)
        } catch {
            // Moved on between the look and the call.
            guard case .ticketState = error else { throw error }
        }
    }

    private mutating func play(_ ticket: Ticket) async throws {
        guard let id = ticket.match, let match = try await service.match(id), match.state == .placing else { return }
        try await service.markReady(id, Assignment(instanceId: InstanceID("i"), host: "h", port: 1))
        #expect(try await service.finish(id))
        #expect(played[id] == nil)
        played[id] = match.tickets
    }
}
