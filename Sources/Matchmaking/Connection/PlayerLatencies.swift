import GameModel
import Redis

/// What is known of each player's latency to each region, in ms: what clients report, smoothed, and never below what
/// game instances measured themselves.
///
/// A client is not believed blindly, for a match goes where latencies are low: what it reports is a median of samples,
/// moves the known value by ``Smoothing/weight`` of the difference, and lowers it by half at most, once in
/// ``Smoothing/fallInterval``. Values are forgotten a day after the last news. Any number of processes use it at once.
public struct PlayerLatencies: Sendable {
    public struct Smoothing: Sendable, Hashable {
        /// How much of the difference between the known and the new value is taken over, 0 to 1.
        public var weight = 0.6
        /// A value that fell does not fall again for so long.
        public var fallInterval = Duration.seconds(10)
        /// How long values are kept after the last news.
        public var lifetime = Duration.seconds(86_400)

        public init() {}
    }

    static let script = RedisScript(name: "matchmaking.latencies", bytes: PackageResources.latencies_lua)

    private let redis: RedisClient
    private let book: RulesBook
    private let smoothing: Smoothing

    public init(redis: RedisClient, book: RulesBook, smoothing: Smoothing = Smoothing()) {
        self.redis = redis
        self.book = book
        self.smoothing = smoothing
    }

    /// Takes in what the player's client measured; what is known then, in ms, of the regions that are played in.
    /// - Throws: ``LatencyError`` naming what can't have been measured: then nothing was taken in.
    @discardableResult
    public func report(
        _ player: PlayerID, _ samples: [Region: [Double]]
    ) async throws(LatencyError) -> [Region: Double] {
        let report = try LatencyReport(samples, played: book.current.regions)
        return try await tell(player, report.medians.map { ("reported", $0.key, $0.value) })
    }

    /// Takes in what an instance of the region measured: no report of the client lowers the value below it.
    /// - Throws: ``LatencyError`` where that can't have been measured.
    public func observe(_ player: PlayerID, _ region: Region, ms: Double) async throws(LatencyError) {
        _ = try LatencyReport([region: [ms]], played: book.current.regions)
        _ = try await tell(player, [("measured", region, ms)])
    }

    /// What is known of the player, in ms, of the regions that are played in; empty for a new one.
    public func known(_ player: PlayerID) async throws(LatencyError) -> [Region: Double] {
        try await tell(player, [])
    }

    private func tell(
        _ player: PlayerID, _ news: [(kind: String, region: Region, ms: Double)]
    ) async throws(LatencyError) -> [Region: Double] {
        var arguments: [RedisArgument] = [
            RedisArgument(smoothing.lifetime.milliseconds), RedisArgument("\(smoothing.weight)"),
            RedisArgument(smoothing.fallInterval.milliseconds), RedisArgument(LatencyReport.regionsMax),
        ]
        for item in news.sorted(by: { $0.region < $1.region }) {
            arguments += [
                RedisArgument(item.kind), RedisArgument(item.region.rawValue), RedisArgument("\(item.ms)"),
            ]
        }
        let reply: RESPValue
        do throws(RedisError) {
            // Taken in twice, a report only comes nearer to what it said.
            reply = try await redis.run(
                Self.script, keys: [MatchmakingKeys.latencies(player)], arguments: arguments, isSafeToRepeat: true)
        } catch {
            throw .unavailable(.redis(error))
        }
        let played = Set(book.current.regions)
        var known: [Region: Double] = [:]
        for (name, text) in reply.fields {
            guard let ms = Double(text), played.contains(Region(name)) else { continue }
            known[Region(name)] = ms
        }
        return known
    }
}
