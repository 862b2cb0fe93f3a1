import GameModel
import Redis

/// One job that this process may run until its lease runs out.
struct Lease: Sendable {
    let id: JobID
    let token: UInt64
    let attempt: Int
    /// `nil` where it is of a form that this version can't read.
    let envelope: Envelope?
}

/// What one reserve brought.
struct Reservation: Sendable {
    var leases: [Lease] = []
    /// Jobs that were buried by this call because their worker vanished on the last attempt.
    var crashed: [Lease] = []
    var hasMore = false
    /// The time until the next job falls due or a lease runs out; `nil` where none does.
    var nextDue: Duration?
}

/// How an attempt is to end in Redis.
struct Settlement: Sendable {
    enum Verb: Sendable, Hashable {
        case complete
        case retry(after: Duration, error: String)
        case bury(Bury)
        /// Handed back unattempted: to the front at once, or later.
        case release(after: Duration)
    }

    let id: JobID
    let token: UInt64
    let verb: Verb
}

enum SettleReply: Sendable {
    case done
    /// The lease is not this attempt's any more.
    case refused
    /// Redis knows no attempt of the job: ended before, cancelled, or forgotten.
    case unknown
}

/// The worker's side of the queue: the scripts that move leases, with typed arguments and replies.
extension JobQueue {
    /// How many expired leases and due jobs one reserve moves at most.
    static let sweepMax = 200
    /// Bytes of an error text that are kept.
    static let errorBytesMax = 500

    func reserve(limit: Int, lease: Duration) async throws(JobError) -> Reservation {
        let reply = try await run(
            JobScripts.reserve, keys: keys.forReserve,
            [
                RedisArgument(min(limit, JobScripts.batchMax)), RedisArgument(lease.milliseconds),
                RedisArgument(Self.sweepMax),
            ])
        guard let parts = reply.array, parts.count == 5, let token = parts[0].string.flatMap({ UInt64($0) }),
            let more = parts[1].int, let next = parts[2].int,
            let leases = Self.leases(parts[3], token), let crashed = Self.leases(parts[4], token)
        else { throw .unexpectedReply("reserve answered \(reply)") }
        return Reservation(
            leases: leases, crashed: crashed, hasMore: more == 1, nextDue: next < 0 ? nil : .milliseconds(next))
    }

    /// Ends attempts; the replies are in the order given. May be repeated: what was ended before answers `.unknown` or
    /// `.refused`.
    func settle(_ settlements: [Settlement]) async throws(JobError) -> [SettleReply] {
        var replies = [SettleReply](repeating: .unknown, count: settlements.count)
        var complete = Batch(), fail = Batch(), release = Batch()
        for (place, settlement) in settlements.enumerated() {
            let fence = [RedisArgument(settlement.id.rawValue), RedisArgument(String(settlement.token))]
            switch settlement.verb {
            case .complete: complete.add(place, fence)
            case .retry(let delay, let error):
                fail.add(place, fence + ["retry", RedisArgument(delay.milliseconds), Self.errorText(error)])
            case .bury(let bury):
                fail.add(place, fence + ["bury", RedisArgument(bury.reason.rawValue), Self.errorText(bury.message)])
            case .release(let delay): release.add(place, fence + [RedisArgument(delay.milliseconds)])
            }
        }
        for (script, keys, batch) in [
            (JobScripts.complete, keys.forComplete, complete), (JobScripts.fail, keys.forFail, fail),
            (JobScripts.release, keys.forRelease, release),
        ] where !batch.places.isEmpty {
            let reply = try await run(script, keys: keys, batch.arguments, isSafeToRepeat: true)
            guard let flags = reply.array, flags.count == batch.places.count else {
                throw .unexpectedReply("\(script.name) answered \(reply)")
            }
            for (place, flag) in zip(batch.places, flags) {
                replies[place] = flag.int == 1 ? .done : flag.int == 0 ? .refused : .unknown
            }
        }
        return replies
    }

    /// Extends leases; returns those that are lost.
    func renew(_ held: [(id: JobID, token: UInt64)], lease: Duration) async throws(JobError) -> [JobID] {
        var lost: [JobID] = []
        for start in stride(from: 0, to: held.count, by: JobScripts.batchMax) {
            var arguments: [RedisArgument] = [RedisArgument(lease.milliseconds)]
            for (id, token) in held[start..<min(start + JobScripts.batchMax, held.count)] {
                arguments.append(RedisArgument(id.rawValue))
                arguments.append(RedisArgument(String(token)))
            }
            let reply = try await run(JobScripts.renew, keys: keys.forRenew, arguments, isSafeToRepeat: true)
            guard let ids = reply.array else { throw .unexpectedReply("renew answered \(reply)") }
            lost += ids.compactMap(\.string).map { JobID($0) }
        }
        return lost
    }

    private struct Batch {
        var places: [Int] = []
        var arguments: [RedisArgument] = []

        mutating func add(_ place: Int, _ more: [RedisArgument]) {
            places.append(place)
            arguments += more
        }
    }

    private static func errorText(_ text: String) -> RedisArgument {
        RedisArgument(Array(text.utf8.prefix(errorBytesMax)))
    }

    private static func leases(_ value: RESPValue, _ token: UInt64) -> [Lease]? {
        guard let flat = value.array, flat.count.isMultiple(of: 3) else { return nil }
        var leases: [Lease] = []
        leases.reserveCapacity(flat.count / 3)
        for index in stride(from: 0, to: flat.count, by: 3) {
            guard let id = flat[index].string, let attempt = flat[index + 1].int else { return nil }
            let envelope = flat[index + 2].bytes.flatMap { Envelope($0) }
            leases.append(Lease(id: JobID(id), token: token, attempt: attempt, envelope: envelope))
        }
        return leases
    }
}
