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
    private let redis: RedisClient

    public init(redis: RedisClient, configuration: FleetConfiguration = .init()) {
        self.redis = redis
        self.configuration = configuration
    }

    // MARK: What instances say

    /// Registers the instance, or renews it, and recomputes its free slots from what runs there.
    ///
    /// - Returns: how soon the next heartbeat is due.
    /// - Throws: `invalid` where the heartbeat can't be right; `unavailable`.
    @discardableResult
    public func heartbeat(
        _ instance: InstanceID, _ beat: InstanceHeartbeat
    ) async throws(FleetError) -> Duration {
        try beat.validate(for: instance)
        let record = InstanceRecord(host: beat.host, port: beat.port, slots: beat.slots, build: beat.build)
        _ = try await call(
            FleetScripts.heartbeat, keys: FleetKeys(region: beat.region).transition,
            [RedisArgument(instance.rawValue), RedisArgument(try Self.encode(record)), RedisArgument(beat.slots)]
                + beat.matches.map { RedisArgument($0.rawValue) })
        return configuration.heartbeatInterval
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

    /// A slot for the match: the same one again where it already has one, `nil` where none is free.
    public func allocate(_ match: MatchID) async throws(FleetError) -> Allocation? {
        let region = try Self.region(of: match)
        return try await allocate(match, in: region)
    }

    /// A slot for the match in a region: the same one again where it already has one, `nil` where none is free.
    public func allocate(_ match: MatchID, in region: Region) async throws(FleetError) -> Allocation? {
        let reply = try await call(
            FleetScripts.allocate, keys: FleetKeys(region: region).transition,
            [
                RedisArgument(match.rawValue), RedisArgument(configuration.silentAfter.milliseconds),
                RedisArgument(configuration.allocationLifetime.milliseconds),
            ])
        guard let fields = reply.array else { throw .unexpectedReply("fleet.allocate") }
        if fields.isEmpty { return nil }
        guard fields.count == 4, let fresh = fields[0].int, let instance = fields[1].string,
            let text = fields[2].string, let at = fields[3].int
        else { throw .unexpectedReply("fleet.allocate") }
        let record = try Self.decode(text)
        return Allocation(
            match: match, instance: InstanceID(instance), host: record.host, port: record.port,
            at: Instant(milliseconds: Int64(at)), isNew: fresh == 1)
    }

    /// Gives the match's slot back; `false` where it holds none.
    @discardableResult
    public func release(_ match: MatchID) async throws(FleetError) -> Bool {
        let keys = FleetKeys(region: try Self.region(of: match))
        let reply = try await call(
            FleetScripts.release, keys: [keys.slots, keys.allocations, keys.held, keys.unseen, keys.lost],
            [RedisArgument(match.rawValue)])
        return reply.int == 1
    }

    // MARK: What died

    /// Looks for instances that fell silent and matches that no one joined. Due about each second, by any number of
    /// callers; lost matches are named again until ``settleLost(_:in:)``.
    ///
    /// - Parameter sparing: instances whose process the caller sees running: an API that is away silences them all, and
    ///   their matches go on. The other callers spare them too, for as long as the watch may have a gap.
    public func reap(_ region: Region, sparing: [InstanceID] = []) async throws(FleetError) -> FleetReapReport {
        let keys = FleetKeys(region: region)
        let reply = try await call(
            FleetScripts.reap, keys: keys.transition + [keys.watch, keys.vouched],
            [
                RedisArgument(configuration.silentAfter.milliseconds),
                RedisArgument(configuration.deadAfter.milliseconds),
                RedisArgument(configuration.watchGap.milliseconds), RedisArgument(configuration.reapMax),
            ] + sparing.prefix(FleetConfiguration.slotsMax).map { RedisArgument($0.rawValue) })
        guard let parts = reply.array, parts.count == 2, let dead = parts[0].array, let lost = parts[1].array else {
            throw .unexpectedReply("fleet.reap")
        }
        var report = FleetReapReport()
        report.dead = dead.compactMap { $0.string.map { InstanceID($0) } }
        for index in stride(from: 0, to: lost.count - 1, by: 2) {
            guard let match = lost[index].string else { continue }
            let reason = lost[index + 1].string.flatMap { LostMatch.Reason(rawValue: $0) } ?? .instanceDied
            report.lost.append(LostMatch(match: MatchID(match), reason: reason))
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
        guard !matches.isEmpty else { return [] }
        let command = RedisCommand(
            ["HMGET", RedisArgument(FleetKeys(region: region).allocations)]
                + matches.map { RedisArgument($0.rawValue) }, isSafeToRepeat: true)
        do {
            let reply = try await redis.send(command)
            guard let values = reply.array, values.count == matches.count else {
                throw FleetError.unexpectedReply("HMGET")
            }
            return Set(zip(matches, values).filter { !$0.1.isNull }.map(\.0))
        } catch let error as FleetError {
            throw error
        } catch let error as RedisError {
            throw .unavailable(error)
        } catch {
            throw .unexpectedReply("HMGET: \(error)")
        }
    }

    // MARK: For operators and the allocator's buffer

    /// The fleet of a region at one moment.
    public func list(_ region: Region) async throws(FleetError) -> FleetSnapshot {
        let keys = FleetKeys(region: region)
        let reply = try await call(
            FleetScripts.list,
            keys: [keys.instances, keys.beats, keys.slots, keys.allocations, keys.unseen, keys.lost], [])
        guard let parts = reply.array, parts.count == 5, let now = parts[0].int, let allocations = parts[1].int,
            let unjoined = parts[2].int, let lost = parts[3].int, let rows = parts[4].array, rows.count % 4 == 0
        else { throw .unexpectedReply("fleet.list") }
        var instances: [FleetSnapshot.Instance] = []
        for row in stride(from: 0, to: rows.count, by: 4) {
            guard let name = rows[row].string, let text = rows[row + 1].string, let beat = rows[row + 2].int,
                let free = rows[row + 3].int
            else { throw .unexpectedReply("fleet.list") }
            let record = try Self.decode(text)
            let silence = max(0, now - beat)
            let fit = free >= 0 && silence <= Int(configuration.silentAfter.milliseconds)
            instances.append(
                .init(
                    instance: InstanceID(name), host: record.host, port: record.port, slots: record.slots,
                    freeSlots: fit ? free : nil, build: record.build, silentMs: silence))
        }
        instances.sort { $0.instance < $1.instance }
        return FleetSnapshot(
            region: region, instances: instances, allocations: allocations, unjoined: unjoined, lost: lost)
    }

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

    private func call(
        _ script: RedisScript, keys: [RedisKey], _ arguments: [RedisArgument]
    ) async throws(FleetError) -> RESPValue {
        do {
            // Every script of the fleet leaves the same state when it runs twice.
            return try await redis.run(script, keys: keys, arguments: arguments, isSafeToRepeat: true)
        } catch {
            throw .unavailable(error)
        }
    }

    private static func region(of match: MatchID) throws(FleetError) -> Region {
        guard let region = match.region else { throw .unknownRegion(match.rawValue) }
        return region
    }

    private static func encode(_ record: InstanceRecord) throws(FleetError) -> String {
        do {
            return String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        } catch {
            throw .unexpectedReply("JSON encoding")
        }
    }

    private static func decode(_ text: String) throws(FleetError) -> InstanceRecord {
        do {
            return try JSONDecoder().decode(InstanceRecord.self, from: Data(text.utf8))
        } catch {
            throw .unexpectedReply("an instance's record: \(error)")
        }
    }
}
