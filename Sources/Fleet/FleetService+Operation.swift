import GameModel
import Redis

/// What operators and the keepers of the buffer look at and order.
extension FleetService {
    // MARK: Looking

    /// The fleet of a region at one moment.
    public func list(_ region: Region) async throws(FleetError) -> FleetSnapshot {
        let reply = try await call(FleetScripts.list, keys: FleetKeys(region: region).transition, [])
        guard let parts = reply.array, parts.count == 7, let now = parts[0].int, let allocations = parts[1].int,
            let unjoined = parts[2].int, let lost = parts[3].int, let target = parts[4].string,
            let builds = parts[5].array, let rows = parts[6].array, rows.count % 7 == 0
        else { throw .unexpectedReply("fleet.list") }
        var instances: [FleetSnapshot.Instance] = []
        for start in stride(from: 0, to: rows.count, by: 7) {
            instances.append(try instance(Array(rows[start..<start + 7]), now: now))
        }
        instances.sort { $0.instance < $1.instance }
        return FleetSnapshot(
            region: region, at: Instant(milliseconds: Int64(now)), instances: instances, allocations: allocations,
            unjoined: unjoined, lost: lost,
            target: target.isEmpty ? nil : target, builds: builds.compactMap(\.string))
    }

    private func instance(_ row: [RESPValue], now: Int) throws(FleetError) -> FleetSnapshot.Instance {
        guard let name = row[0].string, let text = row[1].string, let beat = row[2].int, let free = row[3].int,
            let life = row[4].string, let order = row[5].string, let held = row[6].int
        else { throw .unexpectedReply("fleet.list") }
        let record = try Self.decode(text)
        let silence = max(0, now - beat)
        let parts = life.split(separator: " ")
        var state = parts.first.flatMap { InstanceState(rawValue: String($0)) } ?? .unhealthy
        var since = parts.last.flatMap { Int($0) } ?? now
        if silence > Int(configuration.silentAfter.milliseconds), state.mayBecome(.unhealthy) {
            // Nobody has looked for the silent yet. One that was told to end stays in that state.
            (state, since) = (.unhealthy, beat)
        }
        return FleetSnapshot.Instance(
            instance: InstanceID(name), host: record.host, port: record.port, slots: record.slots,
            freeSlots: free >= 0 && state.takesMatches ? free : nil, build: record.build, silentMs: silence,
            state: state, stateMs: max(0, now - since), held: held, played: record.played ?? 0,
            order: StandingOrder(order))
    }

    /// The matches that an instance holds, by name.
    public func held(by instance: InstanceID) async throws(FleetError) -> [HeldMatch] {
        guard let region = instance.region else { throw .unknownRegion(instance.rawValue) }
        return try await held(in: region).filter { $0.instance == instance }.map(\.match).sorted { $0.match < $1.match }
    }

    /// Every match of a region that holds a slot, with the instance that it was given.
    public func held(in region: Region) async throws(FleetError) -> [(instance: InstanceID, match: HeldMatch)] {
        let keys = FleetKeys(region: region)
        let all = try await read(RedisCommand("HGETALL", RedisArgument(keys.allocations), isSafeToRepeat: true))
        let unseen = try await read(
            RedisCommand("ZRANGE", RedisArgument(keys.unseen), "0", "-1", "WITHSCORES", isSafeToRepeat: true))
        var expiries: [String: Int64] = [:]
        let scores = unseen.array ?? []
        for index in stride(from: 0, to: scores.count - 1, by: 2) {
            if let match = scores[index].string { expiries[match] = scores[index + 1].int.map(Int64.init) }
        }
        return try Self.pairs(all).map { match, text throws(FleetError) in
            let parts = text.split(separator: " ")
            guard parts.count == 2, let since = Int64(parts[1]) else {
                throw .unexpectedReply("an allocation: '\(text)'")
            }
            let held = HeldMatch(match: MatchID(match), since: since, joinBefore: expiries[match])
            return (InstanceID(String(parts[0])), held)
        }
    }

    // MARK: Ordering

    /// What became of an order.
    public enum OrderOutcome: Sendable, Equatable {
        /// It stands; the instance is in this state now.
        case stands(InstanceState?)
        /// The fleet knows no such instance.
        case unknownInstance
        /// It drains, and that is not taken back.
        case draining
    }

    /// No more matches for the instance; it ends when those that it holds have ended. Running matches are not touched.
    ///
    /// - Parameter reason: why, without line breaks; shown by `muster fleet show`.
    @discardableResult
    public func drain(_ instance: InstanceID, reason: String) async throws(FleetError) -> OrderOutcome {
        try await order(instance, "drain", reason)
    }

    /// No more matches for the instance until ``uncordon(_:)``.
    @discardableResult
    public func cordon(_ instance: InstanceID, reason: String) async throws(FleetError) -> OrderOutcome {
        try await order(instance, "cordon", reason)
    }

    /// Takes a cordon back: with its next heartbeat the instance gets matches again.
    @discardableResult
    public func uncordon(_ instance: InstanceID) async throws(FleetError) -> OrderOutcome {
        try await order(instance, "uncordon", "")
    }

    private func order(
        _ instance: InstanceID, _ kind: String, _ reason: String
    ) async throws(FleetError) -> OrderOutcome {
        guard let region = instance.region else { throw .unknownRegion(instance.rawValue) }
        let reply = try await call(
            FleetScripts.order, keys: FleetKeys(region: region).transition,
            [RedisArgument(instance.rawValue), RedisArgument(kind), RedisArgument(reason)])
        guard let parts = reply.array, parts.count == 2, let done = parts[0].int, let said = parts[1].string else {
            throw .unexpectedReply("fleet.order")
        }
        if done == 1 { return .stands(InstanceState(rawValue: said)) }
        return said == "draining" ? .draining : .unknownInstance
    }

    /// Sets the build that a region is to run; `nil`: the newest that is seen. New matches go there first, and the
    /// keepers replace instances of other builds.
    public func setTarget(_ build: String?, of region: Region) async throws(FleetError) {
        let key = RedisArgument(FleetKeys(region: region).target)
        guard let build else {
            _ = try await read(RedisCommand("DEL", key, isSafeToRepeat: true))
            return
        }
        guard InstanceHeartbeat.isBuild(build) else {
            throw .invalid(field: "build", reason: "expected 1 to 64 visible characters, without spaces")
        }
        _ = try await read(RedisCommand("SET", key, RedisArgument(build), isSafeToRepeat: true))
    }

    // MARK: -

    func read(_ command: RedisCommand) async throws(FleetError) -> RESPValue {
        do {
            return try await redis.send(command)
        } catch {
            throw .unavailable(error)
        }
    }

    /// The fields of a hash.
    static func pairs(_ reply: RESPValue) -> [(String, String)] {
        let items = reply.array ?? []
        return stride(from: 0, to: items.count - 1, by: 2).compactMap { index in
            guard let field = items[index].string, let value = items[index + 1].string else { return nil }
            return (field, value)
        }
    }
}
