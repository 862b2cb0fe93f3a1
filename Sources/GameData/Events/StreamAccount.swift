import Redis

/// One life of an event stream: from its first entry until Redis loses it. A new life counts its entries from 0.
public struct StreamLife: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `<ULID>/<entries that were added before anyone counted what is stored>`.
    public var name: String

    public init(_ name: String) { self.name = name }

    /// Entries that are no losses though nobody counted them as stored.
    public var addedBefore: Int { name.split(separator: "/").dropFirst().first.flatMap { Int($0) } ?? 0 }

    public var description: String { name }
}

/// What Redis says of an event shard, of one moment.
public struct StreamAccount: Sendable, Hashable, Codable {
    public var shard: Int
    /// `nil` before any consumer came.
    public var life: StreamLife?
    /// Entries ever added in this life.
    public var added: Int
    /// Entries in the stream: those that wait and those that a consumer holds, for stored ones are deleted.
    public var length: Int
    /// Entries that a consumer has and has not settled (the group's PEL).
    public var pel: Int
    /// Entries that no consumer has seen; `nil` where Redis can't tell.
    public var lag: Int?
    public var consumers: Int
    /// When the oldest entry was added, Unix ms by Redis's clock; `nil` in an empty stream.
    public var oldestMs: Int?
    /// When Redis said so, Unix µs by its clock.
    public var toldUs: Int

    init(shard: Int, reply: RESPValue) throws(RedisError) {
        let parts = try reply.expectArray()
        guard parts.count == 8 else { throw .unexpectedReply("account_events: wanted 8 numbers, got \(parts.count)") }
        self.shard = shard
        life = parts[0].string.map { StreamLife($0) }
        added = try parts[1].expectInt()
        length = try parts[2].expectInt()
        pel = try parts[3].expectInt()
        let unread = try parts[4].expectInt()
        lag = unread < 0 ? nil : unread
        consumers = try parts[5].expectInt()
        let oldest = try parts[6].expectInt()
        oldestMs = oldest == 0 ? nil : oldest
        toldUs = try parts[7].expectInt()
    }
}
