import Foundation
import GameModel
import Redis

/// Knows which instances live, how many slots each has free, and which match sits in which slot.
///
/// Each transition is one Lua script. Nothing here must survive Redis: the heartbeats of the running instances bring
/// their part back within a second, and what a match needs to be played and recorded is in SQLite. Every call may be
/// repeated after an outage.
public struct FleetService: Sendable {
    public let configuration: FleetConfiguration
    let redis: RedisClient

    public init(redis: RedisClient, configuration: FleetConfiguration = .init()) {
        self.redis = redis
        self.configuration = configuration
    }

    // MARK: What instances say

    /// Registers the instance, or renews it, and recomputes its state and free slots from what runs there.
    ///
    /// - Returns: how soon the next heartbeat is due, and what the instance is to do.
    /// - Throws: `invalid` where the heartbeat can't be right; `unavailable`.
    @discardableResult
    public func heartbeat(
        _ instance: InstanceID, _ beat: InstanceHeartbeat
    ) async throws(FleetError) -> HeartbeatAnswer {
        try beat.validate(for: instance)
        let record = InstanceRecord(
            host: beat.host, port: beat.port, slots: beat.slots, build: beat.build, played: beat.matchesPlayed)
        let reply = try await call(
            FleetScripts.heartbeat, keys: FleetKeys(region: beat.region).transition,
            [
                RedisArgument(instance.rawValue), RedisArgument(try Self.encode(record)), RedisArgument(beat.slots),
                RedisArgument(beat.state.rawValue), RedisArgument(beat.build),
            ] + beat.matches.map { RedisArgument($0.rawValue) })
        guard let fields = reply.array, fields.count == 4,
            let state = fields[2].string.flatMap(InstanceState.init(rawValue:))
        else { throw .unexpectedReply("fleet.heartbeat") }
        return HeartbeatAnswer(
            interval: configuration.heartbeatInterval, state: state,
            order: fields[3].string.flatMap(InstanceCommand.init(rawValue:)))
    }

    /// Takes an instance out of the fleet. What it still held is lost, and named by ``reap(_:)`` until settled.
    ///
    /// - Returns: the matches that it held.
    @discardableResult
    public func deregister(_ instance: InstanceID) async throws(FleetError) -> [MatchID] {
        guard let region = instance.region else { throw .unknownRegion(instance.rawValue) }
        let reply = try await call(
            FleetScripts.deregister, keys: FleetKeys(region: region).transition,
            [RedisArgument(instance.rawValue), RedisArgument(LostMatch.Reason.instanceDied.rawValue)])
        return (reply.array ?? []).compactMap { $0.string.map { MatchID($0) } }
    }

    // MARK: Slots for matches

    /// Gives the match's slot back; `false` where it holds none.
    @discardableResult
    public func release(_ match: MatchID) async throws(FleetError) -> Bool {
        let keys = FleetKeys(region: try Self.region(of: match))
        let reply = try await call(
            FleetScripts.release, keys: keys.transition, [RedisArgument(match.rawValue)])
        return reply.int == 1
    }

    // MARK: What died

