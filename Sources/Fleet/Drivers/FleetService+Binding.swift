import GameModel
import Redis

extension FleetService {
    /// Notes the place of a match that a cluster has given it, so that the fleet looks after it like after any other:
    /// nobody joins in time, its instance falls silent, it ends.
    ///
    /// - Returns: the place; an earlier one where the match has one on an instance that lives.
    func bind(
        _ match: MatchID, to instance: InstanceID, host: String, port: Int
    ) async throws(FleetError) -> Allocation {
        let record = InstanceRecord(host: host, port: port, slots: 1, build: "")
        let reply = try await call(
            FleetScripts.bind, keys: FleetKeys(region: try Self.region(of: match)).transition,
            [
                RedisArgument(configuration.silentAfter.milliseconds),
                RedisArgument(configuration.allocationLifetime.milliseconds), RedisArgument(match.rawValue),
                RedisArgument(instance.rawValue), RedisArgument(try Self.encode(record)),
            ])
        guard let fields = reply.array, fields.count == 4, let fresh = fields[0].int, let owner = fields[1].string,
            let text = fields[2].string, let at = fields[3].int
        else { throw .unexpectedReply("fleet.bind") }
        let place = try Self.decode(text)
        return Allocation(
            match: match, instance: InstanceID(owner), host: place.host, port: place.port,
            at: Instant(milliseconds: Int64(at)), isNew: fresh == 1)
    }
}
