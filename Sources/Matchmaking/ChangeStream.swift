import GameModel
import Redis

/// One entry of a pool's change stream: tickets that came to a state.
struct TicketChange: Sendable, Hashable {
    let state: TicketState
    let tickets: [TicketID]
    private let queuedAt: Instant?
    private let body: String?

    /// Reads the fields of an entry; `nil` where they are of no form known here (a newer version's).
    init?(fields: [String: String]) {
        guard let state = fields["s"].flatMap(TicketState.init(rawValue:)), let tickets = fields["t"] else {
            return nil
        }
        self.state = state
        self.tickets = tickets.split(separator: ",").map { TicketID(String($0)) }
        queuedAt = fields["q"].flatMap(Instant.init(text:))
        body = fields["b"]
    }

    /// With state queued: all that a ranker's view needs. Read anew with each use, because most readers need it not.
    var queued: QueuedTicket? {
        guard state == .queued, let id = tickets.first, let queuedAt, let body = body.flatMap(TicketBody.init(text:))
        else { return nil }
        return QueuedTicket(id: id, queuedAt: queuedAt, members: body.members, backfill: body.backfill)
    }
}

/// A place in a pool's change stream. Within an epoch the numbers rise by one, so a reader sees whether it missed
/// entries.
struct StreamPlace: Sendable, Hashable {
    /// Before everything.
    static let start = StreamPlace(epoch: 0, number: 0)

    let epoch: Int64
    let number: Int64

    init(epoch: Int64, number: Int64) {
        self.epoch = epoch
        self.number = number
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let epoch = Int64(parts[0]), let number = Int64(parts[1]) else { return nil }
        self.init(epoch: epoch, number: number)
    }

    var text: String { "\(epoch)-\(number)" }

    /// Whether nothing was between this place and the next entry read.
    func isFollowed(by next: StreamPlace) -> Bool {
        self == .start ? next.number == 0 : next.epoch == epoch && next.number == number + 1
    }
}

/// What a reader of a pool's change stream got.
struct ChangeBatch: Sendable {
    var changes: [TicketChange] = []
    /// Entries were missed: trimmed before they were read, or the stream was lost and begun again.
    var hasGap = false
    var place: StreamPlace
}

/// Reads change streams.
enum ChangeStream {
    /// The most entries of one read.
    static let batchMax = 1_000

    /// The end of each stream at this moment.
    static func ends(of keys: [MatchmakingKeys], redis: RedisClient) async throws(RedisError) -> [StreamPlace] {
        let replies = try await redis.pipeline(
            keys.map { keys in
                RedisCommand(
                    "XREVRANGE", RedisArgument(keys.changes), "+", "-", "COUNT", "1", isSafeToRepeat: true)
            })
        var places: [StreamPlace] = []
        for reply in replies {
            if case .error(let reason) = reply { throw .server(reason) }
            places.append(reply.array?.first?.array?.first?.string.flatMap(StreamPlace.init) ?? .start)
        }
        return places
    }

    /// Waits for entries after the places given, and reads them; one place per stream.
    /// - Returns: for each stream that has any, its index and what came.
    static func read(
        _ streams: [(keys: MatchmakingKeys, after: StreamPlace)], block: Duration, redis: RedisClient
    ) async throws(RedisError) -> [(index: Int, batch: ChangeBatch)] {
        var arguments: [RedisArgument] = [
            "XREAD", "COUNT", RedisArgument(batchMax), "BLOCK", RedisArgument(max(1, block.milliseconds)), "STREAMS",
        ]
        for stream in streams { arguments.append(RedisArgument(stream.keys.changes)) }
        for stream in streams { arguments.append(RedisArgument(stream.after.text)) }
        let reply = try await redis.sendBlocking(RedisCommand(arguments), timeout: block + .seconds(2))
        guard let read = reply.array else { return [] }
        var result: [(index: Int, batch: ChangeBatch)] = []
        for item in read {
            guard let pair = item.array, pair.count == 2, let name = pair[0].string, let entries = pair[1].array,
                let index = streams.firstIndex(where: { $0.keys.changes.name == name })
            else { throw .unexpectedReply("XREAD") }
            result.append((index, batch(of: entries, after: streams[index].after)))
        }
        return result
    }

    private static func batch(of entries: [RESPValue], after place: StreamPlace) -> ChangeBatch {
        var batch = ChangeBatch(place: place)
        for entry in entries {
            guard let parts = entry.array, parts.count == 2,
                let place = parts[0].string.flatMap(StreamPlace.init)
            else { continue }
            if !batch.place.isFollowed(by: place) { batch.hasGap = true }
            batch.place = place
            if let change = TicketChange(fields: parts[1].fields) { batch.changes.append(change) }
        }
        return batch
    }
}