    /// Looks for instances that fell silent and matches that no one joined. Due about each second, by any number of
    /// callers; lost matches are named again until ``settleLost(_:in:)``.
    ///
    /// - Parameter sparing: instances whose process the caller sees running: an API that is away silences them all, and
    ///   their matches go on. The other callers spare them too, for as long as the watch may have a gap.
    /// - Parameter isDeaf: whether the caller knows that no heartbeat can be heard now, for no API answers: nobody is
    ///   dead by silence then, and silence counts from anew.
    public func reap(
        _ region: Region, sparing: [InstanceID] = [], isDeaf: Bool = false
    ) async throws(FleetError) -> FleetReapReport {
        let keys = FleetKeys(region: region)
        let reply = try await call(
            FleetScripts.reap, keys: keys.transition + [keys.watch, keys.vouched],
            [
                RedisArgument(configuration.silentAfter.milliseconds),
                RedisArgument(configuration.deadAfter.milliseconds),
                RedisArgument(configuration.watchGap.milliseconds), RedisArgument(configuration.reapMax),
                RedisArgument(isDeaf ? "1" : "0"),
            ] + sparing.prefix(FleetConfiguration.slotsMax).map { RedisArgument($0.rawValue) })
        guard let parts = reply.array, parts.count == 2, let dead = parts[0].array, let lost = parts[1].array else {
            throw .unexpectedReply("fleet.reap")
        }
        var report = FleetReapReport()
        report.dead = dead.compactMap { $0.string.map { InstanceID($0) } }
        for index in stride(from: 0, to: lost.count - 1, by: 2) {
            guard let match = lost[index].string else { continue }
            report.lost.append(LostMatch(match: MatchID(match), entry: lost[index + 1].string ?? ""))
        }
        return report
    }

    /// Strikes lost matches off the list: they were recorded as abandoned and their players told.
    public func settleLost(_ matches: [MatchID], in region: Region) async throws(FleetError) {
        guard !matches.isEmpty else { return }
        let command = RedisCommand(
            ["HDEL", RedisArgument(FleetKeys(region: region).lost)] + matches.map { RedisArgument($0.rawValue) },
            isSafeToRepeat: true)
        do {
            _ = try await redis.send(command)
        } catch {
            throw .unavailable(error)
        }
    }

    /// Those of the matches that hold a slot.
    public func allocated(_ matches: [MatchID], in region: Region) async throws(FleetError) -> Set<MatchID> {
        Set(try await owners(of: matches, in: region).keys)
    }

    /// The instance of each of the matches that hold a slot.
    public func owners(
        of matches: [MatchID], in region: Region
    ) async throws(FleetError) -> [MatchID: InstanceID] {
        guard !matches.isEmpty else { return [:] }
        let reply = try await read(
            RedisCommand(
                ["HMGET", RedisArgument(FleetKeys(region: region).allocations)]
                    + matches.map { RedisArgument($0.rawValue) }, isSafeToRepeat: true))
        guard let values = reply.array, values.count == matches.count else { throw .unexpectedReply("HMGET") }
        var owners: [MatchID: InstanceID] = [:]
        for (match, value) in zip(matches, values) {
            if let text = value.string { owners[match] = InstanceID(String(text.prefix { $0 != " " })) }
        }
        return owners
    }

    // MARK: For the keepers of the buffer

    /// Whether this caller may start an instance now: `true` for one caller per region within the time given.
    public func claimStart(_ region: Region, for time: Duration) async throws(FleetError) -> Bool {
        do {
            let reply = try await redis.send(
                RedisCommand(
                    "SET", RedisArgument(FleetKeys(region: region).starting), "1", "NX", "PX",
                    RedisArgument(time.milliseconds)))
            return !reply.isNull
        } catch {
            throw .unavailable(error)
        }
    }

    // MARK: -

    func call(
        _ script: RedisScript, keys: [RedisKey], _ arguments: [RedisArgument]
    ) async throws(FleetError) -> RESPValue {
        do {
            // Every script of the fleet leaves the same state when it runs twice.
            return try await redis.run(script, keys: keys, arguments: arguments, isSafeToRepeat: true)
        } catch {
            throw .unavailable(error)
        }
    }

    static func region(of match: MatchID) throws(FleetError) -> Region {
        guard let region = match.region else { throw .unknownRegion(match.rawValue) }
        return region
    }

    static func encode(_ record: InstanceRecord) throws(FleetError) -> String {
        do {
            return String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        } catch {
            throw .unexpectedReply("JSON encoding")
        }
    }

    static func decode(_ text: String) throws(FleetError) -> InstanceRecord {
        do {
            return try JSONDecoder().decode(InstanceRecord.self, from: Data(text.utf8))
        } catch {
            throw .unexpectedReply("an instance's record: \(error)")
        }
    }
}
