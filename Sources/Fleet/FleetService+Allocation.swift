import GameModel
import Redis

/// Slots for matches. One round trip to Redis for each call, however many matches it places.
extension FleetService {
    /// A slot for the match: the same one again where it already has one, `nil` where none is free.
    public func allocate(_ match: MatchID) async throws(FleetError) -> Allocation? {
        try await allocate(match, in: try Self.region(of: match))
    }

    /// A slot for the match in a region: the same one again where it already has one, `nil` where none is free.
    ///
    /// - Parameter build: the only build that will do; `nil`: the region's target, else the newest with room.
    public func allocate(
        _ match: MatchID, in region: Region, build: String? = nil
    ) async throws(FleetError) -> Allocation? {
        try await allocate([match], in: region, build: build)[match]
    }

    /// Slots for many matches of a region at once; those that are not in the answer got none. Each is placed as by
    /// ``allocate(_:in:build:)``, in the order given.
    public func allocate(
        _ matches: [MatchID], in region: Region, build: String?
    ) async throws(FleetError) -> [MatchID: Allocation] {
        var given: [MatchID: Allocation] = [:]
        // Many matches get slots of few instances.
        var records: [[UInt8]: InstanceRecord] = [:]
        var rest = matches[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(FleetConfiguration.allocationsMax))
            rest = rest.dropFirst(batch.count)
            let reply = try await call(
                FleetScripts.allocate, keys: FleetKeys(region: region).transition, arguments(of: batch, region, build))
            guard let rows = reply.array, rows.count == batch.count else {
                throw .unexpectedReply("fleet.allocate")
            }
            for (match, row) in zip(batch, rows) {
                if let allocation = try Self.allocation(of: match, row, &records) { given[match] = allocation }
            }
        }
        return given
    }

    private func arguments(of matches: [MatchID], _ region: Region, _ build: String?) -> [RedisArgument] {
        let strategy = configuration.strategies[region] ?? configuration.strategy
        return [
            RedisArgument(configuration.silentAfter.milliseconds),
            RedisArgument(configuration.allocationLifetime.milliseconds), RedisArgument(strategy.rawValue),
            RedisArgument(build ?? ""),
        ] + matches.map { RedisArgument($0.rawValue) }
    }

    private static func allocation(
        of match: MatchID, _ row: RESPValue, _ records: inout [[UInt8]: InstanceRecord]
    ) throws(FleetError) -> Allocation? {
        guard let fields = row.array else { throw .unexpectedReply("fleet.allocate") }
        if fields.isEmpty { return nil }
        guard fields.count == 4, let fresh = fields[0].int, let instance = fields[1].string,
            let bytes = fields[2].bytes, let at = fields[3].int
        else { throw .unexpectedReply("fleet.allocate") }
        let record: InstanceRecord
        if let known = records[bytes] {
            record = known
        } else {
            record = try decode(String(decoding: bytes, as: UTF8.self))
            records[bytes] = record
        }
        return Allocation(
            match: match, instance: InstanceID(instance), host: record.host, port: record.port,
            at: Instant(milliseconds: Int64(at)), isNew: fresh == 1)
    }
}
