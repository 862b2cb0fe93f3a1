import GameModel
import Logging
import Metrics
import MusterInstance
import ServiceLifecycle

/// The matches of this instance: one room each, from the first join until the result is with the API.
actor MatchHost: Service {
    private let configuration: InstanceConfiguration
    private let client: InstanceClient
    private let logger: Logger

    private var rooms: [MatchID: MatchRoom] = [:]
    private var ended = RecentMatches()
    /// The process is about to end.
    private var isStopping = false
    private let opened: AsyncStream<MatchRoom>
    private let opening: AsyncStream<MatchRoom>.Continuation
    private let playedCounter = Counter(label: "instance_matches_played_total")
    private let abandonedCounter = Counter(label: "instance_matches_abandoned_total")
    private let runningGauge = Gauge(label: "instance_matches_running")

    init(configuration: InstanceConfiguration, client: InstanceClient, logger: Logger) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
        (opened, opening) = AsyncStream.makeStream()
    }

    /// The room of a match; opened by the first who asks. While the instance drains too: the fleet gives it no more
    /// matches then, but one that was placed before may begin.
    func room(for match: MatchID) throws(GameRefusal) -> MatchRoom {
        if let room = rooms[match] { return room }
        guard !ended.contains(match) else { throw GameRefusal(.noMatch, "the match has ended") }
        guard !isStopping else { throw GameRefusal(.draining, "this instance takes no more matches") }
        // The fleet keeps to the slots; a match that has just ended may overlap with the one that takes its slot.
        guard rooms.count < 2 * configuration.slots else { throw GameRefusal(.full, "no slot is free") }
        let room = MatchRoom(match: match, rules: configuration.play, client: client, logger: logger)
        rooms[match] = room
        client.open(match)
        runningGauge.record(rooms.count)
        opening.yield(room)
        return room
    }

    /// Runs the rooms until ``drain(within:)`` has ended.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await room in opened { group.addTask { await self.play(room) } }
            group.cancelAll()
        }
        // The game port drains this before it stops itself; a service that ends before its turn counts as failed.
        try await gracefulShutdown()
    }

    /// Takes no new match, waits for the running ones and their results, then abandons what still runs.
    func drain(within grace: Duration) async {
        isStopping = true
        client.drain()
        let deadline = ContinuousClock.now + grace
        while ContinuousClock.now < deadline {
            let undelivered = await client.undeliveredResults
            if rooms.isEmpty, undelivered == 0 { break }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
        }
        opening.finish()
    }

    private func play(_ room: MatchRoom) async {
        if await room.run() {
            playedCounter.increment()
            ended.insert(room.match)
        } else {
            abandonedCounter.increment()
            client.abandon(room.match)
        }
        rooms[room.match] = nil
        runningGauge.record(rooms.count)
    }
}

/// The matches that ended here lately, so that a join token used again opens none of them anew.
private struct RecentMatches {
    /// More than an instance ends while a join token is good.
    static let countMax = 10_000

    private var names: Set<MatchID> = []
    private var order: [MatchID] = []

    func contains(_ match: MatchID) -> Bool { names.contains(match) }

    mutating func insert(_ match: MatchID) {
        guard names.insert(match).inserted else { return }
        order.append(match)
        // Half at once, so that each removal is paid by many insertions.
        guard order.count > Self.countMax else { return }
        for old in order.prefix(Self.countMax / 2) { names.remove(old) }
        order.removeFirst(Self.countMax / 2)
    }
}
